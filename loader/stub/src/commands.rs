//! The commands.

use crate::flash::{self, CHUNK};
use crate::hardware::{self, CHIP, Md5, delay_us, modify, read, rom};
use crate::serial::{BLOCK_HEAD, Flow, Serial};
use crate::stream::{self, Stream, Window};
use larch_stub::inflate::Inflate;
use larch_stub::protocol::{BLOCK, ECHO, SECTOR_DIGESTS, TRY_BAUD, error};

/// What the host waits for.
const GREETING: &[u8] = b"OHAI";
/// Microseconds between two looks at the UART while waiting for time to pass.
const LOOK_US: u32 = 20;

/// Everything that is too large for the stack. Zero is its initial state.
struct Memory {
    serial: Serial,
    inflate: Inflate,
    window: Window,
}

static mut MEMORY: core::mem::MaybeUninit<Memory> = core::mem::MaybeUninit::zeroed();

/// The start calls this once.
#[unsafe(no_mangle)]
extern "C" fn stub_main() -> ! {
    // SAFETY: called once, by the start, which zeroed it; all its fields are integers for which zero is a value, but for
    // `Flow`, which `begin` sets through the pointer before it is read.
    let memory = unsafe {
        let memory = &raw mut MEMORY;
        (*memory).assume_init_mut()
    };
    memory.serial.begin();
    hardware::speed_up();
    flash::begin();
    memory.serial.send_end();
    memory.serial.send_all(GREETING);
    memory.serial.send_end();
    let mut server = Server {
        serial: &mut memory.serial,
        inflate: &mut memory.inflate,
        window: &mut memory.window,
        baud: 0,
        memory_at: 0,
    };
    loop {
        server.serve();
    }
}

struct Server<'m> {
    serial: &'m mut Serial,
    inflate: &'m mut Inflate,
    window: &'m mut Window,
    /// The rate to go back to, if the present one is not confirmed.
    baud: u32,
    /// Where the next block for RAM goes.
    memory_at: u32,
}

impl Server<'_> {
    /// Waits for a command and does it.
    fn serve(&mut self) {
        let frame = self.serial.wait();
        let Some(opcode) = frame.opcode() else {
            self.serial.release();
            return;
        };
        let words = [frame.word(0), frame.word(1), frame.word(2), frame.word(3)];
        match opcode {
            // FLASH_DATA, FLASH_DEFL_DATA: what follows the end of a stream, acknowledged already.
            0x03 | 0x11 => self.serial.release(),
            0x02 => self.stream(opcode, 0x03, words),
            0x10 => self.stream(opcode, 0x11, words),
            0x07 => self.memory_data(words),
            0xD2 => self.read_flash(words),
            0x0F => self.change_baud(words[0]),
            TRY_BAUD => self.try_baud(words),
            ECHO => self.echo(),
            SECTOR_DIGESTS => self.sector_digests(words),
            0x0A => {
                self.serial.release();
                self.serial.respond(opcode, read(words[0]), &[], 0);
            }
            0x13 => {
                self.serial.release();
                let digest = flash::md5(self.serial, words[0], words[1]);
                self.serial.respond(opcode, 0, &digest, 0);
            }
            _ => {
                let code = self.simple(opcode, words);
                self.serial.release();
                self.serial.respond(opcode, 0, &[], code);
                if code == 0 {
                    self.leave(opcode, words);
                }
            }
        }
    }

    /// Commands that are done, then answered with nothing but success or an error.
    fn simple(&mut self, opcode: u8, words: [u32; 4]) -> u8 {
        match opcode {
            // SYNC, FLASH_END, MEM_END, FLASH_DEFL_END, RUN_USER_CODE
            0x08 | 0x04 | 0x06 | 0x12 | 0xD3 => self.serial.flow = Flow::Closed,
            // MEM_BEGIN: size, blocks, block size, address
            0x05 => {
                let end = words[3].wrapping_add(words[0]);
                if overlaps(words[3], end) {
                    return error::BAD_BLOCKSIZE;
                }
                self.memory_at = words[3];
            }
            0x09 => self.write_registers(),
            // SPI_SET_PARAMS: id, size, block, sector, page, mask
            0x0B => {
                let frame = self.serial.wait();
                let a = core::array::from_fn(|n| frame.word(n));
                rom(CHIP.rom.flash_config_param, a);
            }
            // SPI_ATTACH: pins
            0x0D => {
                rom(CHIP.rom.flash_attach, [words[0], 0, 0, 0, 0, 0]);
                flash::begin();
            }
            0xD0 => flash::erase_chip(self.serial),
            0xD1 => stream::erase_region(self.serial, words[0], words[1]),
            _ => return error::INVALID_COMMAND,
        }
        0
    }

    /// WRITE_REG: address, value, mask, microseconds; as often as there is room.
    fn write_registers(&mut self) {
        let frame = self.serial.wait();
        let count = frame.bytes().len() / 16;
        for n in (0..count * 4).step_by(4) {
            let [address, value, mask, delay] = core::array::from_fn(|i| frame.word(n + i));
            if delay > 0 {
                delay_us(delay);
            }
            if address != 0 {
                modify(address, mask, value);
            }
        }
    }

    /// Commands after which the stub is not there any more.
    fn leave(&mut self, opcode: u8, words: [u32; 4]) {
        match opcode {
            0x04 | 0x12 if words[0] == 0 => {}
            0xD3 => {}
            0x06 if words[0] == 0 && words[1] != 0 => {
                rom(CHIP.rom.uart_tx_wait_idle, [0; 6]);
                rom(words[1], [0; 6]);
                return;
            }
            _ => return,
        }
        rom(CHIP.rom.uart_tx_wait_idle, [0; 6]);
        rom(CHIP.rom.software_reset, [0; 6]);
    }

    /// FLASH_BEGIN, FLASH_DEFL_BEGIN: size, blocks, block size, offset. Then the blocks.
    fn stream(&mut self, begin: u8, data: u8, words: [u32; 4]) {
        let [size, _, block_size, offset] = words;
        self.serial.release();
        if block_size as usize > BLOCK {
            self.serial.respond(begin, 0, &[], error::BAD_BLOCKSIZE);
            return;
        }
        rom(CHIP.rom.flash_unlock, [0; 6]);
        flash::begin();
        self.serial.flow = Flow::Open(0);
        self.serial.respond(begin, 0, &[], 0);
        if size == 0 {
            return;
        }
        let mut stream = Stream::new(self.serial, self.window, data, offset, size);
        let result = if data == 0x11 { stream.inflate(self.inflate) } else { stream.copy() };
        stream::conclude(self.serial, &result);
    }

    /// MEM_DATA: length, number, then the bytes.
    fn memory_data(&mut self, words: [u32; 4]) {
        let frame = self.serial.wait();
        let data = frame.bytes().get(BLOCK_HEAD..).unwrap_or(&[]);
        let code = if data.len() != words[0] as usize {
            error::BAD_DATA_LEN
        } else if data.iter().fold(0xEF, |sum, byte| sum ^ byte) != frame.bytes()[4] {
            error::BAD_DATA_CHECKSUM
        } else {
            let to = core::ptr::with_exposed_provenance_mut::<u8>(self.memory_at as usize);
            for (n, &byte) in data.iter().enumerate() {
                // SAFETY: memory that the host named, and that is not ours (checked when it began).
                unsafe { to.add(n).write_volatile(byte) };
            }
            self.memory_at = self.memory_at.wrapping_add(words[0]);
            0
        };
        self.serial.release();
        self.serial.respond(0x07, 0, &[], code);
    }

    /// READ_FLASH: offset, size, packet, window of packets. Packets, each acknowledged by the number of bytes so far; MD5.
    fn read_flash(&mut self, [offset, size, packet, window]: [u32; 4]) {
        self.serial.release();
        self.serial.respond(0xD2, 0, &[], 0);
        let (packet, window) = (packet.max(1), window.max(1));
        let (mut sent, mut acknowledged, mut md5) = (0_u32, 0_u32, Md5::new());
        let mut given_up = false;
        flash::read_through(self.serial, offset, size, |serial, words, count| {
            md5.update_bytes(words.as_ptr() as u32, count);
            for n in 0..count {
                if sent % packet == 0 {
                    while sent.wrapping_sub(acknowledged) >= packet.saturating_mul(window) {
                        if !acknowledgement(serial, &mut acknowledged, true) {
                            given_up = true;
                            return false;
                        }
                    }
                    serial.send_end();
                }
                serial.send((words[n as usize / 4] >> (n % 4 * 8)) as u8);
                sent += 1;
                if sent % packet == 0 || sent == size {
                    serial.send_end();
                }
                if n % 16 == 0 {
                    serial.pump();
                }
            }
            acknowledgement(serial, &mut acknowledged, false)
        });
        while !given_up && acknowledged < size {
            given_up = !acknowledgement(self.serial, &mut acknowledged, true);
        }
        if !given_up {
            self.serial.send_end();
            let digest = md5.finish();
            self.serial.send_all(&digest);
            self.serial.send_end();
        }
    }

    /// SECTOR_DIGESTS: offset, count. Sent while the next ones are calculated.
    fn sector_digests(&mut self, [offset, count, ..]: [u32; 4]) {
        self.serial.release();
        let count = count.min(0xFFF);
        self.serial.respond_head(SECTOR_DIGESTS, 0, count as usize * 16);
        for n in 0..count {
            let digest = flash::md5(self.serial, offset + n * flash::SECTOR, flash::SECTOR);
            self.serial.send_all(&digest);
        }
        self.serial.respond_tail(0);
    }

    /// CHANGE_BAUDRATE: rate.
    fn change_baud(&mut self, baud: u32) {
        self.serial.release();
        self.serial.respond(0x0F, 0, &[], 0);
        if baud != 0 {
            self.serial.set_baud(baud);
        }
    }

    /// TRY_BAUD: rate, milliseconds, present rate.
    fn try_baud(&mut self, [baud, milliseconds, present, _]: [u32; 4]) {
        self.serial.release();
        if baud == 0 || present == 0 {
            self.serial.respond(TRY_BAUD, 0, &[], error::BAD_DATA_LEN);
            return;
        }
        self.baud = present;
        self.serial.respond(TRY_BAUD, 0, &[], 0);
        self.serial.set_baud(baud);
        let mut left = milliseconds.min(10_000) * (1000 / LOOK_US);
        while left > 0 {
            self.serial.pump();
            match self.serial.frame().and_then(|frame| frame.opcode()) {
                // CHANGE_BAUDRATE confirms.
                Some(0x0F) => {
                    self.serial.release();
                    self.serial.respond(0x0F, 0, &[], 0);
                    return;
                }
                Some(ECHO) => self.echo(),
                Some(_) => self.serial.release(),
                None if self.serial.frame().is_some() => self.serial.release(),
                None => {
                    delay_us(LOOK_US);
                    left -= 1;
                }
            }
        }
        self.serial.set_baud(self.baud);
    }

    /// ECHO: any bytes.
    fn echo(&mut self) {
        let len = self.serial.wait().bytes().len();
        self.serial.respond_head(ECHO, 0, len - 8);
        for n in 8..len {
            let byte = self.serial.frame().map_or(0, |frame| frame.bytes()[n]);
            self.serial.send(byte);
            if n % CHUNK as usize == 0 {
                self.serial.pump();
            }
        }
        self.serial.release();
        self.serial.respond_tail(0);
    }
}

/// Takes acknowledgements; waits for one if `must`. False if something else came.
fn acknowledgement(serial: &mut Serial, acknowledged: &mut u32, must: bool) -> bool {
    serial.pump();
    if must {
        serial.wait();
    }
    while let Some(frame) = serial.frame() {
        let Ok(bytes) = <[u8; 4]>::try_from(frame.bytes()) else { return false };
        *acknowledged = u32::from_le_bytes(bytes);
        serial.release();
    }
    true
}

/// Whether addresses are those of the stub itself.
fn overlaps(start: u32, end: u32) -> bool {
    [CHIP.code, CHIP.data].iter().any(|own| start < own.end && own.start < end)
}
