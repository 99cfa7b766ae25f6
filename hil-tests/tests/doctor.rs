//! The doctor at emulated boards: what can be the matter with one, and what it then says.

mod ready;

use std::time::Duration;

use hil_tests::doctor::{Expected, Finding, examine};
use hil_tests::lab::{Lab, target_directory};
use hil_tests::session::Session;
use hil_tests::target::emulated::Emulated;
use larch_boards::{Board, Reset};
use larch_emulator::Wiring;
use larch_loader::transport::Transport as _;

/// Longer than any board takes to its prompt.
const BOOTED: Duration = Duration::from_secs(3);

struct Desk {
    board: Board,
    emulated: Emulated,
    expected: Expected,
}

impl Desk {
    /// A flashed board, not switched on.
    fn new() -> Self {
        let lab = Lab::load(&target_directory()).unwrap();
        let board = lab.boards.find("esp32c3-emu").unwrap().clone();
        ready::flashed(&lab, &board).unwrap();
        let mut emulated = lab.blank_emulated(board.chip).unwrap();
        emulated.board().load_flash(&lab.flashed(&board, &lab.image_digest(board.chip))).unwrap();
        let expected = Expected { build: lab.image_build(board.chip) };
        Self { board, emulated, expected }
    }

    /// Only TX, RX and GND are connected.
    fn three_wires(mut self) -> Self {
        self.emulated = self.emulated.wired(Wiring::None);
        self
    }

    fn by_hand(mut self) -> Self {
        self.board.reset = Reset::Manual;
        self
    }

    fn switched_on(mut self) -> Self {
        self.emulated.board().power_on();
        self.emulated.sleep(BOOTED);
        self
    }

    /// Switches it on, lets a program run, and does not wait for its end.
    fn running(mut self, line: &str) -> Self {
        self.emulated.board().power_on();
        Session::new(&mut self.emulated).await_boot(BOOTED).unwrap();
        self.emulated.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.emulated.sleep(Duration::from_millis(100));
        self
    }

    fn findings(mut self) -> Vec<Finding> {
        examine(&self.board, &mut self.emulated, &self.expected)
    }

    fn codes(self) -> Vec<u8> {
        let findings = self.findings();
        for finding in findings.iter().filter(|finding| !finding.is_good()) {
            assert!(!finding.text.is_empty() && !finding.advice.is_empty(), "{finding}");
        }
        findings.iter().map(|finding| finding.code).collect()
    }
}

#[test]
fn nothing_is_wrong() {
    let findings = Desk::new().switched_on().findings();
    let checks: Vec<(&str, u8)> = findings.iter().map(|finding| (finding.check, finding.code)).collect();
    assert_eq!(checks, [("reset lines", 0), ("prompt", 0), ("firmware", 0)], "{findings:?}");
    assert!(findings[1].text.contains(" ms after the reset"), "{}", findings[1]);
    assert_eq!(Desk::new().by_hand().switched_on().codes(), [0, 0]);
}

#[test]
fn the_control_lines_are_not_connected() {
    assert_eq!(Desk::new().three_wires().switched_on().codes(), [62, 0, 0]);
}

#[test]
fn the_adapter_has_another_rate() {
    let mut desk = Desk::new().switched_on();
    desk.emulated.set_baud(19_200).unwrap();
    assert_eq!(desk.codes(), [22]);
}

#[test]
fn nothing_is_there() {
    assert_eq!(Desk::new().codes(), [20]);
    assert_eq!(Desk::new().three_wires().by_hand().codes(), [20]);
}

#[test]
fn the_jumper_is_on() {
    let mut desk = Desk::new();
    desk.emulated.board().set_jumper(true);
    assert_eq!(desk.switched_on().codes(), [0, 29]);
}

#[test]
fn it_waits_for_the_loader() {
    let mut desk = Desk::new().three_wires().by_hand();
    desk.emulated.power_on_for_download();
    desk.emulated.sleep(BOOTED);
    // What it said is long gone.
    desk.emulated.discard_input().unwrap();
    let findings = desk.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].code, 28);
    assert!(findings[0].advice.contains("cargo xtask flash --board esp32c3-emu"), "{}", findings[0]);
}

#[test]
fn its_flash_is_blank() {
    let lab = Lab::load(&target_directory()).unwrap();
    let mut desk = Desk::new();
    desk.emulated = lab.blank_emulated(desk.board.chip).unwrap();
    assert_eq!(desk.switched_on().codes(), [0, 24]);
}

#[test]
fn a_program_runs() {
    let desk = || Desk::new().three_wires().by_hand();
    // One that can be interrupted is no reason to worry.
    assert_eq!(desk().running("while True: pass\r\n").codes(), [0, 0]);
    assert_eq!(desk().running("while True: print('spam ' * 50)\r\n").codes(), [0, 0]);
    let deaf = r"import micropython; exec('micropython.kbd_intr(-1)\nwhile True: pass')";
    assert_eq!(desk().running(deaf).codes(), [21]);
}

#[test]
fn it_runs_another_build() {
    let mut desk = Desk::new().switched_on();
    desk.expected.build = "0123456789ab".into();
    assert_eq!(desk.codes(), [0, 0, 61]);
}
