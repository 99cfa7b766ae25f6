//! What a crashed program prints, explained by its ELF file.
//!
//! ESP-IDF's panic handler on RISC-V chips prints the registers and a part of the stack, and no call chain: a chain is made
//! of those words of the stack that are return addresses, that is, stand behind a call. They may include calls that had
//! returned already. On Xtensa chips, and from other programs, a line `Backtrace:` has the addresses; each is named.
//!
//! Invariants: any text is survived; lines that belong to no dump are only searched for addresses.
//! Source: ESP-IDF `components/esp_system/port/arch/riscv/panic_arch.c`, and `panic.c` for the line with the file's SHA-256;
//! the causes from the RISC-V Privileged Architecture, table of `mcause` values.

use crate::ImageError;
use crate::elf::{Program, Section};
use crate::symbols::Symbols;

/// Registers whose names begin a line of the dump.
const REGISTERS: [&str; 35] = [
    "MEPC", "RA", "SP", "GP", "TP", "T0", "T1", "T2", "S0/FP", "S1", "A0", "A1", "A2", "A3", "A4", "A5",
    "A6", "A7", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "T3", "T4", "T5", "T6",
    "MSTATUS", "MCAUSE", "MTVAL",
];
const CAUSES: [&str; 16] = [
    "instruction address misaligned",
    "instruction access fault",
    "illegal instruction",
    "breakpoint",
    "load address misaligned",
    "load access fault",
    "store address misaligned",
    "store access fault",
    "system call from user mode",
    "system call from supervisor mode",
    "unknown cause",
    "system call from machine mode",
    "instruction page fault",
    "load page fault",
    "unknown cause",
    "store page fault",
];
/// Return addresses that are shown of a stack.
const MOST_CALLS: usize = 32;
/// Addresses below this are those of a null pointer's fields.
const NULL_PAGE: u32 = 0x1000;

/// Follows what a program prints.
#[derive(Debug, Clone, Default)]
pub struct Crash {
    symbols: Symbols,
    code: Vec<Section>,
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
        let (symbols, program) = (Symbols::parse(elf)?, Program::parse(elf)?);
        let sha256 = program.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { symbols, code: program.sections, sha256, registers: Vec::new(), calls: 0 })
    }

    /// Takes the next line that the board printed; what is to be shown below it.
    pub fn line(&mut self, line: &str) -> Vec<String> {
        let registers = registers(line);
        if !registers.is_empty() {
            self.registers.extend(registers);
            return Vec::new();
        }
        let mut shown = self.end_of_registers();
        if let Some(words) = stack_words(line) {
            shown.extend(self.return_addresses(&words));
        } else if let Some(digits) = line.trim().strip_prefix("ELF file SHA256:") {
            shown.extend(self.other_program(digits.trim()));
        } else {
            self.calls = 0;
            shown.extend(self.symbols.names_in(line));
        }
        shown
    }

    /// The dump of the registers is over: what it says.
    fn end_of_registers(&mut self) -> Vec<String> {
        let registers = std::mem::take(&mut self.registers);
        let value = |name: &str| registers.iter().find(|known| known.0 == name).map(|known| known.1);
        let mut shown: Vec<String> =
            value("MCAUSE").map(|cause| explain(cause, value("MTVAL"))).into_iter().collect();
        for &(name, value) in &registers {
            match self.symbols.name_of(value) {
                Some((function, into)) => shown.push(format!("{name} 0x{value:08x}: {function}+0x{into:x}")),
                None if name == "MEPC" && !self.sha256.is_empty() => {
                    shown.push(format!("{name} 0x{value:08x}: in no function of the ELF file"));
                }
                None => {}
            }
        }
        shown
    }

    fn return_addresses(&mut self, words: &[u32]) -> Vec<String> {
        let called = words.iter().filter(|&&word| self.follows_a_call(word)).filter_map(|word| {
            let (function, into) = self.symbols.name_of(*word)?;
            Some(format!("0x{word:08x}: called by {function}+0x{into:x}"))
        });
        let shown: Vec<String> = called.take(MOST_CALLS - self.calls.min(MOST_CALLS)).collect();
        self.calls += shown.len();
        shown
    }

    /// Whether the instruction before this address leaves it in `ra` or `t0`: JAL, JALR, C.JAL, C.JALR.
    fn follows_a_call(&self, address: u32) -> bool {
        let before = |len: u32| {
            let at = address.checked_sub(len)?;
            self.code.iter().find_map(|section| {
                let from = usize::try_from(at.checked_sub(section.part.address)?).ok()?;
                section.part.data.get(from..from + len as usize)
            })
        };
        let long = before(4).and_then(|bytes| bytes.first_chunk()).copied().map_or(0, u32::from_le_bytes);
        let short = before(2).and_then(|bytes| bytes.first_chunk()).copied().map_or(0, u16::from_le_bytes);
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

/// `MEPC    : 0x42000110  RA      : 0x4200020c ...`
fn registers(line: &str) -> Vec<(&'static str, u32)> {
    let mut words = line.split_whitespace();
    let mut found = Vec::new();
    while let (Some(name), Some(":"), Some(value)) = (words.next(), words.next(), words.next()) {
        let value = value.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let name = REGISTERS.iter().find(|known| **known == name);
        if let (Some(name), Some(value)) = (name, value) {
            found.push((*name, value));
        }
    }
    found
}

/// `3fc914e0: 0x00000000 0x3c020f58 ...`
fn stack_words(line: &str) -> Option<Vec<u32>> {
    let (address, words) = line.trim().split_once(": ")?;
    let is_address = address.len() == 8 && u32::from_str_radix(address, 16).is_ok();
    let word = |word: &str| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    is_address.then(|| words.split_whitespace().map(word).collect())?
}

fn explain(cause: u32, address: Option<u32>) -> String {
    if cause >> 31 != 0 {
        return format!("stopped by interrupt {}", cause & 0x7FFF_FFFF);
    }
    let text = CAUSES.get(cause as usize).copied().unwrap_or("a cause of ESP-IDF's own, see the line above");
    match (cause, address) {
        (2, Some(instruction)) => format!("{text}: 0x{instruction:08x}"),
        (4..=7, Some(address)) if address < NULL_PAGE => format!("{text} at 0x{address:08x}: a null pointer"),
        (1 | 4..=7, Some(address)) => format!("{text} at 0x{address:08x}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Part;
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
            symbols: Symbols::of(functions),
            code: vec![section],
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
