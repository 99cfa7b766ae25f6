//! Runs that never happened, for reports: a small one with one of everything, a hostile one, a large one.

use std::collections::BTreeMap;

use hil_tests::event::{
    Attempt, BoardStarted, Booted, Event, FORMAT, Flashed, Mark, RunStarted, ScenarioEnded, Status, Verdict,
};
use hil_tests::history::{BoardRun, Run};
use hil_tests::report::trend::{Figure, Past};

/// 23 November 2026, 02:17 UTC.
const MORNING: u64 = 1_795_400_220;
const DAY: u64 = 86_400;

const EXPECTED: &str = ">>> exit()\nTraceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nNameError: name 'exit' isn't defined";

/// Builds the events of a run.
struct Told {
    events: Vec<Event>,
}

impl Told {
    fn begin(boards: &[&str], scenarios: &[&str]) -> Self {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        let started = RunStarted {
            format: FORMAT,
            run: "20261123-021700-4711".into(),
            unix_s: MORNING,
            command: "cargo xtask nightly".into(),
            boards: names(boards),
            scenarios: names(scenarios),
            retries: 1,
            repeat: 1,
            shard: None,
        };
        Self { events: vec![Event::RunStarted(started)] }
    }

    fn board(&mut self, board: &str, port: &str) {
        let board = board.to_owned();
        self.events.push(Event::BoardStarted(BoardStarted {
            board: board.clone(),
            chip: "esp32c3".into(),
            port: port.into(),
            tags: vec!["shelf".into()],
            owner: Some("firmware team".into()),
            notes: Some("second shelf, left".into()),
        }));
        self.events.push(Event::Flashed(Flashed {
            board: board.clone(),
            digest: "6f1d0c5a9be2417d8a30".into(),
            build: "larch.0.1.0".into(),
            firmware_bytes: 683_008,
            written: true,
            ms: 2600,
            board_ms: 9800,
        }));
        self.events.push(Event::Booted(Booted {
            board,
            banner: "MicroPython v1.29.0-larch.0.1.0 on 2026-11-23; ESP32C3 module with ESP32C3".into(),
            build: "larch.0.1.0".into(),
            board_ms: 412,
            free_bytes: Some(265_216),
            boot_log: "ESP-ROM:esp32c3-api1-20210207\nBuild:Feb  7 2021\nrst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)".into(),
        }));
    }

    fn attempt(
        &mut self,
        board: &str,
        scenario: &str,
        number: u32,
        verdict: Verdict,
        seen: &str,
        expected: &str,
    ) {
        let serial: Vec<u8> = format!("boot ok\r\n{}\r\n>>> ", seen.replace('\n', "\r\n")).into_bytes();
        let steps = seen.lines().filter(|line| line.starts_with(">>> ")).map(|line| line[4..].to_owned());
        let marks = std::iter::once("reset".to_owned()).chain(steps).enumerate().map(|(index, step)| Mark {
            line: index as u32,
            step,
            offset: if index == 0 { 0 } else { 9 },
            board_ms: 37 * index as u64,
        });
        self.events.push(Event::AttemptStarted {
            board: board.into(),
            scenario: scenario.into(),
            attempt: number,
        });
        self.events.push(Event::AttemptEnded(Box::new(Attempt {
            board: board.into(),
            scenario: scenario.into(),
            round: 1,
            attempt: number,
            verdict,
            transcript: seen.into(),
            expected: Some(expected.into()),
            boot_log: "boot ok".into(),
            marks: marks.collect(),
            ms: 128,
            board_ms: 340,
            serial,
            ..Attempt::default()
        })));
    }

    fn end(&mut self, board: &str, scenario: &str, status: Status, reason: Option<&str>, attempts: u32) {
        self.events.push(Event::ScenarioEnded(ScenarioEnded {
            board: board.into(),
            scenario: scenario.into(),
            round: 1,
            status,
            reason: reason.map(str::to_owned),
            attempts,
            ms: 130,
        }));
    }

    fn passed(&mut self, board: &str, scenario: &str) {
        self.attempt(board, scenario, 1, Verdict::Passed, EXPECTED, EXPECTED);
        self.end(board, scenario, Status::Passed, None, 1);
    }

    fn finish(mut self, boards: &[&str]) -> Vec<Event> {
        for board in boards {
            let board = (*board).to_owned();
            self.events.push(Event::BoardEnded { board, ms: 6840, given_up: None });
        }
        self.events.push(Event::RunEnded { ms: 7200, counts: BTreeMap::new() });
        self.events
    }
}

fn differs(shown: &str) -> Verdict {
    Verdict::Failed { cause: "differs".into(), shown: shown.into() }
}

/// Three boards, eight scenarios, one of everything that can happen.
pub fn small() -> Vec<Event> {
    let boards = ["c3-shelf", "c3-lab", "micropython-unix"];
    let scenarios = [
        "errors/exit",
        "errors/syntax",
        "network/reconnect",
        "network/station",
        "os/files",
        "os/listdir",
        "repl/banner",
        "repl/help",
    ];
    let mut told = Told::begin(&boards, &scenarios);
    told.board(boards[0], "/dev/serial/by-id/usb-Silicon_Labs_CP2102N_0001");
    told.board(boards[1], "rfc2217://lab-pi:4000");
    let other = EXPECTED.replace("isn't", "is not");
    for board in boards {
        for scenario in scenarios {
            match (board, scenario) {
                ("c3-shelf", "errors/exit") => {
                    let shown = "hil-tests/snapshots/errors__exit.snap\n  >>> exit()\n- NameError: name 'exit' isn't defined\n+ NameError: name 'exit' is not defined\n";
                    told.attempt(board, scenario, 1, differs(shown), &other, EXPECTED);
                    told.attempt(board, scenario, 2, differs(shown), &other, EXPECTED);
                    told.end(board, scenario, Status::Failed, Some(shown), 2);
                }
                ("c3-shelf", "repl/help") => {
                    let verdict = Verdict::Failed {
                        cause: "no-prompt".into(),
                        shown: "  >>> help()\n  Welcome to MicroPython\nno prompt after \"help()\" within 10s; the last line is \"Welcome to MicroPython\"\n".into(),
                    };
                    told.attempt(board, scenario, 1, verdict, ">>> help()\nWelcome to MicroPython", EXPECTED);
                    told.end(board, scenario, Status::Failed, Some("no prompt"), 1);
                }
                ("c3-lab", "os/files") => {
                    let verdict = Verdict::Failed {
                        cause: "silent".into(),
                        shown: "the board says nothing after \"open('a')\" for 10s\n".into(),
                    };
                    told.attempt(board, scenario, 1, verdict, ">>> open('a')", EXPECTED);
                    told.attempt(board, scenario, 2, Verdict::Passed, EXPECTED, EXPECTED);
                    told.end(
                        board,
                        scenario,
                        Status::Flaky,
                        Some("the board says nothing after \"open('a')\" for 10s"),
                        2,
                    );
                }
                ("c3-lab", "network/reconnect") => {
                    let verdict = Verdict::Failed {
                        cause: "never-true".into(),
                        shown: "'sta_if.isconnected()' was not true within 10s\n".into(),
                    };
                    told.attempt(board, scenario, 1, verdict, ">>> sta_if.connect()", EXPECTED);
                    told.end(
                        board,
                        scenario,
                        Status::Quarantined,
                        Some("AP of the lab drops probes (net-team, until 2026-12-31)"),
                        1,
                    );
                }
                ("micropython-unix", "repl/banner") => {
                    let reason = "another version and another board".to_owned();
                    told.attempt(
                        board,
                        scenario,
                        1,
                        Verdict::Differs { reason: reason.clone() },
                        &other,
                        EXPECTED,
                    );
                    told.end(board, scenario, Status::Differs, Some(&reason), 1);
                }
                ("micropython-unix", _) if scenario.starts_with("network") => {
                    told.end(board, scenario, Status::Skipped, Some("requires wifi"), 0);
                }
                ("c3-shelf", "network/station") => {
                    told.end(board, scenario, Status::Skipped, Some("requires wifi"), 0)
                }
                _ => told.passed(board, scenario),
            }
        }
    }
    told.events.push(Event::Note {
        board: Some("c3-lab".into()),
        text: "was locked by alice (cargo xtask repl) for 42 s".into(),
    });
    told.finish(&boards)
}

/// A board that wants to take the report over.
pub fn hostile() -> Vec<Event> {
    let evil = "\u{1b}]0;x\u{7}</script><img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>\u{0}\u{202e}]]>&amp;\u{85}";
    let mut told = Told::begin(&["b"], &["errors/exit", "errors/evil"]);
    told.board("b", "/dev/ttyUSB0");
    for scenario in ["errors/exit", "errors/evil"] {
        told.attempt("b", scenario, 1, differs(evil), evil, EXPECTED);
        told.end("b", scenario, Status::Failed, Some(evil), 1);
    }
    if let Some(Event::AttemptEnded(attempt)) =
        told.events.iter_mut().find(|event| matches!(event, Event::AttemptEnded(_)))
    {
        attempt.serial = [evil.as_bytes(), b"\xff\xfe\xc3", &[b'x'; 100_000]].concat();
        attempt.boot_log = evil.into();
        attempt.marks.push(Mark { line: 1, step: evil.into(), offset: u64::MAX, board_ms: u64::MAX });
    }
    told.events.push(Event::Note { board: None, text: evil.into() });
    told.finish(&["b"])
}

/// So many boards, so many scenarios; a few of each fail.
pub fn large(boards: usize, scenarios: usize) -> Vec<Event> {
    let boards: Vec<String> = (0..boards).map(|index| format!("c3-shelf-{index:02}")).collect();
    let topics = ["errors", "network", "os", "repl"];
    let scenarios: Vec<String> = (0..scenarios)
        .map(|index| format!("{}/behaviour_{index:03}", topics[index * topics.len() / scenarios]))
        .collect();
    let (board_names, scenario_names): (Vec<&str>, Vec<&str>) =
        (boards.iter().map(String::as_str).collect(), scenarios.iter().map(String::as_str).collect());
    let mut told = Told::begin(&board_names, &scenario_names);
    for (index, board) in board_names.iter().enumerate() {
        told.board(board, &format!("/dev/serial/by-id/usb-board-{index}"));
        for (number, scenario) in scenario_names.iter().enumerate() {
            let body: String =
                (0..14).map(|line| format!(">>> step({line}, {number})\n{}\n", line * number)).collect();
            let expected = format!("{body}{EXPECTED}");
            let other = expected.replace("isn't", "is not");
            if number == 17 && index % 4 == 1 {
                told.attempt(board, scenario, 1, differs("- isn't\n+ is not\n"), &other, &expected);
                told.end(board, scenario, Status::Failed, Some("differs"), 1);
            } else if index == 31 && number > 150 {
                let verdict = Verdict::Failed {
                    cause: "silent".into(),
                    shown: "the board says nothing after start for 30s\n".into(),
                };
                told.attempt(board, scenario, 1, verdict, "", &expected);
                told.end(board, scenario, Status::Failed, Some("silent"), 1);
            } else if (index * 37 + number * 11) % 997 == 0 {
                told.attempt(board, scenario, 1, differs("- a\n+ b\n"), &other, &expected);
                told.attempt(board, scenario, 2, Verdict::Passed, &expected, &expected);
                told.end(board, scenario, Status::Flaky, Some("differs"), 2);
            } else {
                told.attempt(board, scenario, 1, Verdict::Passed, &expected, &expected);
                told.end(board, scenario, Status::Passed, None, 1);
            }
        }
    }
    told.finish(&board_names)
}

/// What a board comes to on which nothing is wrong.
fn right() -> BTreeMap<String, Vec<Status>> {
    let names = [
        "errors/exit",
        "errors/syntax",
        "network/reconnect",
        "network/station",
        "os/files",
        "os/listdir",
        "repl/banner",
        "repl/help",
    ];
    names.map(|name| (name.to_owned(), vec![Status::Passed])).into()
}

/// Twenty nights before the small one.
pub fn past() -> Past {
    let runs = (0..20u64).map(|night| {
        let mut boards = BTreeMap::new();
        for (board, offset) in [("c3-shelf", 0), ("c3-lab", 3)] {
            let mut known = BoardRun {
                firmware_bytes: Some(640_000 + night * 2100 + night % 3 * 700),
                flash_ms: Some(9_500 + (night * 37 + offset) % 400),
                boot_ms: Some(400 + (night + offset) % 7 * 4),
                free_bytes: Some(268_000 - night * 140),
                ms: Some(6_500 + (night * 53 + offset) % 700),
                outcomes: right(),
            };
            if board == "c3-shelf" && night >= 18 {
                known.outcomes.insert("errors/exit".into(), vec![Status::Failed]);
            }
            if board == "c3-lab" && night % 6 == 2 {
                known.outcomes.insert("os/files".into(), vec![Status::Flaky]);
            }
            boards.insert(board.to_owned(), known);
        }
        let unix_s = MORNING - (21 - night) * DAY + DAY / 2 * u64::from(night >= 18);
        Run { run: format!("night-{night}"), unix_s, ms: 7000, boards }
    });
    let figure = |night: u64| Figure {
        name: "VM, instructions against MicroPython".into(),
        unix_s: MORNING - (20 - night) * DAY,
        value: 0.62 - 0.006 * night as f64 + 0.01 * (night % 4) as f64,
        unit: "×".into(),
    };
    let figures =
        BTreeMap::from([("VM, instructions against MicroPython".to_owned(), (0..20).map(figure).collect())]);
    Past { runs: runs.collect(), figures }
}
