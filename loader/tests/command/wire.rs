//! Verbs that talk to a board.

use crate::board::Server;
use crate::larch_loader;
use rstest::rstest;
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

#[test]
fn partitions_are_written_and_erased_by_label() {
    let server = Server::in_download_mode();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let table = larch_image::partition::Table::micropython_4mb();
    std::fs::write(path("table.bin"), table.to_bytes().unwrap()).unwrap();
    std::fs::write(path("vfs.bin"), [0x5A; 5000]).unwrap();
    let (table, vfs, trace) = (path("table.bin"), path("vfs.bin"), path("trace.txt"));
    let run = larch_loader(&on(&server, &["--trace", &trace, "write-flash", "0x8000", &table]));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let run = larch_loader(&on(&server, &["write-part", "vfs", &vfs]));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let run = larch_loader(&on(&server, &["write-part", "vsf", &vfs]));
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("no partition 'vsf' (one of: nvs, phy_init, factory, vfs)"),
        "{}",
        run.stderr
    );
    let run = larch_loader(&on(&server, &["erase-parts", "nvs"]));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);

    let run = larch_loader(&["replay", &trace]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for sign in ["> Sync ", "< Sync value", "> MemBegin", "OHAI", "> FlashDeflBegin", "< SpiFlashMd5"] {
        assert!(run.stdout.contains(sign), "{sign:?} is not in {}", run.stdout);
    }
    let flash = server.into_flash();
    assert!(flash[0x20_0000..0x20_0000 + 5000].iter().all(|&byte| byte == 0x5A));
}

#[test]
fn hex_files_say_themselves_where_they_belong() {
    let server = Server::in_download_mode();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("data"), [7; 100]).unwrap();
    let (hex, data) = (path("data.hex"), path("data"));
    let run = larch_loader(&["merge-bin", "--format", "hex", "-o", &hex, "0x3000", &data]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = larch_loader(&on(&server, &["--no-stub", "write-flash", "0x0", &hex]));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let flash = server.into_flash();
    assert_eq!(flash[0x3000..0x3064], [7; 100]);
}

/// A speed that is given may be one at which the mask ROM, which takes the stub, loses bytes.
#[rstest]
#[case(&[])]
#[case(&["--baud", "3000000"])]
fn over_rfc2217_the_lines_reset_the_board_and_the_speed_goes_up(#[case] speed: &[&str]) {
    let server = Server::rfc2217();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data").to_str().unwrap().to_owned();
    let data: Vec<u8> = (0..50_000_u32).map(|n| ((n * 7) >> 3) as u8).collect();
    std::fs::write(&file, &data).unwrap();
    let words = ["--timeout-factor", "20", "--port", &server.url, "write-flash", "0x10000", &file];
    let run = larch_loader(&[speed, &words].concat());
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("Changed baud rate to 3000000."), "{}", run.stdout);
    assert!(!run.stdout.contains("retry") && !run.stderr.contains("retry"), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("Hash of data verified."), "{}", run.stdout);
    assert!(server.into_flash()[0x1_0000..].starts_with(&data));
}

#[cfg(unix)]
#[test]
fn over_a_pty_without_lines_it_works_too() {
    let server = Server::pty();
    let run = larch_loader(&["--port", &server.url, "--after", "no-reset", "chip-id"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("MAC: 60:55:f9:00:00:01"), "{}", run.stdout);
}
