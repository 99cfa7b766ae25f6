//! The network of the emulated board: bytes a second of simulated time, instructions a byte, and what long runs leave behind.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use hil_tests::lab::Lab;
use hil_tests::scenario::Scenario;
use hil_tests::session::Session;
use hil_tests::target::air::Forwards;
use hil_tests::target::emulated::Emulated;
use sha2::{Digest as _, Sha256};

use crate::{ready, workspace};

/// What a way must carry, in bytes a second of simulated time.
const BYTES_PER_S: f64 = 1_000_000.0;
/// How soon an open network must be entered.
const CONNECT_S: f64 = 2.0;
/// What must be free for Python with Wi-Fi and a connection.
const HEAP_BYTES: u32 = 90_000;
/// Longest run of one line, in simulated time.
const LIMIT: Duration = Duration::from_secs(3600);

/// The network of the emulated board.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A tenth of everything, to see that it works
    #[arg(long)]
    short: bool,
}

/// Typed once. Every function answers with what went wrong, with microseconds, and with something to be compared.
const PROGRAM: &str = r"
import network, socket, time, gc, hashlib
wlan = network.WLAN()
def join(name, *key):
    start = time.ticks_us()
    wlan.active(True)
    wlan.connect(name, *key)
    while not wlan.isconnected():
        time.sleep_ms(1)
    return 0, time.ticks_diff(time.ticks_us(), start), ''

def join_open(_):
    return join('open-lab')

def join_wpa2(_):
    wlan.disconnect()
    return join('telenet-7T892F', 'nofreewififoryou!')

def free():
    gc.collect()
    return gc.mem_free()

def heap(_):
    s = socket.socket()
    s.connect((wlan.ifconfig()[2], 7))
    left = free()
    s.close()
    return 0, 0, left

buffer = bytearray(4096)
view = memoryview(buffer)
def request(count):
    s = socket.socket()
    s.connect(('192.168.0.1', 80))
    s.write(b'GET /bytes/%d HTTP/1.0\r\n\r\n' % count)
    while s.readline() != b'\r\n':
        pass
    return s

def receive(count):
    s = request(count)
    start, left = time.ticks_us(), count
    while left:
        got = s.readinto(view[:left])
        if not got:
            break
        left -= got
    spent = time.ticks_diff(time.ticks_us(), start)
    s.close()
    return left, spent, ''

def compare(count):
    s = request(count)
    start, left, digest = time.ticks_us(), count, hashlib.sha256()
    while left:
        got = s.readinto(view[:left])
        if not got:
            break
        digest.update(view[:got])
        left -= got
    spent = time.ticks_diff(time.ticks_us(), start)
    s.close()
    return left, spent, digest.digest().hex()

def send(count):
    s = socket.socket()
    s.connect(('192.168.0.1', 9))
    s.write(b'%d\n' % count)
    for at in range(len(buffer)):
        buffer[at] = at * 7 & 255
    start, left = time.ticks_us(), count
    while left:
        part = view[:left]
        s.write(part)
        left -= len(part)
    answer = s.readline().strip().decode()
    spent = time.ticks_diff(time.ticks_us(), start)
    s.close()
    return 0, spent, answer

def connections(count):
    def one(n):
        s = socket.socket()
        s.connect(('192.168.0.1', 7))
        s.write(b'%d' % n)
        got = s.recv(20)
        s.close()
        return got == b'%d' % n
    for n in range(20):
        one(n)
    before, start = free(), time.ticks_us()
    bad = 0
    for n in range(count):
        if not one(n):
            bad += 1
    return bad, time.ticks_diff(time.ticks_us(), start), before - free()

def joins(count):
    def one():
        wlan.disconnect()
        while wlan.isconnected():
            time.sleep_ms(1)
        wlan.connect()
        end = time.ticks_ms() + 20000
        while not wlan.isconnected():
            if time.ticks_ms() > end:
                return False
            time.sleep_ms(1)
        return True
    for n in range(3):
        one()
    before, start = free(), time.ticks_us()
    bad = 0
    for n in range(count):
        if not one():
            bad += 1
    return bad, time.ticks_diff(time.ticks_us(), start), before - free()

def tls_heap(_):
    import ssl
    s = socket.socket()
    s.connect(('192.168.0.1', 443))
    start = time.ticks_us()
    s = ssl.wrap_socket(s)
    spent = time.ticks_diff(time.ticks_us(), start)
    left = free()
    s.close()
    return 0, spent, left

";

pub(super) fn run(lab: &Lab, arguments: &Arguments) -> Result<()> {
    let board = workspace::board(lab, None)?;
    ready::make_ready(lab, &board, &|_| {})?;
    let mut emulated = lab.emulated_board(&board, false, Forwards::Ignore)?;
    emulated.board().load_flash(&lab.flashed(&board, &lab.image_digest(board.chip))).context("flash")?;
    let mut session = Session::new(&mut emulated);
    session.boot()?;
    session.run(&Scenario::parse("bench/net", PROGRAM).map_err(anyhow::Error::msg)?)?;
    let share = if arguments.short { 10 } else { 1 };
    resources(&mut emulated)?;
    let bytes = 20_000_000 / share;
    let received = speed(&mut emulated, "receive", bytes, "")?;
    let compared = speed(&mut emulated, "compare", bytes, &digest((0..bytes).map(given)))?;
    let taken = digest((0..bytes).map(|at| (at % 4096 * 7) as u8));
    let sent = speed(&mut emulated, "send", bytes, &taken)?;
    println!("   with SHA-256 of what arrives, on the board: {:.2} MB/s", compared / 1e6);
    for (what, count) in [("connections", 3000 / share), ("joins", 300 / share)] {
        leaves_nothing(&mut emulated, what, count)?;
    }
    change_air(&mut emulated, "10 %")?;
    let bytes = bytes / 10;
    speed(&mut emulated, "compare", bytes, &digest((0..bytes).map(given)))?;
    speed(&mut emulated, "send", bytes, &digest((0..bytes).map(|at| (at % 4096 * 7) as u8)))?;
    println!("   these two with 10 % of the frames lost");
    ensure!(received >= BYTES_PER_S && sent >= BYTES_PER_S, "slower than {BYTES_PER_S} bytes a second");
    Ok(())
}

/// How soon a board that was just switched on is in an open network, and what is left of the heap.
fn resources(emulated: &mut Emulated) -> Result<()> {
    let open = measure(emulated, "join_open", 0)?.seconds;
    let heap = measure(emulated, "heap", 0)?.last;
    let wpa2 = measure(emulated, "join_wpa2", 0)?.seconds;
    let tls = measure(emulated, "tls_heap", 0)?;
    println!("   connected after {open:.2} s (open, from active on), {wpa2:.2} s (WPA2)");
    println!(
        "   heap free beside this program with Wi-Fi and a connection: {heap} bytes; with TLS: {}",
        tls.last
    );
    println!("   TLS handshake: {:.2} s", tls.seconds);
    ensure!(open < CONNECT_S, "an open network takes longer than {CONNECT_S} s");
    ensure!(
        heap.parse::<u32>().is_ok_and(|free| free >= HEAP_BYTES),
        "less than {HEAP_BYTES} bytes are free"
    );
    Ok(())
}

fn leaves_nothing(emulated: &mut Emulated, what: &str, count: u32) -> Result<()> {
    let run = measure(emulated, what, count)?;
    println!(
        "   {what:<12} {count}: {} failed, {:.3} s each, {} bytes of the Python heap more than before",
        run.bad,
        run.seconds / f64::from(count),
        run.last
    );
    ensure!(run.bad == 0, "{what} failed");
    ensure!(run.last.parse::<i64>().is_ok_and(|lost| lost < 200), "{what} leave memory behind");
    Ok(())
}

/// Byte `at` of what the web server gives. Source: `larch-emulator`'s `net/http.rs`.
fn given(at: u32) -> u8 {
    at.wrapping_mul(2_654_435_761).to_be_bytes()[0]
}

fn digest(bytes: impl Iterator<Item = u8>) -> String {
    let bytes: Vec<u8> = bytes.collect();
    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Run {
    /// What went wrong, in whatever the function counts.
    bad: u32,
    seconds: f64,
    last: String,
    instructions: u64,
}

/// Calls a function of the program.
fn measure(emulated: &mut Emulated, function: &str, count: u32) -> Result<Run> {
    let before = emulated.board().chip().cpu().instructions();
    let said = {
        let mut session = Session::new(emulated);
        let text = format!("# timeout: {} s\n{function}({count})\n", LIMIT.as_secs());
        let begun = session.transcript().len();
        session.run(&Scenario::parse("bench/net", &text).map_err(anyhow::Error::msg)?)?;
        session.transcript()[begun..].to_owned()
    };
    let instructions = emulated.board().chip().cpu().instructions() - before;
    let answer = said.lines().find_map(|line| line.trim().strip_prefix('(')?.strip_suffix(')'));
    let Some(answer) = answer else { bail!("{function}({count}) did not answer:\n{said}") };
    let mut parts = answer.split(", ");
    let mut next = || parts.next().unwrap_or_default().trim_matches('\'').to_owned();
    let (bad, us, last) = (next(), next(), next());
    let number = |text: &str| text.parse::<u32>().with_context(|| format!("{function}({count}): {answer}"));
    Ok(Run { bad: number(&bad)?, seconds: f64::from(number(&us)?) / 1e6, last, instructions })
}

/// Moves bytes one way, and compares what the function says of them: bytes a second.
fn speed(emulated: &mut Emulated, function: &str, bytes: u32, expected: &str) -> Result<f64> {
    let run = measure(emulated, function, bytes)?;
    ensure!(run.bad == 0 && run.last == expected, "{function}: the bytes are not those that were sent");
    let rate = f64::from(bytes) / run.seconds;
    println!(
        "   {function:<12} {:.1} MB: {:.2} MB/s of simulated time, {:.0} instructions a byte",
        f64::from(bytes) / 1e6,
        rate / 1e6,
        run.instructions as f64 / f64::from(bytes)
    );
    Ok(rate)
}

fn change_air(emulated: &mut Emulated, loss: &str) -> Result<()> {
    let mut session = Session::new(emulated);
    let text = format!("# ap: loss = {loss}\n");
    Ok(session.run(&Scenario::parse("bench/net", &text).map_err(anyhow::Error::msg)?)?)
}
