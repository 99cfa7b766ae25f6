//! Scripts at a board whose reset lines are not connected, Thonny's call, and what is wrong with the files.

use crate::board::Server;
use crate::{Run, larch_loader};
use larch_image::packages;
use rstest::rstest;
use serde_json::Value;

/// Exactly one line, which says what to do.
fn assert_one_error(run: &Run, code: i32, says: &str) {
    assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
    let errors: Vec<&str> = run.stderr.lines().collect();
    assert!(errors.len() == 1 && errors[0].starts_with("error: ") && errors[0].contains(says), "{errors:?}");
}

#[test]
fn a_script_gets_an_outcome_code_and_advice() {
    let server = Server::without_program();
    let words = ["--port", &server.url, "--non-interactive", "--connect-attempts", "2", "flash-id"];
    let run = larch_loader(&words);
    assert_one_error(&run, 24, "finds no program in its flash and keeps resetting; connect the boot pin");
    let run = larch_loader(&[&["--json"], &words[..]].concat());
    let events: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let last = events.last().unwrap();
    assert_eq!((run.code, &last["event"], &last["code"]), (24, &"error".into(), &24.into()), "{last}");
    assert!(last["message"].as_str().is_some_and(|text| text.contains("press RESET")), "{last}");
}

/// As its dialog for esptool calls it: underscores everywhere, the chip named, nothing kept of what was in flash.
#[test]
fn thonnys_flashing_dialog_works() {
    let server = Server::rfc2217();
    let bootloader = packages::bootloader("esp32c3").unwrap();
    let file = bootloader.to_str().unwrap();
    // But for the time-out: a busy machine is behind the board's time.
    let patience = ["--timeout-factor", "20"];
    let connection = ["--port", &server.url, "--chip", "esp32c3", "--baud", "115200"];
    let write = ["write_flash", "--flash_mode", "keep", "--flash_size", "keep", "--erase-all", "0x0", file];
    let run = larch_loader(&[&patience[..], &connection, &write].concat());
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("Hash of data verified."), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "no colours into a pipe");
    let run = larch_loader(&["image_info", "--version", "2", file]);
    assert!(run.stdout.contains("Detected image type: ESP32-C3"), "{}{}", run.stdout, run.stderr);
    assert!(server.into_flash().starts_with(&std::fs::read(bootloader).unwrap()));
}

#[test]
fn values_may_have_underscores() {
    let server = Server::in_download_mode();
    let run = larch_loader(&[
        "--port",
        &server.url,
        "--before",
        "no_reset",
        "--after",
        "no_reset_stub",
        "read_mac",
    ]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}

/// What cannot be right is refused before anything is erased, in one line that says what to do.
#[rstest]
#[case::truncated(&["0x0", "short.bin"], 32, "short.bin: the image is truncated")]
#[case::for_another_chip(&["0x0", "esp32.bin"], 33, "is for ESP32, this is an ESP32-C3; build it for")]
#[case::at_another_chips_place(&["0x1000", "boot.bin"], 39, "boot.bin is a bootloader, which belongs at 0x0 on the ESP32-C3")]
#[case::behind_the_end(&["0x3ff000", "large.bin"], 35, "large.bin ends at 0x401000, the flash has 4194304 bytes")]
#[case::overlapping(&["0x10000", "large.bin", "0x11000", "large.bin"], 36, "overlap")]
#[case::missing(&["0x0", "none.bin"], 3, "none.bin")]
fn wrong_files_change_nothing(#[case] files: &[&str], #[case] code: i32, #[case] says: &str) {
    let server = Server::in_download_mode();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let bootloader = std::fs::read(packages::bootloader("esp32c3").unwrap()).unwrap();
    std::fs::write(path("short.bin"), &bootloader[..1000]).unwrap();
    std::fs::write(path("boot.bin"), &bootloader).unwrap();
    std::fs::write(path("large.bin"), [0; 0x2000]).unwrap();
    std::fs::copy(packages::bootloader("esp32").unwrap(), path("esp32.bin")).unwrap();
    let files: Vec<String> = files
        .iter()
        .map(
            |word| if word.starts_with("0x") { (*word).to_owned() } else { path(word).display().to_string() },
        )
        .collect();
    let mut words = vec!["--port", &server.url, "--before", "no-reset", "--no-stub", "write-flash"];
    words.extend(files.iter().map(String::as_str));
    assert_one_error(&larch_loader(&words), code, says);
    assert!(server.into_flash().iter().all(|&byte| byte == 0xFF), "flash was touched");
}

/// Without a board: nobody is asked to press anything for words that cannot be right.
#[rstest]
#[case::chip(&["--chip", "esp33", "chip-id"], 2, "unknown chip 'esp33' (one of: auto, esp32,")]
#[case::offset(&["write-flash", "app.bin", "0x0"], 2, "app.bin")]
#[case::file(&["write-flash", "0x0", "none.bin"], 3, "none.bin")]
#[case::program(&["flash", "none.elf"], 3, "none.elf")]
#[case::port(&["--port", "/dev/larch-none", "chip-id"], 10, "does not exist; connect the board")]
#[case::port_filter(&["--port-filter", "pid=xyz", "chip-id"], 2, "pid")]
fn wrong_words_are_told_at_once(#[case] words: &[&str], #[case] code: i32, #[case] says: &str) {
    let with_port = [&["--port", "/dev/larch-none"], words].concat();
    let run = larch_loader(if words.contains(&"--port") { words } else { &with_port });
    assert_one_error(&run, code, says);
}

/// What is told on a terminal, as bytes.
#[cfg(unix)]
fn told_on_a_terminal(no_colour: Option<&str>) -> String {
    use std::io::Read;
    let (mut ours, theirs) = serialport::TTYPort::pair().unwrap();
    let name = serialport::SerialPort::name(&theirs).unwrap();
    let terminal = std::fs::OpenOptions::new().write(true).open(name).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_larch-loader"));
    command
        .args(["--port", "/dev/larch-none", "chip-id"])
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stderr(terminal);
    command.envs(no_colour.map(|value| ("NO_COLOR", value)));
    assert_eq!(command.output().unwrap().status.code(), Some(10));
    let mut told = [0; 4096];
    let count = ours.read(&mut told).unwrap();
    String::from_utf8_lossy(&told[..count]).into_owned()
}

#[cfg(unix)]
#[test]
fn no_color_is_honoured() {
    let coloured = told_on_a_terminal(None);
    assert!(coloured.contains("\u{1b}[31m") && coloured.contains("does not exist"), "{coloured:?}");
    let plain = told_on_a_terminal(Some("1"));
    assert!(plain.starts_with("error: ") && !plain.contains('\u{1b}'), "{plain:?}");
}
