//! The file as people write it, and every way to get it wrong.

use proptest::prelude::*;
use rstest::rstest;

use crate::{Boards, BootStrap, Chip, FlashMethod, Port, Reset, TtyName};

const GOOD: &str = "\
default: esp32c3-emu
boards:
  esp32c3-emu:                      # built in: needs nothing but Rust
    chip: esp32c3
    port: emulator
  esp32-cam:                        # FTDI adapter, five wires, a jumper and a thumb
    chip: esp32
    port: { serial-number: A50285BI }
    reset: manual
    boot-strap: jumper
    tags: [bench]
  lab:
    chip: esp32c3
    port: rfc2217://lab-pi:4000
    flash: none
  nucleo-like:
    chip: esp32c3
    port: { vid-pid: \"0483:374b\" }
    reset: usb-jtag
    flash-baud: 921600
    capabilities: [wifi]
    owner: net-team
    notes: third shelf
  micropython-unix:
    chip: host
    port: { command: micropython -X heapsize=1M }
";

#[test]
fn a_good_file_is_read() {
    let boards = Boards::parse("boards.yaml", GOOD).unwrap();
    assert_eq!(boards.default_board().name, "esp32c3-emu");
    assert_eq!(boards.default_board().port, Port::Emulator);
    let cam = boards.find("esp32-cam").unwrap();
    assert_eq!(cam.chip, Chip::Esp32);
    assert_eq!(cam.port, Port::Tty(TtyName::SerialNumber("A50285BI".into())));
    assert_eq!(
        (cam.reset, cam.boot_strap, cam.flash),
        (Reset::Manual, BootStrap::Jumper, FlashMethod::Loader)
    );
    assert_eq!(boards.find("lab").unwrap().port, Port::Rfc2217("lab-pi:4000".into()));
    let nucleo = boards.find("nucleo-like").unwrap();
    assert_eq!(nucleo.port, Port::Tty(TtyName::VidPid(0x0483, 0x374b)));
    assert!(nucleo.can("wifi") && nucleo.can("esp32c3") && nucleo.can("board") && !nucleo.can("emulator"));
    let unix = boards.find("micropython-unix").unwrap();
    assert_eq!(unix.flash, FlashMethod::None);
    assert!(!unix.can("board"));
}

/// Replaces one piece of the good file and returns the error.
fn wrong(replace: &str, with: &str) -> String {
    assert!(GOOD.contains(replace), "the good file has no {replace:?}");
    let text = GOOD.replacen(replace, with, 1);
    Boards::parse("boards.yaml", &text).expect_err("accepted").to_string()
}

#[rstest]
#[case(
    "manual",
    "manaul",
    "boards.yaml:9:12: unknown reset 'manaul', did you mean 'manual'? (one of: dtr-rts, rts, usb-jtag, manual)"
)]
#[case(
    "jumper\n",
    "jumpr\n",
    "boards.yaml:10:17: unknown boot-strap 'jumpr', did you mean 'jumper'? (one of: auto, jumper)"
)]
#[case(
    "chip: esp32c3\n",
    "chip: esp32c4\n",
    "boards.yaml:4:11: unknown chip 'esp32c4', did you mean 'esp32c3'?"
)]
#[case(
    "    reset: manual",
    "    rest: manual",
    "boards.yaml:9:5: unknown key 'rest', did you mean 'reset'? (one of: chip, port, reset, boot-strap, flash, flash-baud, capabilities, tags, owner, notes, image, probe, power, access-points, pins, peers, quarantine)"
)]
#[case(
    "serial-number",
    "serial",
    "boards.yaml:8:13: unknown key 'serial' (one of: serial-number, by-id, vid-pid, labgrid, coordinator, command, qemu, external)"
)]
#[case(
    "port: emulator",
    "port: emulater",
    "boards.yaml:5:11: unknown port 'emulater', did you mean 'emulator'?"
)]
#[case("port: emulator", "port: rfc2217://x", "boards.yaml:5:11: bad address 'x': expected host:port")]
#[case("\"0483:374b\"", "\"0483:374\"", "boards.yaml:18:")]
#[case("    port: emulator\n", "", "boards.yaml:4:5: key 'port' is missing")]
#[case(
    "default: esp32c3-emu",
    "default: esp32c3-emo",
    "boards.yaml:1:10: unknown board 'esp32c3-emo', did you mean 'esp32c3-emu'?"
)]
#[case("  esp32-cam:", "  esp32c3-emu:", "boards.yaml:6:3: board 'esp32c3-emu' is described twice")]
#[case("  esp32-cam:", "  esp32 cam:", "boards.yaml:6:3: bad board name 'esp32 cam'")]
#[case(
    "tags: [bench]",
    "tags: bench",
    "boards.yaml:11:11: invalid type: string \"bench\", expected a sequence"
)]
#[case("tags: [bench]", "chip: esp32", "boards.yaml:11:5: key 'chip' is given twice")]
#[case("{ serial-number: A50285BI }", "{}", "boards.yaml:8:11: a port has exactly one of")]
#[case("flash-baud: 921600", "flash-baud: fast", "boards.yaml:20:17: invalid type: string \"fast\"")]
#[case(
    "    port: { command: micropython -X heapsize=1M }",
    "    port: emulator",
    "boards.yaml:24:3: board 'micropython-unix': `chip: host`"
)]
#[case(
    "rfc2217://lab-pi:4000",
    "socket://lab-pi:4000",
    "boards.yaml:12:3: board 'lab': a socket:// port has no control lines"
)]
#[case("boards:\n", "boards: [\n", "boards.yaml:")]
fn a_mistake_names_its_place(#[case] replace: &str, #[case] with: &str, #[case] starts: &str) {
    let error = wrong(replace, with);
    assert!(error.starts_with(starts), "{error}");
}

const SHELF: &str = "\
default: c3-lab
boards:
  c3-lab:
    chip: esp32c3
    port: rfc2217://lab-pi:4000
    image: { file: upstream.bin, offset: 0x0 }
    power: { uhubctl: 1-1, port: 2 }
    access-points:
      - { ssid: lab, password: \"${LAB_PASSWORD}\" }
    pins: [4-5, 6-second.7]
    peers: { second: c3-next }
    quarantine:
      - { scenario: network/*, reason: AP drops probes, owner: net-team, until: 2026-12-31 }
  c3-next:
    chip: esp32c3
    port: { by-id: usb-Silicon_Labs_CP2102_0001-if00-port0 }
    power: relay 7 {action}
  reserved:
    chip: esp32c3
    port: { labgrid: c3-17, coordinator: lab:20408 }
  nucleo:
    chip: cortex-m
    port: /dev/ttyACM0
    probe: { chip: STM32F405RGTx, selector: \"0483:374b\" }
    reset: manual
  virt-rv32:
    chip: virt-rv32
    port: { qemu: \"qemu-system-riscv32 -machine virt -bios {firmware}\" }
  espressif-qemu:
    chip: esp32c3
    port: { external: \"qemu-system-riscv32 -M esp32c3 -serial tcp::{tcp-port},server\" }
";

#[test]
fn a_shelf_is_read() {
    let boards = Boards::parse("boards.yaml", SHELF).unwrap();
    let lab = boards.find("c3-lab").unwrap();
    assert_eq!(lab.image.as_ref().unwrap().offset, Some(0));
    assert!(
        !lab.runs_ours() && lab.can("power") && lab.can("wifi") && lab.can("second") && lab.can("6-second.7")
    );
    assert!(lab.quarantined("network/station", "2026-12-31").is_some());
    assert!(lab.quarantined("network/station", "2027-01-01").is_none());
    assert!(lab.quarantine_expired("network/station", "2027-01-01").is_some());
    assert!(lab.quarantined("os/files", "2026-12-31").is_none());
    let (place, coordinator) = ("c3-17".into(), Some("lab:20408".into()));
    assert_eq!(boards.find("reserved").unwrap().port, Port::Labgrid { place, coordinator });
    assert_eq!(boards.find("nucleo").unwrap().flash, FlashMethod::ProbeRs);
    let virt = boards.find("virt-rv32").unwrap();
    assert!(virt.runs_ours() && virt.flash == FlashMethod::None && !virt.can("pins") && virt.can("power"));
}

#[rstest]
#[case("until: 2026-12-31", "until: 31.12.2026", "boards.yaml:13:")]
#[case("owner: net-team, ", "", "boards.yaml:13:9: key 'owner' is missing")]
#[case("6-second.7", "6-third.7", "boards.yaml:3:3: board 'c3-lab': a wire goes to 'third'")]
#[case(
    "second: c3-next",
    "second: c3-nxt",
    "boards.yaml:3:3: board 'c3-lab': unknown peer 'c3-nxt', did you mean 'c3-next'?"
)]
#[case("relay 7 {action}", "relay 7", "boards.yaml:17:12: bad power 'relay 7'")]
#[case("labgrid: c3-17", "labgrid: -h", "boards.yaml:20:11: bad place '-h'")]
#[case("labgrid: c3-17", "by-id: c3-17", "boards.yaml:20:11: coordinator goes with labgrid")]
#[case("lab:20408", "lab", "boards.yaml:20:11: bad address 'lab'")]
#[case("/dev/ttyACM0", "COM", "boards.yaml:23:11: unknown port 'COM'")]
#[case("uhubctl: 1-1", "uhubctrl: 1-1", "boards.yaml:7:14: unknown key 'uhubctrl', did you mean 'uhubctl'?")]
#[case(
    "{firmware}",
    "{firmwear}",
    "boards.yaml:28:11: unknown placeholder '{firmwear}', did you mean '{firmware}'?"
)]
#[case(
    "    probe: { chip: STM32F405RGTx, selector: \"0483:374b\" }\n",
    "",
    "boards.yaml:21:3: board 'nucleo': `flash: probe-rs`"
)]
fn a_mistake_on_the_shelf_names_its_place(#[case] replace: &str, #[case] with: &str, #[case] starts: &str) {
    assert!(SHELF.contains(replace));
    let error = Boards::parse("boards.yaml", &SHELF.replacen(replace, with, 1)).unwrap_err().to_string();
    assert!(error.starts_with(starts), "{error}");
}

#[test]
fn a_wrong_name_lists_the_known_ones() {
    let boards = Boards::parse("boards.yaml", GOOD).unwrap();
    let error = boards.find("esp32cam").unwrap_err().to_string();
    assert!(error.starts_with("unknown board 'esp32cam', did you mean 'esp32-cam'? (one of: esp32c3-emu, "));
}

#[test]
fn the_committed_file_is_good() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../boards.yaml");
    let boards = Boards::load(&path).unwrap();
    assert_eq!(boards.default_board().name, "esp32c3-emu");
}

/// The examples in its comments can be copied as they stand.
#[test]
fn the_examples_of_the_committed_file_are_good() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../boards.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let plain = |line: &str| line.strip_prefix("#  ").map_or(line.to_owned(), |line| format!("  {line}"));
    let text: Vec<String> = text.lines().map(plain).collect();
    let boards = Boards::parse("boards.yaml", &text.join("\n")).unwrap();
    let chips: Vec<Chip> = boards.iter().map(|board| board.chip).collect();
    assert!(chips.len() >= 10 && chips.contains(&Chip::Stm32f405), "{chips:?}");
    assert!(!boards.find("micropython-qemu").unwrap().runs_ours());
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        let _ = Boards::parse("boards.yaml", &text);
    }

    #[test]
    fn any_damage_to_a_good_file_is_answered(at in 0..GOOD.len(), with in "[ -~\n]{0,4}") {
        let mut text = GOOD.to_owned();
        text.replace_range(at..=at, &with);
        let _ = Boards::parse("boards.yaml", &text);
    }
}
