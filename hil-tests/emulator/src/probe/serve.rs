//! The probe behind a TCP socket, one client at a time.
//!
//! While the processor runs and no command comes, simulated time passes as fast as the host can compute it, so that a client
//! that waits for a flash algorithm does not wait for real milliseconds.

use super::{Probe, Target};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Simulated time between two looks at the socket.
const SLICE: Duration = Duration::from_millis(1);
/// How long to wait for a command while nothing runs, and for a client.
const PAUSE: Duration = Duration::from_millis(1);
const BUFFER: usize = 64 * 1024;

/// Serves one client after the other until `stop` is set.
///
/// # Errors
/// If the listener fails. A client that fails is let go.
pub fn serve(
    probe: &mut Probe,
    target: &mut dyn Target,
    listener: &TcpListener,
    stop: &AtomicBool,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Err(error) = serve_client(probe, target, &stream, stop) {
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
    stop: &AtomicBool,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut buffer = vec![0; BUFFER];
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                let answer = probe.feed(target, &buffer[..count]).map_err(io::Error::other)?;
                send(stream, &answer)?;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && target.is_running() => target.pass(SLICE),
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait(stream)?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
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
