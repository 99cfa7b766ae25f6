//! An instruction-level ESP32-C3.
