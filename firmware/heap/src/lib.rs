//! Tagged values, the arena and its garbage collector.
