//! What a port implements.
