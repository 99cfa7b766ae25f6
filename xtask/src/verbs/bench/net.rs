//! The network of the emulated board: bytes a second of simulated time, instructions a byte, and what long runs leave behind.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use hil_tests::lab::Lab;
use hil_tests::scenario::Scenario;
use hil_tests::session::Session;
use hil_tests::target::air::Forwards;
use hil_tests::target::emulated::Emulated;

use crate::{ready, workspace};

/// What a way must carry, in bytes a second of simulated time.
const BYTES_PER_S: f64 = 1_000_000.0;
/// Longest run of one line, in simulated time.
const LIMIT: Duration = Duration::from_secs(3600);

/// The network of the emulated board.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A tenth of everything, to see that it works
    #[arg(long)]
    short: bool,
}

/// Typed once. Times are microseconds.
const PROGRAM: &str = r"
import network, socket, time, gc, hashlib
wlan = network.WLAN()
wlan.active(True)
wlan.connect('telenet-7T892F', 'nofreewififoryou!')
# wait-until: wlan.isconnected()  (20 s)
buffer = bytearray(4096)
view = memoryview(buffer)
def receive(count):
    s = socket.socket()
    s.connect(('192.168.0.1', 80))
    s.write(b'GET /bytes/%d HTTP/1.0\r\n\r\n' % count)
    while s.readline() != b'\r\n':
        pass
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
    start, left, digest = time.ticks_us(), count, hashlib.sha256()
    while left:
        part = view[:left]
        s.write(part)
        digest.update(part)
        left -= len(part)
    answer = s.readline().strip().decode()
    spent = time.ticks_diff(time.ticks_us(), start)
    s.close()
    return 0 if answer == digest.digest().hex() else 1, spent, answer

def free():
    gc.collect()
    return gc.mem_free()

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
    let bytes = 20_000_000 / share;
    let (received, digest) = speed(&mut emulated, "receive", bytes)?;
    let again = measure(&mut emulated, "receive", bytes)?;
    ensure!(again.last == digest, "what was received is not twice the same");
    let (sent, _) = speed(&mut emulated, "send", bytes)?;
    for (what, count) in [("connections", 3000 / share), ("joins", 300 / share)] {
        let run = measure(&mut emulated, what, count)?;
        println!(
            "   {what:<12} {count}: {} failed, {:.3} s each, {} bytes of the Python heap more than before",
            run.bad,
            run.seconds / f64::from(count),
            run.last
        );
        ensure!(run.bad == 0, "{what} failed");
        ensure!(run.last.parse::<i64>().is_ok_and(|lost| lost < 200), "{what} leave memory behind");
    }
    change_air(&mut emulated, "10 %")?;
    for what in ["receive", "send"] {
        let run = measure(&mut emulated, what, bytes / 10)?;
        ensure!(run.bad == 0, "{what} with lost frames: the bytes are not those that were sent");
        println!(
            "   {what:<12} with 10 % of the frames lost: {:.2} MB/s",
            f64::from(bytes / 10) / run.seconds / 1e6
        );
    }
    ensure!(received >= BYTES_PER_S && sent >= BYTES_PER_S, "slower than {BYTES_PER_S} bytes a second");
    Ok(())
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

/// Moves bytes one way: bytes a second, and what the function said of them.
fn speed(emulated: &mut Emulated, function: &str, bytes: u32) -> Result<(f64, String)> {
    let run = measure(emulated, function, bytes)?;
    ensure!(run.bad == 0, "{function}: the bytes are not those that were sent");
    let rate = f64::from(bytes) / run.seconds;
    println!(
        "   {function:<12} {:.1} MB: {:.2} MB/s of simulated time, {:.0} instructions a byte (SHA-256 and idle time included)",
        f64::from(bytes) / 1e6,
        rate / 1e6,
        run.instructions as f64 / f64::from(bytes)
    );
    Ok((rate, run.last))
}

fn change_air(emulated: &mut Emulated, loss: &str) -> Result<()> {
    let mut session = Session::new(emulated);
    let text = format!("# ap: loss = {loss}\n");
    Ok(session.run(&Scenario::parse("bench/net", &text).map_err(anyhow::Error::msg)?)?)
}
