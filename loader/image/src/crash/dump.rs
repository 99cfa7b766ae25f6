//! Lines of a dump, as ESP-IDF's panic handlers print them.

/// Registers whose names begin a line of the dump: RISC-V's (the mask ROM's handler says S0), then Xtensa's.
const REGISTERS: [&str; 57] = [
    "MEPC",
    "RA",
    "SP",
    "GP",
    "TP",
    "T0",
    "T1",
    "T2",
    "S0/FP",
    "S0",
    "S1",
    "A0",
    "A1",
    "A2",
    "A3",
    "A4",
    "A5",
    "A6",
    "A7",
    "S2",
    "S3",
    "S4",
    "S5",
    "S6",
    "S7",
    "S8",
    "S9",
    "S10",
    "S11",
    "T3",
    "T4",
    "T5",
    "T6",
    "MSTATUS",
    "MTVEC",
    "MCAUSE",
    "MTVAL",
    "MHARTID",
    "PC",
    "PS",
    "A8",
    "A9",
    "A10",
    "A11",
    "A12",
    "A13",
    "A14",
    "A15",
    "SAR",
    "EXCCAUSE",
    "EXCVADDR",
    "LBEG",
    "LEND",
    "LCOUNT",
    "MINTSTATUS",
    "MINTTHRESH",
    "MEXSTATUS",
];

/// `MEPC    : 0x42000110  RA      : 0x4200020c ...`; of a name without room (`EXCCAUSE: 0x0000001d`) also.
pub(super) fn registers(line: &str) -> Vec<(&'static str, u32)> {
    let line = line.replace(':', " : ");
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
pub(super) fn stack_words(line: &str) -> Option<Vec<u32>> {
    let (address, words) = line.trim().split_once(": ")?;
    let is_address = address.len() == 8 && u32::from_str_radix(address, 16).is_ok();
    let word = |word: &str| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok();
    is_address.then(|| words.split_whitespace().map(word).collect())?
}

/// All words of eight hexadecimal digits, with `0x` or without.
pub(super) fn addresses(line: &str) -> impl Iterator<Item = u32> {
    line.split(|c: char| !c.is_ascii_alphanumeric()).filter_map(|word| {
        let digits = word.strip_prefix("0x").unwrap_or(word);
        (digits.len() == 8).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    })
}
