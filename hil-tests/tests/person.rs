//! The evening that the project comes from, on an emulated board: five wires, none of them for reset; a jumper, a button, a
//! plug, and a person. From blank flash to an answer at the prompt.

mod ready;

use std::cell::{RefCell, RefMut};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use hil_tests::firmware::Firmware;
use hil_tests::lab::{Lab, target_directory};
use larch_emulator::{Board, Config, Rom, Wiring};
use larch_loader::flash::WriteOptions;
use larch_loader::transport::{Lines, Transport};
use larch_loader::{After, Before, Event, Loader, Options, Patience};

type Deed = Box<dyn FnOnce(&mut Board)>;

/// The board, and what the person will do to it and when.
struct Scene {
    board: Board,
    deeds: Vec<(Duration, Deed)>,
}

/// What a test and a loader share.
#[derive(Clone)]
struct Desk(Rc<RefCell<Scene>>);

impl Desk {
    fn board(&self) -> RefMut<'_, Board> {
        RefMut::map(self.0.borrow_mut(), |scene| &mut scene.board)
    }

    fn later(&self, seconds: u64, deed: impl FnOnce(&mut Board) + 'static) {
        let at = self.now() + Duration::from_secs(seconds);
        self.0.borrow_mut().deeds.push((at, Box::new(deed)));
    }

    fn live(&self) {
        let Scene { board, deeds } = &mut *self.0.borrow_mut();
        let now = board.now();
        while let Some(due) = deeds.iter().position(|(at, _)| *at <= now) {
            deeds.remove(due).1(board);
        }
    }

    /// What the board says within the time.
    fn said(&self, time: Duration) -> String {
        let (end, mut said) = (self.now() + time, Vec::new());
        while self.now() < end {
            let mut bytes = [0; 1024];
            let count = self.board().read(&mut bytes, Duration::from_millis(50)).unwrap();
            said.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Transport for Desk {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.live();
        self.board().read(buf, timeout)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.board().write_all(bytes)
    }

    fn set_baud(&mut self, baud: u32) -> io::Result<()> {
        self.board().set_baud(baud);
        Ok(())
    }

    fn set_lines(&mut self, lines: Lines) -> io::Result<()> {
        self.board().set_lines(lines.dtr, lines.rts);
        Ok(())
    }

    fn discard_input(&mut self) -> io::Result<()> {
        self.board().take_output();
        Ok(())
    }

    fn sleep(&mut self, duration: Duration) {
        self.board().sleep(duration);
        self.live();
    }

    fn now(&self) -> Duration {
        self.0.borrow().board.now()
    }
}

#[test]
fn from_blank_flash_to_the_prompt_with_a_jumper_and_a_thumb() {
    let lab = Lab::load(&target_directory()).unwrap();
    let entry = lab.boards.find("esp32c3-emu").unwrap().clone();
    ready::image(&lab, &entry).unwrap();
    let image = Firmware::of(entry.chip, &lab.target).unwrap().image().unwrap();
    let rom = larch_image::packages::rom_elf("esp32c3", 300).unwrap();
    let config = Config::new(Rom::parse(&std::fs::read(rom).unwrap()).unwrap());
    let scene = Scene { board: Board::new(&config, Wiring::None), deeds: Vec::new() };
    let desk = Desk(Rc::new(RefCell::new(scene)));
    let told = Rc::new(RefCell::new(Vec::new()));
    let connect = || {
        let told = Rc::clone(&told);
        let observer = move |event: &Event<'_>| {
            if let Event::Waiting(diagnosis) = event {
                told.borrow_mut().push(format!("{}; {}", diagnosis.finding(), diagnosis.advice()));
            }
        };
        let options = Options {
            before: Before::default_reset("socket://desk"),
            patience: Patience::Person(Some(Duration::from_secs(60))),
            ..Options::default()
        };
        Loader::connect(Box::new(desk.clone()), Box::new(observer), &options).unwrap()
    };

    // The jumper is on, the board has power, and nobody has pressed RESET yet: that comes after seven seconds.
    desk.board().power_on();
    desk.said(Duration::from_millis(500));
    desk.board().set_jumper(true);
    desk.later(7, Board::press_reset);
    let mut loader = connect();
    assert!(
        desk.now() < Duration::from_secs(9),
        "it goes on the moment the chip answers, at {:?}",
        desk.now()
    );
    loader.erase_flash().unwrap();
    loader.finish(&After::hard_reset()).unwrap();
    drop(loader);

    // Once more, for the program itself.
    desk.board().press_reset();
    let mut loader = connect();
    loader.run_own_stub().unwrap();
    loader.write_flash(&image.blobs, &WriteOptions::default()).unwrap();
    loader.finish(&After::hard_reset()).unwrap();

    // Unplug, jumper off, plug in.
    desk.later(3, Board::power_off);
    desk.later(4, |board| board.set_jumper(false));
    desk.later(6, Board::power_on);
    loader.await_program(Some(Duration::from_secs(60))).unwrap();
    drop(loader);
    let said = desk.said(Duration::from_secs(3));
    assert!(said.ends_with(">>> "), "{said}");
    desk.board().write_all(b"6 * 7\r").unwrap();
    assert_eq!(desk.said(Duration::from_millis(500)), "6 * 7\r\n42\r\n>>> ");
    assert_eq!(
        *told.borrow(),
        [
            "the chip finds no program in its flash and keeps resetting; \
             connect the boot pin (GPIO0; GPIO9 on C3 and later) to GND and press RESET",
            "the chip still runs its loader; take the jumper off GPIO9, if there is one, and press RESET",
        ]
    );
}
