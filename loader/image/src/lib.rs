//! ESP images, partition tables and ELF files.
