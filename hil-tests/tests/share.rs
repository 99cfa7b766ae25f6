//! A port that is shared: by this harness's own client, through control lines, lost and found again.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hil_tests::share::{News, share};
use larch_emulator::serve::Endpoint;
use larch_loader::transport::{Lines, Transport, open};

/// What a port was told, and whether it is there.
#[derive(Default)]
struct Told {
    lines: Vec<Lines>,
    baud: Vec<u32>,
    echo: VecDeque<u8>,
    gone: bool,
}

/// A port that echoes.
struct Port(Arc<Mutex<Told>>);

impl Port {
    fn there(&self) -> io::Result<std::sync::MutexGuard<'_, Told>> {
        let told = self.0.lock().unwrap();
        if told.gone { Err(io::Error::other("unplugged")) } else { Ok(told) }
    }
}

impl Transport for Port {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let mut told = self.there()?;
        let count = buf.len().min(told.echo.len());
        for (to, from) in buf.iter_mut().zip(told.echo.drain(..count)) {
            *to = from;
        }
        drop(told);
        if count == 0 {
            thread::sleep(timeout);
        }
        Ok(count)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.there()?.echo.extend(bytes);
        Ok(())
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.there()?.baud.push(baud);
        if baud > 1_000_000 { Err(io::Error::other("too fast")) } else { Ok(()) }
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.there()?.lines.push(lines);
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.there()?.echo.clear();
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        thread::sleep(duration);
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

struct Shared {
    told: Arc<Mutex<Told>>,
    news: Arc<Mutex<Vec<News>>>,
    address: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Shared {
    fn start() -> Self {
        let (told, news) = (Arc::<Mutex<Told>>::default(), Arc::<Mutex<Vec<News>>>::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (send, address) = std::sync::mpsc::channel();
        let (port, heard, stopped) = (Arc::clone(&told), Arc::clone(&news), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut endpoint = Endpoint::rfc2217_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
            send.send(endpoint.address().to_owned()).unwrap();
            let mut open = || {
                if port.lock().unwrap().gone {
                    return Err(io::Error::other("unplugged"));
                }
                Ok(Box::new(Port(Arc::clone(&port))) as Box<dyn Transport>)
            };
            share(&mut open, &mut endpoint, &stopped, &mut |news| heard.lock().unwrap().push(news.clone()))
                .unwrap();
        });
        Self { told, news, address: address.recv().unwrap(), stop, thread: Some(thread) }
    }

    fn until(&self, holds: impl Fn(&Told, &[News]) -> bool) {
        let start = Instant::now();
        while !holds(&self.told.lock().unwrap(), &self.news.lock().unwrap()) {
            assert!(start.elapsed() < Duration::from_secs(10), "{:?}", self.news.lock().unwrap());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn says(port: &mut dyn Transport, wanted: &[u8]) {
    let start = Instant::now();
    let mut heard: Vec<u8> = Vec::new();
    while heard != wanted {
        assert!(start.elapsed() < Duration::from_secs(10), "{heard:?}");
        let mut buf = [0; 64];
        let count = port.read(&mut buf, Duration::from_millis(50)).unwrap();
        heard.extend(&buf[..count]);
    }
}

#[test]
fn bytes_speed_and_control_lines_pass() {
    let shared = Shared::start();
    let mut port = open(&shared.address, 115_200).unwrap();
    port.write_all(b"a\xffb\r\n").unwrap();
    says(port.as_mut(), b"a\xffb\r\n");
    port.set_baud(460_800).unwrap();
    port.set_lines(Lines { dtr: false, rts: true }).unwrap();
    port.set_lines(Lines { dtr: true, rts: false }).unwrap();
    shared.until(|told, _| {
        told.baud.contains(&460_800) && told.lines.last() == Some(&Lines { dtr: true, rts: false })
    });
    // Both asserted is what a reset circuit ignores: it must not stand between reset and download.
    let lines = shared.told.lock().unwrap().lines.clone();
    assert!(!lines.contains(&Lines { dtr: true, rts: true }), "{lines:?}");
    drop(port);
    shared.until(|told, _| told.lines.last() == Some(&Lines::default()));
}

#[test]
fn a_port_that_was_unplugged_comes_back_to_the_same_client() {
    let shared = Shared::start();
    let mut port = open(&shared.address, 115_200).unwrap();
    port.set_baud(2_000_000).unwrap();
    shared.until(|_, news| news.iter().any(|news| matches!(news, News::Refused(_))));
    shared.told.lock().unwrap().gone = true;
    shared.until(|_, news| news.contains(&News::Lost("unplugged".into())));
    shared.told.lock().unwrap().gone = false;
    shared.until(|_, news| news.contains(&News::Back));
    port.write_all(b"again").unwrap();
    says(port.as_mut(), b"again");
}

#[test]
fn a_port_that_is_not_there_is_an_error_at_once() {
    let mut endpoint = Endpoint::rfc2217(0).unwrap();
    let mut open = || Err(io::Error::new(io::ErrorKind::NotFound, "no such port"));
    let error = share(&mut open, &mut endpoint, &AtomicBool::new(false), &mut |_| {}).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}
