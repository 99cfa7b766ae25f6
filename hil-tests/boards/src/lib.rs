//! boards.yaml, typed.
