//! Frames that anybody in reach can send, or that the air damaged: the vendor's driver gets them as its hardware would give them.
//! Whatever they are, the board does not restart, and joins and talks afterwards.

use std::env;
use std::ops::Range;

use hil_tests::target::desk::{self, Seat};
use larch_emulator::Board;
use larch_emulator::air::Mac;
use larch_emulator::air::frame::{BROADCAST, flag, header, kind};
use larch_emulator::esp32c3::Damage;

use crate::{board, further, typed};

/// A header whose frame carries an HT control field behind it.
const ORDER: u8 = 0x80;
/// Somebody else's access point.
const STRANGER: [u8; 6] = [0x02, 0x11, 0x22, 0x33, 0x44, 0x99];
/// The network that the board joins.
const HOME: &str = "('telenet-7T892F', 'nofreewififoryou!')";
const SSID: &[u8] = b"telenet-7T892F";
/// Another network's access point.
const OPEN_LAB: [u8; 6] = [0x02, 0x11, 0x22, 0x33, 0x44, 0x56];
/// In a frame's quality of service field: it carries several packets.
const AGGREGATE: u8 = 0x80;
/// What follows the length of an RSN element: version, CCMP for the group and one other, one key suite (PSK), capabilities.
const RSN: [u8; 20] = [1, 0, 0, 0x0F, 0xAC, 4, 1, 0, 0, 0x0F, 0xAC, 4, 1, 0, 0, 0x0F, 0xAC, 2, 0, 0];
/// Time, interval of 100, ESS with privacy.
const FIXED_FIELDS: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0x11, 0];

/// Functions that join networks and talk there; `well` says whether all of that works, soon. What the driver believed may make it
/// wait for a while.
const WANDER: &str = "\
import network, socket, time
wlan = network.WLAN()
wlan.active(True)
def join(*network):
    wlan.disconnect()
    wlan.connect(*network)
    end = time.ticks_ms() + 5000
    while not wlan.isconnected() and time.ticks_ms() < end:
        time.sleep_ms(10)
    return wlan.isconnected()

def talk():
    s = socket.socket()
    s.settimeout(2)
    try:
        s.connect((wlan.ifconfig()[2], 7))
        s.write(b'well')
        return s.recv(4) == b'well'
    except OSError:
        return False
    finally:
        s.close()

def visit(*network):
    try:
        return join(*network) and talk()
    except OSError:
        # The driver is still busy with another network.
        time.sleep(1)
        return False

def wander():
    try:
        wlan.scan()
    except OSError:
        pass
    visit('open-lab')
    visit('telenet-7T892F', 'nofreewififoryou!')

def well():
    for pause in (0, 1, 10):
        time.sleep(pause)
        if any(visit('open-lab') for _ in range(3)) and any(visit('telenet-7T892F', 'nofreewififoryou!') for _ in range(3)):
            return True
    return False

";

/// A network of the board's own, with a key, and ESP-NOW on both interfaces. Without 802.11n: the driver makes its channel a wide one
/// when a station has left, and the emulated air takes the middle of that for the channel.
const HOST: &str = "\
import network, espnow
network.WLAN().active(True)
ap = network.WLAN(network.AP_IF)
ap.config(ssid='larch-lab', key='twelve green trees', security=network.AUTH_WPA2_PSK)
ap.active(True)
ap.config(protocol=network.MODE_11B | network.MODE_11G)
e = espnow.ESPNow()
e.active(True)
def heard():
    messages = []
    while e.any():
        messages.append(e.recv(0)[1])
    return b'well' in messages

";

/// Joins that network, and calls out to everybody.
const GUEST: &str = "\
import espnow
everybody = b'\\xff' * 6
e = espnow.ESPNow()
e.active(True)
e.add_peer(everybody)
def join_host():
    try:
        return join('larch-lab', 'twelve green trees')
    except OSError:
        time.sleep(1)
        return False

def call():
    try:
        wlan.scan()
    except OSError:
        pass
    for size in (1, 40, 250, 900):
        e.send(everybody, b'x' * size)
    join_host()
    e.send(everybody, b'still here')

def is_well():
    joined = any(join_host() for _ in range(3))
    return joined and e.send(everybody, b'well')

";

/// The header of a stranger's beacon.
fn beacon(flags: u8) -> Vec<u8> {
    header(kind::BEACON, flags, BROADCAST, STRANGER, STRANGER, 1)
}

/// A stranger's beacon for the network that the board knows, with an RSN element of these parts.
fn beacon_with(parts: &[&[u8]]) -> Vec<u8> {
    let rsn = parts.concat();
    let mut frame = beacon(0);
    frame.extend(FIXED_FIELDS);
    frame.extend([0, SSID.len() as u8]);
    frame.extend(SSID);
    frame.extend([1, 4, 0x82, 0x84, 0x8B, 0x96, 3, 1, 6]);
    frame.extend([48, rsn.len() as u8]);
    frame.extend(rsn);
    // Whoever reads on finds large numbers.
    frame.extend([0xDD, 14]);
    frame.extend([0xFF; 14]);
    frame
}

/// Several packets in one frame, of which the first one says that it is so long.
fn aggregate(length: u16) -> Vec<u8> {
    let mut frame = header(kind::QOS_DATA, flag::FROM_DS, BROADCAST, OPEN_LAB, OPEN_LAB, 1);
    frame.extend([AGGREGATE, 0]);
    frame.extend(BROADCAST);
    frame.extend(OPEN_LAB);
    frame.extend(length.to_be_bytes());
    frame.extend([0xAA, 0xAA, 3, 0, 0, 0, 8, 0, 0x45, 0, 0, 20]);
    frame
}

/// What restarted the board once.
#[test]
fn frames_that_end_early_restart_nothing() {
    let headers = vec![beacon(0), beacon(ORDER), beacon(0)[..20].to_vec()];
    let elements = vec![
        // Counts of suites of pairs, suites of keys, and key identifiers.
        beacon_with(&[&RSN[..6], &[0x97, 0], &RSN[8..14]]),
        beacon_with(&[&RSN[..12], &[0x97, 0], &RSN[14..]]),
        beacon_with(&[&RSN, &[0xFF, 0xFF]]),
    ];
    let packets = vec![aggregate(0x1000)];
    let mut emulated = board();
    typed(&mut emulated, WANDER);
    for (frames, network) in [(headers, HOME), (elements, HOME), (packets, "('open-lab')")] {
        emulated.board().chip_mut().damage_frames(Some(Damage::given(frames)));
        let said = further(&mut emulated, &format!("visit{network}\n"));
        let damage = emulated.board().chip_mut().damage_frames(None).unwrap();
        assert!(damage.made() > 0 && !said.contains("panicked"), "{} frames:\n{said}", damage.made());
    }
    let said = further(&mut emulated, &format!("visit{HOME}\n"));
    assert!(says_true(&said), "{said}");
}

/// A request to the board's own access point did, too.
#[test]
fn a_request_that_ends_early_restarts_no_access_point() {
    let (mut host, mut guest) = host_and_guest();
    let (from, mut to) = (guest.board(mac), host.board(mac));
    // The address of the second interface.
    to[0] |= 2;
    let request = header(kind::ASSOCIATION_REQUEST, 0, to, from, to, 1)[..22].to_vec();
    host.board(|board| board.chip_mut().damage_frames(Some(Damage::given(vec![request]))));
    let joined = further(&mut guest, "# timeout: 120 s\nis_well()\n");
    let damage = host.board(|board| board.chip_mut().damage_frames(None)).unwrap();
    let heard = further(&mut host, "heard()\n");
    assert!(
        damage.made() > 0 && says_true(&joined) && says_true(&heard),
        "{}:\n{joined}{heard}",
        damage.made()
    );
}

/// `LARCH_AIR_ROUNDS` makes it longer, `LARCH_AIR_SEED` makes it another one.
fn seeds() -> Range<u64> {
    let number = |name: &str, usual: u64| env::var(name).ok().map_or(usual, |text| text.parse().unwrap());
    let (rounds, first) = (number("LARCH_AIR_ROUNDS", 3), number("LARCH_AIR_SEED", 1));
    first..first + rounds
}

#[test]
#[ignore = "minutes: by hand"]
fn a_board_stays_well_whatever_the_air_brings() {
    let mut emulated = board();
    typed(&mut emulated, WANDER);
    let mut made = 0;
    for seed in seeds() {
        emulated.board().chip_mut().damage_frames(Some(Damage::new(seed, 5)));
        let during = further(&mut emulated, "# timeout: 120 s\nwander()\n");
        let damage = emulated.board().chip_mut().damage_frames(None).unwrap();
        let after = further(&mut emulated, "# timeout: 120 s\nwell()\n");
        made += damage.made();
        assert!(says_true(&after), "seed {seed}, after {made} frames; {}\n{during}{after}", latest(&damage));
    }
    println!("{made} damaged frames");
}

#[test]
#[ignore = "minutes: by hand"]
fn an_access_point_stays_well_whatever_the_air_brings() {
    let (mut host, mut guest) = host_and_guest();
    let mut made = 0;
    for seed in seeds() {
        host.board(|board| board.chip_mut().damage_frames(Some(Damage::new(seed, 5))));
        let during = further(&mut guest, "# timeout: 120 s\ncall()\n");
        let damage = host.board(|board| board.chip_mut().damage_frames(None)).unwrap();
        // Makes room for what comes.
        further(&mut host, "heard()\n");
        let joined = further(&mut guest, "# timeout: 120 s\nis_well()\n");
        let heard = further(&mut host, "heard()\n");
        made += damage.made();
        assert!(
            says_true(&joined) && says_true(&heard),
            "seed {seed}, after {made} frames; {}\n{during}{joined}{heard}",
            latest(&damage)
        );
    }
    println!("{made} damaged frames");
}

/// An access point, and a board that knows how to join it, in one air.
fn host_and_guest() -> (Seat, Seat) {
    let (first, mut second) = (board(), board());
    let mut address = mac(second.board());
    address[5] += 1;
    second.board().chip_mut().set_mac(address);
    let mut seats = desk::seats(vec![first, second], Vec::new());
    let (mut guest, mut host) = (seats.pop().unwrap(), seats.pop().unwrap());
    typed(&mut host, HOST);
    typed(&mut guest, &[WANDER, GUEST].concat());
    (host, guest)
}

fn mac(board: &mut Board) -> Mac {
    board.chip_mut().mac()
}

fn says_true(said: &str) -> bool {
    said.lines().any(|line| line == "True")
}

fn latest(damage: &Damage) -> String {
    let latest: Vec<String> = damage.latest().map(|frame| format!("{frame:02x?}")).collect();
    format!("the last ones:\n{}", latest.join("\n"))
}
