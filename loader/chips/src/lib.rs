//! Facts about ESP chips, as tables.
