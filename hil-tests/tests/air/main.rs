//! The air around an emulated board, as another tool sees it.

mod damaged;
#[path = "../ready/mod.rs"]
mod ready;

use std::env;
use std::fs;
use std::process::Command;

use hil_tests::lab::{Lab, target_directory};
use hil_tests::scenario::Scenario;
use hil_tests::session::{Console, Session};
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
fn typed(console: &mut dyn Console, text: &str) -> String {
    let mut session = Session::new(console);
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

/// `LARCH_TLS_ROUNDS` makes it longer.
#[test]
fn damaged_tls_is_an_error_and_nothing_else() {
    let rounds: u32 = env::var("LARCH_TLS_ROUNDS").ok().map_or(4, |text| text.parse().expect("a number"));
    let mut emulated = board();
    let program = format!(
        "\
import ssl
def visit(port):
    s = socket.socket()
    s.settimeout(2)
    s.connect(('192.168.0.1', port))
    try:
        s = ssl.wrap_socket(s)
        s.write(b'GET /bytes/1000 HTTP/1.0\\r\\n\\r\\n')
        return len(s.read()) > 1000
    except (OSError, ValueError):
        return False
    finally:
        s.close()

# timeout: {} s
visit(443)
bad = [visit(4434) for _ in range({rounds})].count(False)
visit(443), bad
",
        60 + 10 * rounds
    );
    let said = typed(&mut emulated, &[CONNECT, &program].concat());
    assert_eq!(said.lines().filter(|line| *line == "True").count(), 2, "active, the first visit:\n{said}");
    let bad =
        said.lines().find_map(|line| line.strip_prefix("(True, ")?.strip_suffix(')')?.parse::<u32>().ok());
    let bad = bad.unwrap_or_else(|| panic!("the board does not visit a good server any more:\n{said}"));
    assert!(bad > rounds / 2, "what is damaged is hardly noticed:\n{said}");
}

/// What a person sees who types this later.
fn further(console: &mut dyn Console, text: &str) -> String {
    let mut session = Session::new(console);
    let scenario = Scenario::parse("test/air", text).unwrap();
    if let Err(error) = session.run(&scenario) {
        return format!("{}\n{error}", session.transcript());
    }
    session.transcript()
}
