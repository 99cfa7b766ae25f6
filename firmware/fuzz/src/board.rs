//! A board without hardware: a console fed from memory, a clock that runs only when the program waits or asks.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use larch_board::{Machine, Name};
use larch_hal::{BlockDevice, Board, Clock, Console, PinError, PinMode, Pins, Port, Pull, ResetCause};
use larch_heap::Region;
use larch_vm::vm::{INTERRUPTED, PENDING};

const HEAP_BYTES: usize = 128 * 1024;
/// Native stack that the interpreter may use; the threads of tests have 2 MB.
const NATIVE_STACK: usize = 1 << 20;
/// The longest output.
const OUTPUT_MAX: usize = 1 << 20;
/// After this long a program is stopped: a loop without end is a program's right.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a run ends other than by a panic.
enum End {
    /// All was typed, and the board waits for more.
    Waits,
    /// The program takes too long, prints too much, or switches the board off.
    Stopped,
}

/// What a board that runs for ever returns.
enum Never {}

fn end(how: End) -> ! {
    resume_unwind(Box::new(how))
}

thread_local! {
    static STACK_START: Cell<usize> = const { Cell::new(0) };
    static HEAP: NonNull<u8> = NonNull::from(Box::leak(vec![0_u64; HEAP_BYTES / 8].into_boxed_slice())).cast();
    static SAID: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[inline(never)]
fn address_of_local() -> usize {
    let local = 0_u8;
    std::ptr::addr_of!(local).addr()
}

/// A board that is typed at; what it prints. None if it had to be stopped.
///
/// # Panics
/// If the firmware does.
pub fn talk(typed: &[u8]) -> Option<String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    INTERRUPTED.store(false, Ordering::Relaxed);
    PENDING.store(false, Ordering::Relaxed);
    STACK_START.set(address_of_local());
    SAID.take();
    Watchdog::start();
    // The firmware borrows its board for ever.
    let board = Box::leak(Box::new(Desk { typed: typed.iter().copied().collect(), now_us: 0, random: 1 }));
    let run = move || {
        let board = board;
        larch_board::run(board)
    };
    let how = match catch_unwind::<_, Never>(AssertUnwindSafe(run)) {
        Ok(never) => match never {},
        Err(how) => how,
    };
    Watchdog::stop();
    match how.downcast::<End>() {
        Ok(how) => matches!(*how, End::Waits).then(|| String::from_utf8_lossy(&SAID.take()).into_owned()),
        Err(panic) => resume_unwind(panic),
    }
}

/// Makes the interpreter look up when a program has taken its time.
struct Watchdog;

/// When the program that runs is to be stopped, in milliseconds since the first one started; 0: none runs.
static DEADLINE_MS: AtomicU64 = AtomicU64::new(0);

impl Watchdog {
    fn start() {
        static THREAD: Once = Once::new();
        THREAD.call_once(|| {
            thread::spawn(|| {
                loop {
                    thread::sleep(Duration::from_millis(50));
                    if Self::is_late() {
                        PENDING.store(true, Ordering::Relaxed);
                    }
                }
            });
        });
        DEADLINE_MS.store(Self::now_ms() + PATIENCE.as_millis() as u64, Ordering::Relaxed);
    }

    fn stop() {
        DEADLINE_MS.store(0, Ordering::Relaxed);
    }

    fn now_ms() -> u64 {
        static FIRST: Mutex<Option<Instant>> = Mutex::new(None);
        let mut first = FIRST.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        first.get_or_insert_with(Instant::now).elapsed().as_millis() as u64
    }

    fn is_late() -> bool {
        let deadline = DEADLINE_MS.load(Ordering::Relaxed);
        deadline != 0 && Self::now_ms() > deadline
    }
}

struct Desk {
    typed: VecDeque<u8>,
    now_us: u64,
    random: u32,
}

impl Machine for Desk {
    const NAME: Name = Name { machine: "desk", platform: "fuzz", build: "FUZZ" };

    fn stack_room() -> usize {
        NATIVE_STACK.saturating_sub(STACK_START.get().saturating_sub(address_of_local()))
    }

    fn heap() -> Region {
        Region { start: HEAP.with(|heap| *heap), len: HEAP_BYTES }
    }

    fn poll() {
        if Watchdog::is_late() {
            end(End::Stopped);
        }
    }

    fn notice(&self) -> Option<&'static str> {
        None
    }

    fn soft_reset(&mut self) {}
}

impl Port for Desk {
    fn storage(&mut self) -> Option<&mut dyn BlockDevice> {
        None
    }
}

impl Console for Desk {
    fn read(&mut self) -> Option<u8> {
        self.typed.pop_front()
    }

    fn readable(&self) -> bool {
        !self.typed.is_empty()
    }

    fn write(&mut self, bytes: &[u8]) {
        let len = SAID.with_borrow_mut(|said| {
            said.extend_from_slice(bytes);
            said.len()
        });
        if len > OUTPUT_MAX {
            end(End::Stopped);
        }
    }

    fn flush(&mut self) {}

    fn set_interrupt_byte(&mut self, _byte: Option<u8>) {}

    fn interrupt_flag(&self) -> &'static AtomicBool {
        &INTERRUPTED
    }
}

impl Clock for Desk {
    fn ticks_us(&self) -> u64 {
        self.now_us
    }

    fn ticks_cpu(&self) -> u32 {
        self.now_us as u32
    }

    fn epoch_us(&self) -> u64 {
        1_700_000_000_000_000 + self.now_us
    }

    fn set_epoch_us(&mut self, _epoch_us: u64) {}

    fn idle(&mut self, deadline_us: Option<u64>) {
        match deadline_us {
            None if self.typed.is_empty() => end(End::Waits),
            None => {}
            Some(deadline_us) => {
                self.now_us = self.now_us.max(deadline_us);
                Self::poll();
            }
        }
    }
}

impl Pins for Desk {
    fn configure_pin(&mut self, _pin: u8, _mode: PinMode, _pull: Pull) -> Result<(), PinError> {
        Err(PinError::NoSuchPin)
    }

    fn pin_level(&self, _pin: u8) -> Result<bool, PinError> {
        Err(PinError::NoSuchPin)
    }

    fn set_pin_level(&mut self, _pin: u8, _high: bool) -> Result<(), PinError> {
        Err(PinError::NoSuchPin)
    }
}

impl Board for Desk {
    fn reset(&mut self) -> ! {
        end(End::Stopped)
    }

    fn enter_bootloader(&mut self) -> ! {
        end(End::Stopped)
    }

    fn reset_cause(&self) -> ResetCause {
        ResetCause::PowerOn
    }

    fn unique_id(&self) -> &[u8] {
        &[0; 6]
    }

    fn frequency_hz(&self) -> u32 {
        0
    }

    fn random(&mut self) -> u32 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.random
    }
}
