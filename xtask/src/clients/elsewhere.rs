//! Boards of other machines, as far as one machine can show it: a port shared by `cargo xtask serve`'s server and used by
//! esptool and pySerial, a port shared by ser2net, and a place reserved through labgrid; the harness talks to the last two.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use hil_tests::lab::Lab;
use hil_tests::session::Session;
use hil_tests::share::share;
use hil_tests::target::labgrid;
use hil_tests::target::serial::Serial;
use larch_boards::{Board, Port, Reset};
use larch_emulator::serve::Endpoint;
use xshell::Shell;

use super::process::{Served, Tool};
use super::{MAC, await_prompt};
use crate::progress;
use crate::{ready, venv};

/// How long a server may take until it listens.
const LISTEN_LIMIT: Duration = Duration::from_secs(30);
/// How long the exporter may take until the coordinator knows its port.
const EXPORT_LIMIT: Duration = Duration::from_secs(90);
/// The coordinator's usual port and a bit, so that one that runs here is not disturbed.
const COORDINATOR: &str = "127.0.0.1:20418";

/// pySerial's own client opens the port, sets both lines, and sees the ROM's boot message.
const PYSERIAL: &str = "\
import serial, sys, time
port = serial.serial_for_url(sys.argv[1], 115200, timeout=1)
port.dtr = False; port.rts = True; time.sleep(0.2); port.reset_input_buffer(); port.rts = False
end = time.time() + 20; text = b''
while b'ESP-ROM:esp32c3' not in text and time.time() < end: text += port.read(64)
print(text.decode(errors='replace')); sys.exit(0 if b'ESP-ROM:esp32c3' in text else 1)
";

/// All of it; what is not installed is said and left out.
pub(crate) fn run(lab: &Lab) -> Result<()> {
    let board = lab.boards.default_board().clone();
    ready::make_ready(lab, &board, &|_| {})?;
    let directory = lab.directory().join("elsewhere");
    fs::create_dir_all(&directory)?;
    let flash = directory.join("flash.bin");
    fs::copy(lab.flashed(&board, &lab.image_digest(board.chip)), &flash)?;
    shared(lab, &board, &flash)?;
    // labgrid's exporter takes only what is below /dev.
    let link = PathBuf::from(format!("/dev/shm/larch-tty-{}", std::process::id()));
    let mut served = Served::start(&board, &["--pty", &link.display().to_string(), "--flash"], &flash)?;
    await_prompt(&served.address)?;
    if Command::new("ser2net").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!(
            "   skipped: ser2net is not installed (Debian: apt install ser2net); labgrid needs it as well"
        );
    } else {
        ser2net(&board, &directory, &link)?;
        labgrid(lab, &board, &directory, &link)?;
    }
    served.stop()
}

/// Our own server between an emulated board and other people's clients.
fn shared(lab: &Lab, board: &Board, flash: &Path) -> Result<()> {
    let programs = venv::ensure(&Shell::new()?, &lab.target, super::PACKAGES)?;
    let mut served = Served::start(board, &["--rfc2217", "0", "--flash"], flash)?;
    let from = served.address.clone();
    let (send, address) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let server = thread::spawn(move || {
        let mut endpoint = Endpoint::rfc2217_at((Ipv4Addr::LOCALHOST, 0).into())?;
        // Without a listener there is nobody to serve.
        let _ = send.send(endpoint.address().to_owned());
        let mut open = || larch_loader::ports::open(&from, 115_200).map_err(std::io::Error::other);
        share(&mut open, &mut endpoint, &told, &mut |_| {})
    });
    let address = address.recv_timeout(LISTEN_LIMIT).context("the server does not begin")?;
    let tool = |name: &str, arguments: &[&str]| {
        Tool { program: programs.join(name), limit: Duration::from_secs(120) }.run(arguments)
    };
    let clients = || -> Result<()> {
        let said = tool("esptool", &["--port", &address, "--baud", "460800", "chip-id"])?;
        ensure!(said.text.to_lowercase().contains(MAC), "esptool reads another MAC:\n{}", said.text);
        progress::step("serve", "esptool chip-id, reset by control lines", Some(said.time));
        let said = tool("python", &["-c", PYSERIAL, &address])?;
        progress::step("serve", "pySerial resets the board and reads its boot message", Some(said.time));
        Ok(())
    };
    let ended = clients();
    stop.store(true, Ordering::Relaxed);
    server.join().map_err(|_| anyhow!("the server failed"))??;
    ended?;
    served.stop()
}

fn ser2net(board: &Board, directory: &Path, link: &Path) -> Result<()> {
    let port = free_port()?;
    let file = directory.join("ser2net.yaml");
    let text = format!(
        "connection: &board\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  connector: serialdev,{},115200n81,local\n",
        link.display()
    );
    fs::write(&file, text)?;
    let _server =
        Server::start(Command::new("ser2net").arg("-d").arg("-c").arg(&file), directory, "ser2net")?;
    let start = Instant::now();
    let address = format!("127.0.0.1:{port}");
    listens(&address)?;
    talk(board, Port::Rfc2217(address))?;
    progress::step("ser2net", "the harness talks to a board behind it", Some(start.elapsed()));
    Ok(())
}

/// Coordinator, exporter and client on loopback: a place is acquired, used, given back.
fn labgrid(lab: &Lab, board: &Board, directory: &Path, link: &Path) -> Result<()> {
    let programs = venv::ensure(&Shell::new()?, &lab.target, &["labgrid"])?;
    let start = Instant::now();
    let program = |name: &str| Command::new(programs.join(name));
    let _coordinator = Server::start(
        program("labgrid-coordinator").args(["-l", COORDINATOR]).current_dir(directory),
        directory,
        "coordinator",
    )?;
    listens(COORDINATOR)?;
    let file = directory.join("exporter.yaml");
    fs::write(&file, format!("board:\n  RawSerialPort:\n    port: {}\n    speed: 115200\n", link.display()))?;
    let options = ["-c", COORDINATOR, "--name", "here", "--hostname", "127.0.0.1"];
    let _exporter =
        Server::start(program("labgrid-exporter").args(options).arg(&file), directory, "exporter")?;
    let client = |words: &[&str]| {
        let mut arguments = vec!["-x", COORDINATOR, "-p", "shelf"];
        arguments.extend(words);
        let tool = Tool { program: programs.join("labgrid-client"), limit: Duration::from_secs(90) };
        tool.run(&arguments).map(|said| said.text)
    };
    let appeared = Instant::now();
    while !client(&["resources"])?.contains("NetworkSerialPort") {
        ensure!(
            appeared.elapsed() < EXPORT_LIMIT,
            "the exporter exports nothing; see {}",
            directory.display()
        );
        thread::sleep(Duration::from_millis(300));
    }
    client(&["create"])?;
    client(&["add-match", "here/board/*"])?;
    let used = talk(board, Port::Labgrid { place: "shelf".into(), coordinator: Some(COORDINATOR.into()) });
    let held = client(&["show"])?;
    labgrid::release_all();
    used?;
    let is_ours = |shown: &str| {
        shown.lines().any(|line| line.trim_start().starts_with("acquired: ") && !line.contains("None"))
    };
    ensure!(is_ours(&held), "the place was not acquired while it was used:\n{held}");
    let after = client(&["show"])?;
    ensure!(!is_ours(&after), "the place was not given back:\n{after}");
    progress::step("labgrid", "a place acquired, its exported port used, given back", Some(start.elapsed()));
    Ok(())
}

/// The harness at the prompt of a board behind a port.
fn talk(board: &Board, port: Port) -> Result<()> {
    // A pseudo-terminal has no control lines.
    let board = Board { port, reset: Reset::Manual, ..board.clone() };
    let mut console = Serial::open(&board)?;
    let mut session = Session::new(&mut console);
    session.boot()?;
    let said = session.ask("6 * 7")?;
    ensure!(said == "42", "the board behind {} says {said:?}", board.port);
    Ok(())
}

/// Waits until somebody listens there. A listener that serves one client must not see us: the system is asked.
fn listens(address: &str) -> Result<()> {
    let port: u16 = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).context("no port")?;
    let wanted = format!(":{port:04X} ");
    let start = Instant::now();
    while start.elapsed() < LISTEN_LIMIT {
        let sockets: String = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok())
            .collect();
        let listening = |line: &str| {
            let mut words = line.split_whitespace().skip(1);
            let (local, state) = (words.next(), words.nth(1));
            local.is_some_and(|local| format!("{local} ").ends_with(&wanted)) && state == Some("0A")
        };
        if sockets.lines().any(listening) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("nobody listens on {address}")
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Somebody else's server, ended with this.
struct Server(Child);

impl Server {
    fn start(command: &mut Command, directory: &Path, name: &str) -> Result<Self> {
        let log = fs::File::create(directory.join(format!("{name}.log")))?;
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        Ok(Self(child.with_context(|| format!("cannot start {name}"))?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        // labgrid's exporter ends its ser2net only when it is asked to end.
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::INT);
        }
        for _ in 0..50 {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
