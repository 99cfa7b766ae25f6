//! The air around an emulated board, as another tool sees it.

mod ready;

use std::fs;
use std::process::Command;

use hil_tests::lab::{Lab, target_directory};
use hil_tests::scenario::Scenario;
use hil_tests::session::Session;
use hil_tests::target::air::Forwards;
use hil_tests::target::emulated::Emulated;

const CONNECT: &str = "\
import network, socket
wlan = network.WLAN()
wlan.active(True)
wlan.connect('telenet-7T892F', 'nofreewififoryou!')
# wait-until: wlan.isconnected()  (10 s)
";

/// A board with the firmware in its flash, not yet switched on.
fn board() -> Emulated {
    let lab = Lab::load(&target_directory()).unwrap();
    let board = lab.boards.find("esp32c3-emu").unwrap().clone();
    ready::flashed(&lab, &board).unwrap();
    let mut emulated = lab.emulated_board(&board, false, Forwards::Ignore).unwrap();
    emulated.board().load_flash(&lab.flashed(&board, &lab.image_digest(board.chip))).unwrap();
    emulated
}

/// What a person sees who types this after the start.
fn typed(emulated: &mut Emulated, text: &str) -> String {
    let mut session = Session::new(emulated);
    session.boot().unwrap();
    session.run(&Scenario::parse("test/air", text).unwrap()).unwrap();
    session.transcript()
}

#[test]
fn what_is_on_the_air_opens_with_the_passphrase() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("skipped: tshark is not installed (Debian: apt install tshark)");
        return;
    }
    let mut emulated = board();
    emulated.board().chip_mut().air().record();
    let talk = "s = socket.socket()\ns.connect(('192.168.0.1', 7))\ns.write(b'over the air')\ns.recv(12)\n";
    let said = typed(&mut emulated, &[CONNECT, talk].concat());
    assert!(said.contains("b'over the air'"), "{said}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("air.pcap");
    fs::write(&file, emulated.board().chip_mut().air().capture().unwrap().bytes()).unwrap();
    let payloads = |passphrase: &str| {
        let output = Command::new("tshark")
            .arg("-r")
            .arg(&file)
            .args(["-o", "wlan.enable_decryption:TRUE", "-o"])
            .arg(format!("uat:80211_keys:\"wpa-pwd\",\"{passphrase}:telenet-7T892F\""))
            .args(["-Y", "tcp.payload", "-T", "fields", "-e", "ip.src", "-e", "tcp.payload"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let hex: String = b"over the air".iter().map(|byte| format!("{byte:02x}")).collect();
    let seen = payloads("nofreewififoryou!");
    for address in ["192.168.0.187", "192.168.0.1"] {
        assert!(seen.contains(&format!("{address}\t{hex}")), "{address} is not seen:\n{seen}");
    }
    assert_eq!(payloads("another passphrase"), "");
}
