//! The probe behind a TCP socket, one client at a time.
//!
//! While the processor runs and no command comes, simulated time passes as fast as the host can compute it, so that a client
//! that waits for a flash algorithm does not wait for real milliseconds.

use super::{Probe, SwdFaults, Target};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Simulated time between two looks at the socket: what a client that reads memory waits for while a program computes. It grows as
/// long as the host needs no time for it: the program waits, for the flash or for a terminal.
const SLICE: Duration = Duration::from_micros(100);
const LONG_SLICE: Duration = Duration::from_millis(5);
const NO_TIME: Duration = Duration::from_micros(50);
/// Looks at the socket before it is waited for, a tenth of a millisecond: who flashes sends the next command at once, and a core that
/// goes to sleep in between costs a virtual machine more than the command itself.
const LOOKS: u32 = 200;
/// How long to wait for a command while nothing runs, and for a client.
const PAUSE: Duration = Duration::from_millis(1);
const BUFFER: usize = 64 * 1024;

/// What the server's thread and others know.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Simulated time, in nanoseconds.
    now: AtomicU64,
}

/// A board at a probe that is served on a port of this machine, by a thread of its own.
#[derive(Debug)]
pub struct Served<B> {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: Option<JoinHandle<(B, u64, io::Result<()>)>>,
}

impl<B: Target + Send + 'static> Served<B> {
    /// Starts to serve the board's probe, whose wire has these faults, on any free port.
    ///
    /// # Errors
    /// There is no port.
    pub fn start(board: B, faults: SwdFaults) -> io::Result<Self> {
        Self::start_at(board, faults, 0)
    }

    /// The same on this port; 0 takes a free one.
    ///
    /// # Errors
    /// The port is taken.
    pub fn start_at(mut board: B, faults: SwdFaults, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let known = Arc::clone(&shared);
        let server = std::thread::spawn(move || {
            let mut probe = Probe::new(faults);
            let outcome = serve(&mut probe, &mut board, &listener, &known);
            (board, probe.transfers(), outcome)
        });
        Ok(Self { address, shared, server: Some(server) })
    }

    /// Where clients find the probe.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The board's time.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.shared.now.load(Ordering::Relaxed))
    }

    /// Takes the board back; and the number of transfers on its wire.
    ///
    /// # Errors
    /// The port failed.
    pub fn stop(mut self) -> io::Result<(B, u64)> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let server = self.server.take().ok_or_else(|| io::Error::other("it was stopped"))?;
        let (board, transfers, outcome) =
            server.join().map_err(|_| io::Error::other("the emulated probe failed"))?;
        outcome.map(|()| (board, transfers))
    }
}

impl<B> Drop for Served<B> {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(server) = self.server.take() {
            // Nobody wants the board any more.
            let _ = server.join();
        }
    }
}

/// Serves one client after the other until it is told to stop. A client that fails is let go.
fn serve(
    probe: &mut Probe,
    target: &mut dyn Target,
    listener: &TcpListener,
    shared: &Shared,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    while !shared.stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Err(error) = serve_client(probe, target, &stream, shared) {
                    tracing::info!("the probe's client: {error}");
                }
                probe.hang_up();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn serve_client(
    probe: &mut Probe,
    target: &mut dyn Target,
    mut stream: &TcpStream,
    shared: &Shared,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut buffer = vec![0; BUFFER];
    let mut slice = SLICE;
    let mut looks = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                looks = 0;
                let answer = probe.feed(target, &buffer[..count]).map_err(io::Error::other)?;
                send(stream, &answer)?;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && target.is_running() => {
                let start = Instant::now();
                target.pass(slice);
                slice = if start.elapsed() < NO_TIME { (slice * 2).min(LONG_SLICE) } else { SLICE };
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && looks < LOOKS => {
                looks += 1;
                std::thread::yield_now();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait(stream)?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        let now = u64::try_from(target.now().as_nanos()).unwrap_or(u64::MAX);
        shared.now.store(now, Ordering::Relaxed);
    }
    Ok(())
}

/// Waits a little for the next command.
fn wait(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PAUSE))?;
    let looked = stream.peek(&mut [0]);
    stream.set_nonblocking(true)?;
    match looked {
        Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(error),
        _ => Ok(()),
    }
}

fn send(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.write_all(bytes)?;
    stream.set_nonblocking(true)
}
