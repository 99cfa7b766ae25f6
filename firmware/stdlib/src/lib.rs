//! Modules that need more than the core.
