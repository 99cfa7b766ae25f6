//! What a crashed program prints, explained by its ELF file.
//!
//! ESP-IDF's panic handler on RISC-V chips prints the registers and a part of the stack, and no call chain: a chain is made
//! of those words of the stack that are return addresses, that is, stand behind a call. They may include calls that had
//! returned already. On Xtensa chips, and from other programs, a line `Backtrace:` has the addresses; each is named.
//!
//! Invariants: any text is survived; lines that belong to no dump are only searched for addresses.
//! Source: ESP-IDF `components/esp_system/port/arch/{riscv,xtensa}/panic_arch.c`, and `panic.c` for the line with the
//! file's SHA-256.

mod causes;
mod dump;
mod places;

pub use places::Places;

use crate::ImageError;
use sha2::{Digest, Sha256};

/// Return addresses that are shown of a stack.
const MOST_CALLS: usize = 32;

/// Follows what a program prints.
#[derive(Default)]
pub struct Crash {
    places: Places,
    /// First digits of the file's SHA-256; none without a file.
    sha256: String,
    /// Of the dump that is being printed.
    registers: Vec<(&'static str, u32)>,
    calls: usize,
}

impl Crash {
    /// Explains what the program of this ELF file prints.
    ///
    /// # Errors
    /// If it is none.
    pub fn of_program(elf: &[u8]) -> Result<Self, ImageError> {
        let sha256 = Sha256::digest(elf).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { places: Places::of_program(elf)?, sha256, ..Self::default() })
    }

    /// Takes the next line that the board printed; what is to be shown below it.
    pub fn line(&mut self, line: &str) -> Vec<String> {
        let registers = dump::registers(line);
        if !registers.is_empty() {
            self.registers.extend(registers);
            return Vec::new();
        }
        let mut shown = self.end_of_registers();
        if let Some(words) = dump::stack_words(line) {
            shown.extend(self.return_addresses(&words));
        } else if let Some(digits) = line.trim().strip_prefix("ELF file SHA256:") {
            shown.extend(self.other_program(digits.trim()));
        } else {
            self.calls = 0;
            shown.extend(
                dump::addresses(line)
                    .flat_map(|address| headed(&format!("0x{address:08x}"), self.places.at(address))),
            );
        }
        shown
    }

    /// The dump of the registers is over: what it says.
    fn end_of_registers(&mut self) -> Vec<String> {
        let registers = std::mem::take(&mut self.registers);
        let value = |name: &str| registers.iter().find(|known| known.0 == name).map(|known| known.1);
        let mut shown: Vec<String> = match (value("MCAUSE"), value("EXCCAUSE")) {
            (Some(cause), _) => vec![causes::riscv(cause, value("MTVAL"))],
            (None, Some(cause)) => vec![causes::xtensa(cause, value("EXCVADDR"))],
            (None, None) => Vec::new(),
        };
        for &(name, value) in &registers {
            let places = match name {
                "RA" => self.places.before(value),
                // The upper bits are not the address's: they say by how many registers the window moved.
                "A0" if is_xtensa(&registers) => self.places.before(value & 0x3FFF_FFFF | 0x4000_0000),
                _ => self.places.at(value),
            };
            if places.is_empty() && matches!(name, "MEPC" | "PC") && !self.sha256.is_empty() {
                shown.push(format!("{name} 0x{value:08x}: in no function of the ELF file"));
            }
            shown.extend(headed(&format!("{name} 0x{value:08x}"), places));
        }
        shown
    }

    fn return_addresses(&mut self, words: &[u32]) -> Vec<String> {
        let mut shown = Vec::new();
        for &word in words {
            let places = self.places.before(word);
            if places.is_empty() || !self.follows_a_call(word) || self.calls == MOST_CALLS {
                continue;
            }
            self.calls += 1;
            shown.extend(headed(&format!("0x{word:08x}: called by"), places));
        }
        shown
    }

    /// Whether the instruction before this address leaves it in `ra` or `t0`: JAL, JALR, C.JAL, C.JALR.
    fn follows_a_call(&self, address: u32) -> bool {
        let long = self.places.bytes_before(address).map_or(0, u32::from_le_bytes);
        let short = self.places.bytes_before(address).map_or(0, u16::from_le_bytes);
        let is_jump = matches!(long & 0x7F, 0x6F | 0x67) && matches!(long >> 7 & 31, 1 | 5);
        let is_short = short & 0xE003 == 0x2001 || short & 0xF07F == 0x9002 && short >> 7 & 31 != 0;
        is_jump || is_short
    }

    /// A remark if the program that runs is not the one of the file.
    fn other_program(&self, printed: &str) -> Option<String> {
        let digits: String = printed.chars().take_while(char::is_ascii_hexdigit).collect();
        let other = !digits.is_empty()
            && !self.sha256.is_empty()
            && !self.sha256.starts_with(&digits.to_ascii_lowercase());
        other.then(|| "the ELF file is not that of the program on the board: names may be wrong".to_owned())
    }
}

fn is_xtensa(registers: &[(&str, u32)]) -> bool {
    registers.iter().any(|(name, _)| *name == "EXCCAUSE")
}

/// Behind the first line's head; the others below it.
fn headed(head: &str, places: Vec<String>) -> impl Iterator<Item = String> + use<> {
    let colon = if head.contains(':') { "" } else { ":" };
    let head = format!("{head}{colon} ");
    places
        .into_iter()
        .enumerate()
        .map(move |(n, place)| if n == 0 { format!("{head}{place}") } else { format!("  {place}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Part;
    use crate::elf::Section;
    use crate::symbols::Symbols;
    use proptest::prelude::*;

    /// `main` calls at 0x4200_0010 (JAL) and at 0x4200_0016 (C.JALR); `other` does not.
    fn crash() -> Crash {
        let mut data = vec![0x13; 0x80];
        data[0x10..0x14].copy_from_slice(&0x0400_00EF_u32.to_le_bytes());
        data[0x16..0x18].copy_from_slice(&0x9782_u16.to_le_bytes());
        let section =
            Section { name: ".text".to_owned(), align: 4, part: Part { address: 0x4200_0000, data } };
        let functions = vec![(0x4200_0000, 0x40, "main".to_owned()), (0x4200_0040, 0x40, "other".to_owned())];
        Crash {
            places: Places::of(Symbols::of(functions), vec![section]),
            sha256: "0123456789abcdef".to_owned(),
            ..Crash::default()
        }
    }

    fn shown(text: &str) -> Vec<String> {
        let mut crash = crash();
        text.lines().flat_map(|line| crash.line(line)).collect()
    }

    #[test]
    fn a_riscv_panic_is_explained() {
        let text = "Guru Meditation Error: Core  0 panic'ed (Store access fault). Exception was unhandled.\n\n\
            Core  0 register dump:\n\
            MEPC    : 0x42000044  RA      : 0x42000014  SP      : 0x3fc914e0  GP      : 0x3fc8a400  \n\
            TP      : 0x3fc7d5c0  T0      : 0x4005890e  T1      : 0x00000000  T2      : 0x00000000  \n\
            S0/FP   : 0x00000000  S1      : 0x42000018  A0      : 0x00000005  A1      : 0x00000000  \n\
            MSTATUS : 0x00001881  MTVEC   : 0x40380001  MCAUSE  : 0x00000007  MTVAL   : 0x00000010  \n\
            MHARTID : 0x00000000  \n\n\
            Stack memory:\n\
            3fc914e0: 0x00000000 0x42000014 0x42000018 0x42000044 0x3fc8a400 0x00000000 0x00000000 0x00000000\n\
            \n\
            ELF file SHA256: 0123456789abcdef\n";
        assert_eq!(
            shown(text),
            [
                "store access fault at 0x00000010: a null pointer",
                "MEPC 0x42000044: other+0x4",
                "RA 0x42000014: main+0x14",
                "S1 0x42000018: main+0x18",
                "0x42000014: called by main+0x14",
                "0x42000018: called by main+0x18",
            ]
        );
    }

    /// A0 says by its upper bits that the caller's window is eight registers away; the rest is the address.
    #[test]
    fn an_xtensa_panic_is_explained() {
        let text = "Guru Meditation Error: Core  0 panic'ed (StoreProhibited). Exception was unhandled.\n\n\
            Core  0 register dump:\n\
            PC      : 0x42000044  PS      : 0x00060030  A0      : 0x82000014  A1      : 0x3ffb5210  \n\
            A14     : 0x3ffb52d0  A15     : 0x00000000  SAR     : 0x00000014  EXCCAUSE: 0x0000001d  \n\
            EXCVADDR: 0x00000010  LBEG    : 0x4000c46c  LEND    : 0x4000c477  LCOUNT  : 0xffffffff  \n\n\
            Backtrace: 0x42000041:0x3ffb5210 0x42000011:0x3ffb5230 |<-CORRUPTED\n";
        assert_eq!(
            shown(text),
            [
                "store to where it is prohibited at 0x00000010: a null pointer",
                "PC 0x42000044: other+0x4",
                "A0 0x82000014: main+0x14",
                "0x42000041: other+0x1",
                "0x42000011: main+0x11",
            ]
        );
    }

    #[test]
    fn an_xtensa_backtrace_and_ordinary_lines_are_named() {
        assert_eq!(
            shown("Backtrace: 0x42000014:0x3ffb1234 0x42000044:0x3ffb1250\nhello\n"),
            ["0x42000014: main+0x14", "0x42000044: other+0x4"]
        );
    }

    #[test]
    fn a_program_that_is_not_the_files_is_noticed() {
        assert_eq!(
            shown("MEPC    : 0x40000000  RA      : 0x00000000\n\nELF file SHA256: 9999999999abcdef\n"),
            [
                "MEPC 0x40000000: in no function of the ELF file",
                "the ELF file is not that of the program on the board: names may be wrong",
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[A-Z0-9x: ]{0,80}", noise: String) {
            let mut crash = crash();
            crash.line(&text);
            crash.line(&noise);
        }
    }
}
