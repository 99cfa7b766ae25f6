//! The virtual machine and the built-in types.
