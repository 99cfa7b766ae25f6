//! Flashes ESP chips over their serial port, as esptool does.
