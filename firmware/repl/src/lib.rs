//! The prompt: friendly, paste, raw and raw paste, without I/O.
