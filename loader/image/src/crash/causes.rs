//! Why a processor stopped, in words.
//!
//! Source: RISC-V Privileged Architecture, table of `mcause` values; Xtensa Instruction Set Architecture Reference Manual,
//! table of exception causes.

const RISCV: [&str; 16] = [
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
    UNKNOWN,
    "system call from machine mode",
    "instruction page fault",
    "load page fault",
    UNKNOWN,
    "store page fault",
];
const XTENSA: [&str; 30] = [
    "illegal instruction",
    "system call",
    "instruction fetch error",
    "load or store error",
    "level 1 interrupt",
    "register window spill (MOVSP)",
    "division by zero",
    "jump to an illegal address",
    "privileged instruction",
    "load or store address misaligned",
    UNKNOWN,
    UNKNOWN,
    "data error in an instruction fetch",
    "data error in a load or store",
    "address error in an instruction fetch",
    "address error in a load or store",
    "instruction TLB miss",
    "instruction TLB multiple hit",
    "instruction fetch without privilege",
    UNKNOWN,
    "instruction fetch from where it is prohibited",
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
    "load or store TLB miss",
    "load or store TLB multiple hit",
    "load or store without privilege",
    UNKNOWN,
    "load from where it is prohibited",
    "store to where it is prohibited",
];
const UNKNOWN: &str = "a cause of ESP-IDF's own, see the line above";
/// Addresses below this are those of a null pointer's fields.
const NULL_PAGE: u32 = 0x1000;

/// MCAUSE and MTVAL of a RISC-V processor.
pub(super) fn riscv(cause: u32, value: Option<u32>) -> String {
    if cause >> 31 != 0 {
        return format!("stopped by interrupt {}", cause & 0x7FFF_FFFF);
    }
    let text = RISCV.get(cause as usize).copied().unwrap_or(UNKNOWN);
    match (cause, value) {
        (2, Some(instruction)) => format!("{text}: 0x{instruction:08x}"),
        (4..=7, Some(address)) => at(text, address, true),
        (1, Some(address)) => at(text, address, false),
        _ => text.to_owned(),
    }
}

/// EXCCAUSE and EXCVADDR of an Xtensa processor.
pub(super) fn xtensa(cause: u32, address: Option<u32>) -> String {
    let text = XTENSA.get(cause as usize).copied().unwrap_or(UNKNOWN);
    match (cause, address) {
        (3 | 9 | 13 | 15 | 24..=29, Some(address)) => at(text, address, true),
        (2 | 12 | 14 | 16..=20, Some(address)) => at(text, address, false),
        _ => text.to_owned(),
    }
}

fn at(text: &str, address: u32, is_data: bool) -> String {
    let remark = if is_data && address < NULL_PAGE { ": a null pointer" } else { "" };
    format!("{text} at 0x{address:08x}{remark}")
}
