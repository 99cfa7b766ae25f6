//! The command line.

mod groups;

pub use groups::{
    Encryption, Files, FlashPins, FlashSettings, ImageLayout, MergeFormat, ProgramSource, TableSource,
};

use crate::numbers::{SizeOrAll, number, size, size_or_all};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Flashes ESP chips. Verbs and options are esptool's; older spellings with underscores are accepted.
#[derive(Debug, Parser)]
#[command(
    name = "larch-loader",
    version,
    after_help = "Examples:\n  larch-loader flash-id\n  larch-loader --port /dev/ttyUSB0 write-flash 0x0 bootloader.bin 0x8000 partitions.bin 0x10000 app.bin\n  larch-loader --port rfc2217://lab:4000 --json erase-flash\n\nExit codes: 0 done, 2 wrong arguments, 3 file, 10-14 port, 19-29 no answer, 30-39 does not fit the chip, 40-45 failed on the chip."
)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options that every verb has.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct Global {
    /// Chip that must answer: auto, esp32, esp32c3, ...
    #[arg(short, long, global = true, default_value = "auto", env = "ESPTOOL_CHIP")]
    pub chip: String,
    /// Port: a device, rfc2217://host:port, socket://host:port, or auto.
    #[arg(short, long, global = true, default_value = "auto", env = "ESPTOOL_PORT")]
    pub port: String,
    /// Speed after connecting.
    #[arg(short, long, global = true, env = "ESPTOOL_BAUD")]
    pub baud: Option<u32>,
    /// With --port auto, only ports with this: vid=0x303a, pid=0x1001, name=USB, serial=A50285BI.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub port_filter: Vec<String>,
    /// How to get the chip into its loader.
    #[arg(long, global = true, value_enum, default_value = "default-reset", env = "ESPTOOL_BEFORE")]
    pub before: BeforeArgument,
    /// What to do with the chip at the end.
    #[arg(short, long, global = true, value_enum, default_value = "hard-reset", env = "ESPTOOL_AFTER")]
    pub after: AfterArgument,
    /// Steps of the control lines instead of the usual ones: D0|R1|W0.1|D1|R0|W0.05|D0.
    #[arg(long, global = true, value_name = "STEPS")]
    pub custom_reset: Option<String>,
    /// Talk to the mask ROM only.
    #[arg(long, global = true)]
    pub no_stub: bool,
    /// Tries before giving up; 0 or less: never.
    #[arg(
        long,
        global = true,
        default_value_t = 7,
        allow_negative_numbers = true,
        env = "ESPTOOL_CONNECT_ATTEMPTS"
    )]
    pub connect_attempts: i64,
    /// Wait this many times as long as usual for answers: for slow networks and busy machines.
    #[arg(long, global = true, default_value_t = 1, value_name = "N")]
    pub timeout_factor: u32,
    /// Set the flash voltage regulator (ESP32).
    #[arg(long, global = true, value_name = "VOLTAGE", value_parser = ["1.8V", "1.9V", "OFF"], ignore_case = true)]
    pub override_vddsdio: Option<String>,
    /// Record everything on the wire in this file, or on standard error; `replay` decodes it.
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub trace: Option<PathBuf>,
    /// Ask nobody to press anything: give up with an outcome code instead.
    #[arg(long, global = true)]
    pub non_interactive: bool,
    /// Events as one JSON object per line.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print results and errors only.
    #[arg(long, global = true)]
    pub silent: bool,
    /// Everything is printed anyway; accepted for esptool's sake.
    #[arg(long, short, global = true, hide = true, conflicts_with = "silent")]
    pub verbose: bool,
}

/// How to get the chip into its loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BeforeArgument {
    /// By DTR and RTS through the usual circuit.
    DefaultReset,
    /// Over the chip's own USB port.
    UsbReset,
    /// It is there already, or somebody does it by hand.
    NoReset,
    /// It is there already and synchronised.
    NoResetNoSync,
}

/// What to do with the chip at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AfterArgument {
    /// A pulse on the reset line.
    HardReset,
    /// Only the ESP8266's loader could.
    #[value(hide = true)]
    SoftReset,
    /// Leave the chip in its ROM's loader.
    NoReset,
    /// Leave the stub running, at 115200 baud.
    NoResetStub,
    /// Let the watchdog bite.
    WatchdogReset,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write files to flash; the chip's own MD5 confirms each.
    #[command(alias = "write-bin")]
    WriteFlash {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        settings: FlashSettings,
        /// Erase the whole flash first.
        #[arg(long, short)]
        erase_all: bool,
        /// Send deflated data even if it is longer.
        #[arg(long, short = 'z', conflicts_with = "no_compress")]
        compress: bool,
        /// Send data as they are.
        #[arg(long, short = 'u')]
        no_compress: bool,
        /// Write everything, even what flash holds already.
        #[arg(long)]
        rewrite: bool,
        /// What flash holds already is left out anyway; accepted for esptool's sake.
        #[arg(long, short, hide = true)]
        skip_flashed: bool,
        /// The chip tells what differs, the old file is not needed; accepted for esptool's sake.
        #[arg(long, hide = true, num_args = 1..)]
        diff_with: Vec<String>,
        /// What is in flash is never taken for granted; accepted for esptool's sake.
        #[arg(long, hide = true)]
        trust_flash_content: bool,
        /// Everything is verified anyway; accepted for esptool's sake.
        #[arg(long, hide = true)]
        verify: bool,
        #[command(flatten)]
        encryption: Encryption,
        #[command(flatten)]
        pins: FlashPins,
        /// Write images that the checks refuse.
        #[arg(long)]
        force: bool,
        /// No progress bar.
        #[arg(long)]
        no_progress: bool,
    },
    /// Compare flash with files by the chip's own MD5.
    VerifyFlash {
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        settings: FlashSettings,
        /// Show what differs.
        #[arg(long, short)]
        diff: bool,
        #[command(flatten)]
        pins: FlashPins,
    },
    /// Read a part of flash into a file.
    ReadFlash {
        /// Flash offset.
        #[arg(value_parser = number)]
        offset: u32,
        /// Bytes (k, M), or ALL.
        #[arg(value_parser = size_or_all)]
        size: SizeOrAll,
        /// File to write.
        file: PathBuf,
        #[command(flatten)]
        pins: FlashPins,
        /// No progress bar.
        #[arg(long)]
        no_progress: bool,
    },
    /// Erase the whole flash.
    EraseFlash {
        #[command(flatten)]
        pins: FlashPins,
        /// Erase even if secure boot or flash encryption stands against it.
        #[arg(long)]
        force: bool,
    },
    /// Erase sectors.
    EraseRegion {
        /// Flash offset, a multiple of 4096.
        #[arg(value_parser = number)]
        offset: u32,
        /// Bytes (k, M), a multiple of 4096, or ALL.
        #[arg(value_parser = size_or_all)]
        size: SizeOrAll,
        #[command(flatten)]
        pins: FlashPins,
        /// Erase even if secure boot or flash encryption stands against it.
        #[arg(long)]
        force: bool,
    },
    /// The chip's own MD5 of a part of flash.
    ChecksumMd5 {
        /// Flash offset.
        #[arg(value_parser = number)]
        offset: u32,
        /// Bytes (k, M).
        #[arg(value_parser = size)]
        size: u32,
    },
    /// Factory MAC address.
    ReadMac,
    /// What chip it is.
    ChipId,
    /// What flash it has.
    FlashId {
        #[command(flatten)]
        pins: FlashPins,
    },
    /// Chip, flash and security in one.
    BoardInfo,
    /// Secure boot and flash encryption state.
    GetSecurityInfo,
    /// Every eFuse field (read only).
    EfuseSummary {
        /// Only fields whose names contain this.
        filter: Option<String>,
    },
    /// Status registers of the flash.
    ReadFlashStatus {
        #[command(flatten)]
        pins: FlashPins,
        /// How many registers, 1 to 3.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=3))]
        bytes: u8,
    },
    /// Write status registers of the flash.
    WriteFlashStatus {
        #[command(flatten)]
        pins: FlashPins,
        /// How many registers, 1 to 3.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=3))]
        bytes: u8,
        /// Keep the value over power cycles.
        #[arg(long)]
        non_volatile: bool,
        /// Value.
        #[arg(value_parser = number)]
        value: u32,
    },
    /// Read the flash's parameter table (SFDP).
    ReadFlashSfdp {
        #[command(flatten)]
        pins: FlashPins,
        /// Address in the table.
        #[arg(value_parser = number)]
        address: u32,
        /// Bytes, 1 to 4.
        #[arg(value_parser = clap::value_parser!(u32).range(1..=4))]
        bytes: u32,
    },
    /// Load an image into RAM and run it.
    LoadRam {
        /// Image file.
        file: PathBuf,
    },
    /// Read memory into a file.
    DumpMem {
        /// Address.
        #[arg(value_parser = number)]
        address: u32,
        /// Bytes (k, M).
        #[arg(value_parser = size)]
        size: u32,
        /// File to write.
        file: PathBuf,
    },
    /// Read a word of memory.
    ReadMem {
        /// Address.
        #[arg(value_parser = number)]
        address: u32,
    },
    /// Write a word of memory.
    WriteMem {
        /// Address.
        #[arg(value_parser = number)]
        address: u32,
        /// Value.
        #[arg(value_parser = number)]
        value: u32,
        /// Bits to change.
        #[arg(value_parser = number, default_value = "0xffffffff")]
        mask: u32,
    },
    /// Leave the loader and run the program in flash.
    Run,
    /// Reset the chip.
    Reset,
    /// Hold the chip in reset until another verb releases it.
    HoldInReset,
    /// What an image file is.
    ImageInfo {
        /// Image file.
        file: PathBuf,
        /// Form of what is printed; there is one here. Accepted for Thonny's sake.
        #[arg(long, hide = true)]
        version: Option<u8>,
    },
    /// Make an image of a program.
    Elf2image {
        /// ELF file.
        file: PathBuf,
        /// Image to write; default: the ELF's name with .bin.
        #[arg(long, short)]
        output: Option<PathBuf>,
        #[command(flatten)]
        settings: FlashSettings,
        /// Form of ESP8266 images; accepted for esptool's sake.
        #[arg(long, short = 'e', hide = true)]
        version: Option<u8>,
        /// Least chip revision as older bootloaders read it.
        #[arg(long, short = 'r', default_value_t = 0, hide = true)]
        min_rev: u8,
        /// Least chip revision, major * 100 + minor.
        #[arg(long, default_value_t = 0)]
        min_rev_full: u16,
        /// Greatest chip revision, major * 100 + minor.
        #[arg(long, default_value_t = u16::MAX)]
        max_rev_full: u16,
        #[command(flatten)]
        layout: ImageLayout,
    },
    /// Make an image of segments.
    MakeImage {
        /// File with a segment's contents, as often as needed.
        #[arg(long, short = 'f', required = true)]
        segfile: Vec<PathBuf>,
        /// The segment's address, as often.
        #[arg(long, short = 's', required = true, value_parser = number)]
        segaddr: Vec<u32>,
        /// Entry address.
        #[arg(long, short, value_parser = number)]
        entrypoint: u32,
        /// Image to write.
        output: PathBuf,
    },
    /// Put several files into one.
    MergeBin {
        /// Form of the result.
        #[arg(long, short, value_enum, default_value = "raw")]
        format: MergeFormat,
        #[command(flatten)]
        files: Files,
        #[command(flatten)]
        settings: FlashSettings,
        /// Bytes of data in a UF2 block; default: as many as fit.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=476))]
        chunk_size: Option<u16>,
        /// No MD5 in UF2 blocks.
        #[arg(long)]
        md5_disable: bool,
        /// File to write.
        #[arg(long, short)]
        output: PathBuf,
        /// Flash offset that the file will be written to.
        #[arg(long, short, value_parser = number, default_value = "0")]
        target_offset: u32,
        /// Fill up to this size (2MB, 4MB, ...).
        #[arg(long, value_parser = size)]
        pad_to_size: Option<u32>,
    },
    /// Convert a partition table: CSV to binary, binary to CSV, or print it.
    PartitionTable {
        /// CSV or binary file.
        file: PathBuf,
        /// File to write; default: print a table.
        #[arg(long, short)]
        output: Option<PathBuf>,
        /// Write CSV instead of binary.
        #[arg(long)]
        to_csv: bool,
    },
    /// Write a file into a partition, by label.
    WritePart {
        /// The partition's label.
        label: String,
        /// File.
        file: PathBuf,
        #[command(flatten)]
        table: TableSource,
    },
    /// Erase partitions, by label.
    EraseParts {
        /// Labels.
        #[arg(required = true, value_delimiter = ',')]
        labels: Vec<String>,
        #[command(flatten)]
        table: TableSource,
    },
    /// Write a program straight from its ELF file, with bootloader and partition table.
    Flash {
        #[command(flatten)]
        program: ProgramSource,
        /// Show what the program prints afterwards.
        #[arg(long, short = 'M')]
        monitor: bool,
    },
    /// Make the image file of a program.
    SaveImage {
        #[command(flatten)]
        program: ProgramSource,
        /// Image to write.
        output: PathBuf,
        /// With bootloader and partition table, to be written where the bootloader belongs.
        #[arg(long)]
        merge: bool,
    },
    /// Show what the board prints; what is typed is sent line by line. Ctrl-C ends it.
    Monitor {
        /// Program that runs: addresses in the output are named, crashes explained.
        #[arg(long)]
        elf: Option<PathBuf>,
        /// Do not reset the board first.
        #[arg(long)]
        no_reset: bool,
    },
    /// Decode a record of the wire (--trace).
    Replay {
        /// The record.
        file: PathBuf,
    },
    /// Shell completions.
    Completions {
        /// Shell.
        shell: clap_complete::Shell,
    },
    /// Serial ports of this machine.
    ListPorts {
        /// Also ports that are no known adapter.
        #[arg(long)]
        list_all_ports: bool,
        /// Names only, for scripts.
        #[arg(long, short = 'n')]
        name_only: bool,
    },
    /// The version of this program.
    Version,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }
}
