//! Registers, mask ROM functions, and the start.

use core::panic::PanicInfo;
use larch_chips::stub::StubFacts;

/// The chip that this build is for.
#[cfg(feature = "esp32c3")]
pub const CHIP: &StubFacts = &larch_chips::stub::ESP32C3;
// The mask ROM jumps here. Interrupts off: its UART handler would take our bytes.
core::arch::global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    "_start:",
    "csrci mstatus, 8",
    "la sp, _stack_top",
    "la t0, _bss_start",
    "la t1, _bss_end",
    "1: bgeu t0, t1, 2f",
    "sw zero, 0(t0)",
    "addi t0, t0, 4",
    "j 1b",
    "2: call stub_main",
    ".text",
);

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // Silence is what the host's time-outs are for.
    loop {}
}

/// Reads a register.
pub fn read(address: u32) -> u32 {
    // SAFETY: a peripheral register of the chip table, or an address that the host names, as with the mask ROM.
    unsafe { core::ptr::with_exposed_provenance::<u32>(address as usize).read_volatile() }
}

/// Writes a register.
pub fn write(address: u32, value: u32) {
    // SAFETY: as for `read`.
    unsafe { core::ptr::with_exposed_provenance_mut::<u32>(address as usize).write_volatile(value) }
}

/// Changes some bits of a register.
pub fn modify(address: u32, mask: u32, value: u32) {
    write(address, read(address) & !mask | value & mask);
}

/// Calls a mask ROM function of up to six words.
pub fn rom(function: u32, a: [u32; 6]) -> u32 {
    // SAFETY: the address is that of a function with the C convention that takes at most six words; more are ignored.
    let function: extern "C" fn(u32, u32, u32, u32, u32, u32) -> u32 =
        unsafe { core::mem::transmute(function as usize) };
    function(a[0], a[1], a[2], a[3], a[4], a[5])
}

/// MD5 by the mask ROM. The context is that of its `MD5Init`: 88 bytes.
pub struct Md5([u32; 22]);

impl Md5 {
    /// Nothing hashed yet.
    pub fn new() -> Self {
        let mut md5 = Self([0; 22]);
        rom(CHIP.rom.md5_init, [md5.context(), 0, 0, 0, 0, 0]);
        md5
    }

    fn context(&mut self) -> u32 {
        self.0.as_mut_ptr() as u32
    }

    /// Hashes bytes in memory.
    pub fn update_bytes(&mut self, address: u32, len: u32) {
        let context = self.context();
        rom(CHIP.rom.md5_update, [context, address, len, 0, 0, 0]);
    }

    /// The digest.
    pub fn finish(mut self) -> [u8; 16] {
        let mut digest = [0_u8; 16];
        let context = self.context();
        rom(CHIP.rom.md5_final, [digest.as_mut_ptr() as u32, context, 0, 0, 0, 0]);
        digest
    }
}

/// Raises the processor's clock.
pub fn speed_up() {
    for step in CHIP.faster {
        modify(step.register, step.mask, step.value);
    }
    rom(CHIP.rom.update_cpu_frequency, [CHIP.cpu_mhz, 0, 0, 0, 0, 0]);
}

/// Waits.
pub fn delay_us(time: u32) {
    rom(CHIP.rom.delay_us, [time, 0, 0, 0, 0, 0]);
}
