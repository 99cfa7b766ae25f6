//! Verbs that talk to a board.

use crate::board::Server;
use crate::larch_loader;
use serde_json::Value;
use std::io::Write;

fn on<'a>(server: &'a Server, rest: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["--port", &server.url, "--before", "no_reset", "--after", "no_reset"];
    arguments.extend(rest);
    arguments
}

#[test]
fn flash_id_prints_what_esptool_prints() {
    let server = Server::in_download_mode();
    let run = larch_loader(&on(&server, &["flash_id"]));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    for line in [
        "Detecting chip type... ESP32-C3",
        "Chip is ESP32-C3 (QFN32) (revision v0.4)",
        "Features: Wi-Fi, BT 5 (LE), Single Core, 160MHz",
        "Crystal is 40MHz",
        "MAC: 60:55:f9:00:00:01",
        "Manufacturer: ef",
        "Device: 4016",
        "Detected flash size: 4MB",
    ] {
        assert!(run.stdout.lines().any(|printed| printed == line), "{line:?} is not in {}", run.stdout);
    }
}

#[test]
fn a_file_is_written_verified_and_read_back_with_json_events() {
    let server = Server::in_download_mode();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data_file.bin");
    let data: Vec<u8> = (0..9000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::File::create(&file).unwrap().write_all(&data).unwrap();
    let file = file.to_str().unwrap();
    let run = larch_loader(&on(&server, &["--json", "write_flash", "0x10000", file]));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let events: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    for name in ["port", "connect", "connected", "chip", "write", "progress", "written", "verify", "done"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let run = larch_loader(&on(&server, &["verify-flash", "0x10000", file]));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let back = folder.path().join("back.bin");
    let run = larch_loader(&on(&server, &["read-flash", "0x10000", "9000", back.to_str().unwrap()]));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(std::fs::read(back).unwrap(), data);
    let run = larch_loader(&on(&server, &["verify-flash", "--diff", "0x10004", file]));
    assert_eq!(run.code, 43, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("0x00010004:"), "{}", run.stdout);
    assert!(server.into_flash()[0x1_0000..].starts_with(&data));
}

#[test]
fn another_chip_is_an_outcome_of_its_own() {
    let server = Server::in_download_mode();
    let run = larch_loader(&on(&server, &["--chip", "esp32", "erase-flash"]));
    assert_eq!(run.code, 31, "{}", run.stderr);
    assert_eq!(
        run.stderr,
        "error: this is an ESP32-C3, not an ESP32; connect the other board, or use --chip esp32c3\n"
    );
}

#[test]
fn ports_that_are_missing_or_dead_are_told_apart() {
    let run = larch_loader(&["--port", "/dev/larch-none", "chip-id"]);
    assert_eq!(run.code, 10, "{}", run.stderr);
    let run = larch_loader(&["--port", "socket://127.0.0.1:1", "chip-id"]);
    assert_eq!(run.code, 13, "{}", run.stderr);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("socket://{}", silent.local_addr().unwrap());
    let run = larch_loader(&["--port", &url, "--connect-attempts", "1", "chip-id"]);
    assert_eq!(run.code, 20, "{}", run.stderr);
    assert!(run.stderr.starts_with("error: no answer: the chip sends nothing at all;"), "{}", run.stderr);
    let run = larch_loader(&["--port", &url.replace("socket", "rfc2217"), "chip-id"]);
    assert_eq!(run.code, 13, "{}", run.stderr);
    assert!(run.stderr.contains("use socket://"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_port_in_use_says_so() {
    let (_master, slave) = serialport::TTYPort::pair().unwrap();
    let name = serialport::SerialPort::name(&slave).unwrap();
    let _other_program = serialport::new(&name, 115_200).open().unwrap();
    let run = larch_loader(&["--port", &name, "chip-id"]);
    assert_eq!(run.code, 11, "{}", run.stderr);
    assert!(run.stderr.contains("in use by another program"), "{}", run.stderr);
}
