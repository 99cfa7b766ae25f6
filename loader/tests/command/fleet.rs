//! Several boards at once.

use crate::board::Server;
use crate::larch_loader;
use serde_json::Value;

/// A file to write, and where it is.
fn data(folder: &tempfile::TempDir) -> (Vec<u8>, String) {
    let data: Vec<u8> = (0..20_000_u32).map(|n| ((n * 11) >> 2) as u8).collect();
    let file = folder.path().join("data.bin");
    std::fs::write(&file, &data).unwrap();
    (data, file.display().to_string())
}

#[test]
fn each_board_has_its_lines_and_one_that_fails_stops_no_other() {
    let boards = [Server::in_download_mode(), Server::in_download_mode()];
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = data(&folder);
    let [first, second] = [&boards[0].url, &boards[1].url];
    let missing = "/dev/larch-none";
    let words = ["--port", first, "-p", missing, &format!("--port={second}")];
    let write = ["--before", "no-reset", "--after", "no-reset", "write-flash", "0x10000", &file];
    let run = larch_loader(&[&words[..], &write].concat());
    assert_eq!(run.code, 10, "{}{}", run.stdout, run.stderr);
    for board in [first, second] {
        let verified = format!("{board}: data.bin verified");
        assert!(run.stdout.lines().any(|line| line == verified), "{verified:?} is not in {}", run.stdout);
    }
    let end: Vec<&str> = run.stdout.lines().rev().take(4).collect();
    let [total, third, second_line, first_line] = end[..] else { panic!("{}", run.stdout) };
    assert!(first_line.starts_with(first.as_str()) && first_line.ends_with("done"), "{}", run.stdout);
    assert!(second_line.contains("FAILED (code 10): /dev/larch-none does not exist"), "{}", run.stdout);
    assert!(third.starts_with(second.as_str()) && third.ends_with("done"), "{}", run.stdout);
    assert_eq!(total, "2 of 3 boards done.");
    for board in boards {
        assert!(board.into_flash()[0x1_0000..].starts_with(&data));
    }
}

#[test]
fn json_events_name_their_port() {
    let boards = [Server::in_download_mode(), Server::in_download_mode()];
    let ports = boards.each_ref().map(|board| board.url.as_str());
    let words = ["--json", "--port", ports[0], "--port", ports[1], "--before", "no-reset", "read-mac"];
    let run = larch_loader(&words);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let events: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for port in ports {
        let of_port: Vec<&Value> = events.iter().filter(|event| event["port"] == port).collect();
        assert_eq!(of_port.last().map(|event| &event["event"]), Some(&"done".into()), "{}", run.stdout);
    }
    assert!(events.iter().all(|event| ports.iter().any(|port| event["port"] == *port)), "{}", run.stdout);
}

/// On a terminal each board has one line with a bar, which stays when it is done.
#[cfg(unix)]
#[test]
fn on_a_terminal_each_board_has_one_bar() {
    use std::io::Read;
    use std::time::Duration;
    let boards = [Server::in_download_mode(), Server::in_download_mode()];
    let folder = tempfile::tempdir().unwrap();
    let (_, file) = data(&folder);
    let (mut ours, theirs) = serialport::TTYPort::pair().unwrap();
    let name = serialport::SerialPort::name(&theirs).unwrap();
    let terminal = || std::fs::OpenOptions::new().write(true).open(&name).unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_larch-loader"))
        .args(["--port", &boards[0].url, "--port", &boards[1].url])
        .args(["--before", "no-reset", "--after", "no-reset", "write-flash", "0x10000", &file])
        .env("TERM", "xterm")
        .env("XDG_STATE_HOME", "/dev/null")
        .stdout(terminal())
        .stderr(terminal())
        .spawn()
        .unwrap();
    serialport::SerialPort::set_timeout(&mut ours, Duration::from_millis(100)).unwrap();
    let (mut told, mut buffer) = (Vec::new(), [0; 4096]);
    let status = loop {
        // Nothing within the time limit is no error.
        let count = ours.read(&mut buffer).unwrap_or(0);
        told.extend(&buffer[..count]);
        if count == 0
            && let Some(status) = child.try_wait().unwrap()
        {
            break status;
        }
    };
    let told = String::from_utf8_lossy(&told);
    assert!(status.success(), "{told}");
    for board in &boards {
        let full = told.lines().any(|line| line.contains(&board.url) && line.contains("100 %"));
        assert!(full && told.contains(&format!("{}  done", board.url)), "{told}");
    }
    assert!(told.contains("\u{1b}["), "bars that move: {told}");
}
