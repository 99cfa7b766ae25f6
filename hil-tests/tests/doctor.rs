//! The doctor at emulated boards that have something the matter with them, in simulated time.

mod ready;

use hil_tests::doctor::{Expected, Finding, diagnose, examine};
use hil_tests::lab::{Lab, target_directory};
use hil_tests::target::emulated::Emulated;
use larch_boards::{Board, Port, Reset, TtyName};

fn lab() -> (Lab, Board) {
    let lab = Lab::load(&target_directory()).unwrap();
    let board = lab.boards.find("esp32c3-emu").unwrap().clone();
    ready::flashed(&lab, &board).unwrap();
    (lab, board)
}

fn flashed(lab: &Lab, board: &Board) -> Emulated {
    let mut emulated = lab.blank_emulated(board.chip).unwrap();
    emulated.board().load_flash(&lab.flashed(board, &lab.image_digest(board.chip))).unwrap();
    emulated
}

fn codes(findings: &[Finding]) -> Vec<u8> {
    findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_board_in_order_names_its_firmware() {
    let (lab, board) = lab();
    let mut emulated = flashed(&lab, &board);
    emulated.board().power_on();
    let expected = Expected { build: lab.image_build(board.chip) };
    assert_eq!(expected.build.len(), 12);
    let found = examine(&board, &mut emulated, &expected);
    assert_eq!(codes(&found), [0, 0, 0], "{found:#?}");
    assert!(found[2].text.contains(&expected.build), "{found:#?}");
    let other = examine(&board, &mut emulated, &Expected { build: "0123456789ab".into() });
    assert_eq!(codes(&other), [0, 0, 61], "{other:#?}");
}

#[test]
fn faults_are_told_apart() {
    let (lab, board) = lab();
    let none = Expected::default();
    let mut off = flashed(&lab, &board);
    assert_eq!(codes(&examine(&board, &mut off, &none)), [20]);
    let mut blank = lab.blank_emulated(board.chip).unwrap();
    blank.board().power_on();
    assert_eq!(codes(&examine(&board, &mut blank, &none)), [0, 24]);
    let mut jumper = flashed(&lab, &board);
    jumper.board().set_jumper(true);
    jumper.board().power_on();
    let found = examine(&board, &mut jumper, &none);
    assert_eq!(codes(&found), [0, 29], "{found:#?}");
    assert!(found[1].to_string().contains("jumper"), "{found:#?}");
}

#[test]
fn a_board_without_reset_wires_is_examined_as_it_stands() {
    let (lab, board) = lab();
    let mut emulated = flashed(&lab, &board);
    emulated.board().power_on();
    emulated.board().sleep(std::time::Duration::from_secs(3));
    emulated.board().take_output();
    let by_hand = Board { reset: Reset::Manual, ..board };
    let found = examine(&by_hand, &mut emulated, &Expected::default());
    assert_eq!(codes(&found), [0, 0], "{found:#?}");
}

#[test]
fn ports_that_cannot_be_used_say_why() {
    let (lab, board) = lab();
    let at = |port: Port| Board { port, ..board.clone() };
    let gone = diagnose(&lab, &at(Port::Tty(TtyName::Path("/dev/larch-none".into()))), &Expected::default());
    assert_eq!(codes(&gone), [10], "{gone:#?}");
    let nobody = diagnose(&lab, &at(Port::Rfc2217("127.0.0.1:1".into())), &Expected::default());
    assert_eq!(codes(&nobody), [0, 13], "{nobody:#?}");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let plain = Board { reset: Reset::Manual, ..at(Port::Socket(address)) };
    let nothing = diagnose(&lab, &plain, &Expected::default());
    assert_eq!(codes(&nothing), [0, 0, 20], "{nothing:#?}");
    let _lock = hil_tests::lock::Lock::take(
        &hil_tests::lock::directory(),
        &plain.identity(),
        "other",
        std::time::Duration::ZERO,
        &|_| {},
    )
    .unwrap();
    let held = diagnose(&lab, &plain, &Expected::default());
    assert_eq!(codes(&held), [0, 60], "{held:#?}");
}
