//! Two boards on one cable.

extern crate std;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::thread_local;
use std::vec;
use std::vec::Vec;

use larch_hal::{Addresses, Endpoint, NetError, Short, SocketId, Sockets, Transport};

use super::{Driver, LEAVE_US, Names, Network, OPEN};

thread_local! {
    static NOW_US: Cell<u64> = const { Cell::new(0) };
}

type Frames = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// One end of a cable that loses one frame of `lose`, none if that is zero.
struct Cable {
    number: u8,
    incoming: Frames,
    outgoing: Frames,
    lose: usize,
    sent: usize,
    memory: Rc<Cell<usize>>,
}

impl Driver for Cable {
    fn mac(&self) -> [u8; 6] {
        [2, 0, 0, 0, 0, self.number]
    }

    fn is_up(&self) -> bool {
        true
    }

    fn memory_left(&self) -> usize {
        self.memory.get()
    }

    fn receive(&mut self, show: &mut dyn FnMut(&mut Self, &[u8])) -> bool {
        let frame = self.incoming.borrow_mut().pop_front();
        frame.map(|frame| show(self, &frame)).is_some()
    }

    fn can_transmit(&mut self) -> bool {
        self.outgoing.borrow().len() < 8
    }

    fn transmit(&mut self, len: usize, fill: &mut dyn FnMut(&mut [u8])) {
        let mut frame = vec![0; len];
        fill(&mut frame);
        self.sent += 1;
        let draw = (self.sent as u32 + u32::from(self.number)).wrapping_mul(2_654_435_761) >> 16;
        if self.lose == 0 || !(draw as usize).is_multiple_of(self.lose) {
            self.outgoing.borrow_mut().push_back(frame);
        }
    }
}

/// Boards 10.0.0.1 and 10.0.0.2.
struct Pair {
    boards: [Network<Cable>; 2],
    memory: Rc<Cell<usize>>,
}

impl Pair {
    fn new(lose: usize) -> Self {
        let frames: [Frames; 2] = Default::default();
        let memory = Rc::new(Cell::new(usize::MAX));
        let boards = [1, 2].map(|number: u8| {
            let (own, other) = (usize::from(number) - 1, 2 - usize::from(number));
            let cable = Cable {
                number,
                incoming: frames[own].clone(),
                outgoing: frames[other].clone(),
                lose,
                sent: 0,
                memory: memory.clone(),
            };
            let mut board = Network::new(|| NOW_US.get(), u32::from(number));
            board.attach(0, cable, u64::from(number)).unwrap();
            let address = [10, 0, 0, number];
            let addresses = Addresses { address, prefix: 24, gateway: [0; 4], dns: [0; 4] };
            board.set_addresses(0, Some(addresses));
            board
        });
        let mut this = Self { boards, memory };
        this.settle();
        this
    }

    fn settle(&mut self) {
        for _ in 0..50 {
            NOW_US.set(NOW_US.get() + 1000);
            self.boards.iter_mut().for_each(Network::poll);
        }
    }

    /// Tries until it works, for a simulated minute.
    fn wait<T>(
        &mut self,
        board: usize,
        mut attempt: impl FnMut(&mut Network<Cable>) -> Result<T, NetError>,
    ) -> Result<T, NetError> {
        for _ in 0..60_000 {
            match attempt(&mut self.boards[board]) {
                Err(NetError::Again) => {
                    NOW_US.set(NOW_US.get() + 1000);
                    self.boards.iter_mut().for_each(Network::poll);
                }
                answer => return answer,
            }
        }
        Err(NetError::Again)
    }

    fn listener(&mut self, port: u16, backlog: usize) -> SocketId {
        let socket = self.boards[1].open(Transport::Tcp).unwrap();
        self.boards[1].bind(socket, Endpoint { address: [0; 4], port }).unwrap();
        self.boards[1].listen(socket, backlog).unwrap();
        socket
    }

    fn client(&mut self, port: u16) -> Result<SocketId, NetError> {
        let socket = self.boards[0].open(Transport::Tcp)?;
        self.boards[0].connect(socket, Endpoint { address: [10, 0, 0, 2], port })?;
        self.wait(0, |board| board.connected(socket)).inspect_err(|_| self.boards[0].close(socket))?;
        Ok(socket)
    }

    /// Sends everything one way and gives what arrives.
    fn carry(&mut self, from: SocketId, to: SocketId, bytes: &[u8]) -> Vec<u8> {
        let (mut sent, mut arrived) = (0, Vec::new());
        let mut buffer = [0; 700];
        for _ in 0..1_000_000 {
            if arrived.len() >= bytes.len() {
                break;
            }
            if let Ok(count) = self.boards[0].send(from, &bytes[sent..], None) {
                sent += count;
            }
            NOW_US.set(NOW_US.get() + 1000);
            self.boards.iter_mut().for_each(Network::poll);
            match self.boards[1].receive(to, &mut buffer, false) {
                Ok((count, _)) => arrived.extend_from_slice(&buffer[..count]),
                Err(error) => assert_eq!(error, NetError::Again),
            }
        }
        arrived
    }
}

#[test]
fn bytes_arrive_whole_also_when_frames_are_lost() {
    for lose in [0, 10] {
        let mut pair = Pair::new(lose);
        let listener = pair.listener(80, 1);
        let client = pair.client(80).unwrap();
        let (server, from) = pair.wait(1, |board| board.accept(listener)).unwrap();
        assert_eq!(from.address, [10, 0, 0, 1]);
        let bytes: Vec<u8> = (0..100_000_u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
        assert!(pair.carry(client, server, &bytes) == bytes, "one frame of {lose} lost");
        pair.boards[0].close(client);
        assert_eq!(pair.wait(1, |board| board.receive(server, &mut [0; 10], false)).unwrap().0, 0);
        assert!(pair.boards[1].readiness(server).readable, "the end can be read again and again");
    }
}

#[test]
fn more_clients_than_the_backlog_are_served_one_after_the_other() {
    let mut pair = Pair::new(0);
    let listener = pair.listener(80, 2);
    let clients: Vec<SocketId> = (0..4)
        .map(|_| {
            let socket = pair.boards[0].open(Transport::Tcp).unwrap();
            pair.boards[0].connect(socket, Endpoint { address: [10, 0, 0, 2], port: 80 }).unwrap();
            socket
        })
        .collect();
    pair.settle();
    for _ in &clients {
        let (server, _) = pair.wait(1, |board| board.accept(listener)).unwrap();
        pair.boards[1].close(server);
    }
    for client in clients {
        assert_eq!(pair.wait(0, |board| board.connected(client)), Ok(()));
    }
}

#[test]
fn a_router_outside_of_the_network_is_reached() {
    let mut pair = Pair::new(0);
    let alone = Addresses { address: [10, 0, 0, 1], prefix: 32, gateway: [10, 0, 0, 2], dns: [0; 4] };
    pair.boards[0].set_addresses(0, Some(alone));
    pair.listener(80, 1);
    assert!(pair.client(80).is_ok(), "a lease of a single address");
    assert_eq!(pair.boards[0].addresses(0), Some(alone), "what was leased is what is told");
}

#[test]
fn boards_know_each_other_by_name() {
    let mut pair = Pair::new(0);
    pair.boards[1].set_host_name(0, &Short::new(b"lamp").unwrap());
    assert_eq!(pair.wait(0, |board| board.resolve("Lamp.local")), Ok([10, 0, 0, 2]));
    assert_eq!(pair.wait(0, |board| board.resolve("door.local")), Err(NetError::NoSuchName));
    assert_eq!(pair.boards[0].resolve("lamp.test"), Err(NetError::Unreachable), "there is no name server");
}

#[test]
fn what_goes_wrong_is_told() {
    let mut pair = Pair::new(0);
    assert_eq!(pair.client(81), Err(NetError::Refused));
    let socket = pair.boards[0].open(Transport::Tcp).unwrap();
    let far = Endpoint { address: [8, 8, 8, 8], port: 80 };
    assert_eq!(pair.boards[0].connect(socket, far), Err(NetError::Unreachable));
    let nobody = Endpoint { address: [10, 0, 0, 99], port: 80 };
    assert_eq!(pair.boards[0].connect(socket, nobody), Ok(()));
    assert_eq!(pair.boards[0].connect(socket, nobody), Err(NetError::Connecting));
    assert_eq!(pair.wait(0, |board| board.connected(socket)), Err(NetError::TimedOut));
    let (a, b) = (pair.listener(80, 1), pair.boards[1].open(Transport::Tcp).unwrap());
    assert_eq!(pair.boards[1].bind(b, Endpoint { address: [0; 4], port: 80 }), Err(NetError::AddressInUse));
    pair.boards[1].close(a);
    assert_eq!(pair.boards[1].bind(b, Endpoint { address: [0; 4], port: 80 }), Ok(()));
    assert_eq!(pair.boards[1].send(b, b"x", None), Err(NetError::NotConnected));
    pair.boards[1].close(b);
    pair.boards[1].close(b);
    assert_eq!(pair.boards[1].send(b, b"x", None), Err(NetError::Closed));
}

#[test]
fn short_connections_leave_nothing_behind() {
    let mut pair = Pair::new(0);
    let listener = pair.listener(80, 2);
    for round in 0..300_u32 {
        let client = pair.client(80).unwrap();
        let (server, _) = pair.wait(1, |board| board.accept(listener)).unwrap();
        pair.boards[0].send(client, &round.to_be_bytes(), None).unwrap();
        pair.wait(1, |board| board.receive(server, &mut [0; 4], false)).unwrap();
        // Now this side goes first, now that.
        let order = if round % 2 == 0 { [(0, client), (1, server)] } else { [(1, server), (0, client)] };
        for (board, socket) in order {
            pair.boards[board].close(socket);
        }
    }
    NOW_US.set(NOW_US.get() + LEAVE_US);
    pair.settle();
    for board in &pair.boards {
        assert!(board.leaving.is_empty());
        let interface = board.interfaces[0].as_ref().unwrap();
        assert!(interface.socket_count() <= 2 + 1, "DHCP, DNS, and one ready for the next client");
    }
    let all: Vec<_> = (0..OPEN).map(|_| pair.boards[0].open(Transport::Tcp)).collect();
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(pair.boards[0].open(Transport::Tcp), Err(NetError::TooMany));
}

#[test]
fn memory_that_a_driver_needs_is_not_taken() {
    let mut pair = Pair::new(0);
    pair.listener(80, 2);
    pair.memory.set(1000);
    assert_eq!(pair.client(80), Err(NetError::NoMemory));
    pair.memory.set(2 * 1460);
    assert!(pair.client(80).is_ok(), "small buffers do, too");
}

#[test]
fn who_only_says_goodbye_makes_room() {
    let mut pair = Pair::new(0);
    let listener = pair.listener(80, 2);
    let idle = pair.client(80).unwrap();
    pair.wait(1, |board| board.accept(listener)).unwrap();
    let busy = pair.client(80).unwrap();
    let (server, _) = pair.wait(1, |board| board.accept(listener)).unwrap();
    pair.boards[0].send(busy, b"on its way", None).unwrap();
    pair.boards[0].close(busy);
    pair.boards[0].close(idle);
    assert_eq!(pair.boards[0].leaving.len(), 2);
    pair.memory.set(1000);
    assert_eq!(pair.client(80), Err(NetError::NoMemory));
    assert_eq!(pair.boards[0].leaving.len(), 1);
    let mut buffer = [0; 20];
    let (count, _) = pair.wait(1, |board| board.receive(server, &mut buffer, false)).unwrap();
    assert_eq!(&buffer[..count], b"on its way");
}

#[test]
fn packets_keep_their_borders() {
    let mut pair = Pair::new(0);
    let [a, b] = [0, 1].map(|board: usize| {
        let socket = pair.boards[board].open(Transport::Udp).unwrap();
        pair.boards[board].bind(socket, Endpoint { address: [0; 4], port: 5000 }).unwrap();
        socket
    });
    let to = Some(Endpoint { address: [10, 0, 0, 2], port: 5000 });
    for text in [&b"one"[..], b"", b"three"] {
        pair.boards[0].send(a, text, to).unwrap();
    }
    let mut buffer = [0; 2000];
    for text in [&b"one"[..], b"", b"three"] {
        let (count, from) = pair.wait(1, |board| board.receive(b, &mut buffer, false)).unwrap();
        assert_eq!((&buffer[..count], from), (text, Endpoint { address: [10, 0, 0, 1], port: 5000 }));
    }
    assert_eq!(pair.boards[1].receive(b, &mut buffer, false), Err(NetError::Again));
    assert_eq!(pair.boards[0].send(a, &[0; 1473], to), Err(NetError::TooLong));
    assert_eq!(pair.boards[0].send(a, b"x", None), Err(NetError::NotConnected));
}

#[test]
fn an_interface_goes_away_under_its_sockets() {
    let mut pair = Pair::new(0);
    let listener = pair.listener(80, 1);
    let client = pair.client(80).unwrap();
    pair.boards[0].detach(0);
    assert_eq!(pair.boards[0].send(client, b"x", None), Err(NetError::Aborted));
    assert!(pair.boards[0].readiness(client).failed);
    pair.boards[0].close(client);
    pair.boards[1].detach(0);
    assert_eq!(pair.boards[1].accept(listener), Err(NetError::Again));
    pair.boards[1].close_all();
    pair.settle();
}

#[test]
fn members_of_a_group_hear_what_is_sent_to_it() {
    let mut pair = Pair::new(0);
    let group = [239, 1, 2, 3];
    let [a, b] = [0, 1].map(|board: usize| {
        let socket = pair.boards[board].open(Transport::Udp).unwrap();
        pair.boards[board].bind(socket, Endpoint { address: [0; 4], port: 5000 }).unwrap();
        socket
    });
    let to = Some(Endpoint { address: group, port: 5000 });
    pair.boards[0].send(a, b"nobody", to).unwrap();
    pair.settle();
    assert_eq!(pair.boards[1].receive(b, &mut [0; 9], false), Err(NetError::Again));
    pair.boards[1].join(group).unwrap();
    pair.boards[0].send(a, b"members", to).unwrap();
    let mut buffer = [0; 9];
    let (count, from) = pair.wait(1, |board| board.receive(b, &mut buffer, false)).unwrap();
    assert_eq!((&buffer[..count], from.address), (&b"members"[..], [10, 0, 0, 1]));
    assert_eq!(pair.boards[1].join([10, 0, 0, 9]), Err(NetError::Invalid));
}

#[test]
fn a_name_that_comes_again_costs_nothing() {
    let mut names = Names(heapless::Vec::new());
    let first = names.option(&Short::new(b"first").unwrap()).unwrap();
    for number in 0..20_u8 {
        let name = Short::new(&[b'a' + number % 4]).unwrap();
        assert_eq!(names.option(&name).unwrap()[0].data, name.as_bytes());
    }
    assert!(core::ptr::eq(names.option(&Short::new(b"first").unwrap()).unwrap(), first));
    assert_eq!(names.0.len(), 5);
    for number in 0..20_u8 {
        names.option(&Short::new(&[b'k' + number]).unwrap());
    }
    assert!(names.0.is_full() && names.option(&Short::new(b"one too many").unwrap()).is_none());
}
