//! Runs with boards that do not behave, beside one that does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hil_tests::event::{Event, ScenarioEnded, Stamped, Status, Verdict};
use hil_tests::lab::Lab;
use hil_tests::lock::{self, Lock, Told};
use hil_tests::run::{Suite, Update};
use hil_tests::runner::{self, Plan};
use larch_boards::Boards;

const FAKE: &str = env!("CARGO_BIN_EXE_fake-board");

/// A checkout of its own with three scenarios, and these boards.
fn lab(name: &str, boards: &[(&str, String)]) -> Lab {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("runner-{name}"));
    let _ = fs::remove_dir_all(&root);
    // A board that hangs costs this much; one that works needs far less, also when all tests of this file start boards.
    let limit = if boards.iter().any(|(kind, _)| *kind == "hang") { 3 } else { 20 };
    for scenario in ["one", "two", "three"] {
        let write = |path: PathBuf, text: String| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            root.join(format!("scenarios/t/{scenario}.repl")),
            format!("# timeout: {limit}s\n{scenario}\n"),
        );
        let snapshot = format!("---\nsource: x\n---\n>>> {scenario}\n{scenario}\n");
        write(root.join(format!("snapshots/t__{scenario}.snap")), snapshot);
    }
    fs::write(root.join("differences.yaml"), "{}\n").unwrap();
    let mut text = format!("default: {}\nboards:\n", boards[0].0);
    for (board, more) in boards {
        text.push_str(&format!("  {board}:\n    chip: host\n    port: {{ command: {FAKE} {more}\n"));
    }
    let boards = Boards::parse("test", &text).unwrap();
    Lab {
        root: root.clone(),
        target: root.join("target"),
        boards,
        suite: Suite::load(&root).unwrap(),
        record: None,
    }
}

fn board(kind: &str) -> (&str, String) {
    (kind, format!("{kind} }}"))
}

fn plan(lab: &Lab) -> Plan {
    Plan {
        boards: lab.boards.iter().cloned().collect(),
        scenarios: lab.suite.scenarios.iter().map(|scenario| scenario.name.clone()).collect(),
        positions: (0..lab.suite.scenarios.len()).collect(),
        update: Update::Leave,
        retries: 0,
        repeat: 1,
        shard: None,
        keep_going: false,
        skip_missing: false,
        seed: None,
        lock_limit: Duration::ZERO,
        jobs: 8,
    }
}

fn run(lab: &Lab, plan: &Plan) -> (Vec<Event>, BTreeMap<Status, u32>) {
    let events = Mutex::new(Vec::new());
    let counts = runner::run(lab, plan, &|_, _| Ok(()), &|event| events.lock().unwrap().push(event.clone()));
    (events.into_inner().unwrap(), counts)
}

fn ended<'a>(events: &'a [Event], board: &str) -> Vec<&'a ScenarioEnded> {
    let of = |event: &'a Event| match event {
        Event::ScenarioEnded(ended) if ended.board == board => Some(ended),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

fn given_up(events: &[Event], name: &str) -> Option<String> {
    events.iter().find_map(|event| match event {
        Event::BoardEnded { board, given_up, .. } if board == name => given_up.clone(),
        _ => None,
    })
}

#[test]
fn boards_that_hang_flood_or_vanish_cost_only_themselves() {
    let lab = lab("bad", &["fine", "hang", "flood", "vanish"].map(board));
    let start = Instant::now();
    let (events, counts) = run(&lab, &plan(&lab));
    assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
    assert!(ended(&events, "fine").iter().all(|ended| ended.status == Status::Passed));
    for bad in ["hang", "flood", "vanish"] {
        let ended = ended(&events, bad);
        assert_eq!(ended.len(), 3, "{bad}");
        assert!(ended.iter().all(|ended| ended.status == Status::Failed), "{bad}: {ended:?}");
        assert!(given_up(&events, bad).unwrap().contains("3 times in a row"));
    }
    assert_eq!(given_up(&events, "fine"), None);
    assert!(!runner::is_good(&counts, 3));
    assert!(matches!(events.first(), Some(Event::RunStarted(_))));
    assert!(matches!(events.last(), Some(Event::RunEnded { .. })));
}

#[test]
fn a_flood_of_two_hundred_megabytes_is_bounded_in_memory() {
    let lab = lab("flood", &[board("flood")]);
    let before = resident_kb();
    let serial = AtomicUsize::new(0);
    let count = |event: &Event| {
        if let Event::AttemptEnded(attempt) = event {
            serial.fetch_add(attempt.serial.len(), Ordering::Relaxed);
        }
    };
    runner::run(&lab, &Plan { repeat: 140, keep_going: true, ..plan(&lab) }, &|_, _| Ok(()), &count);
    let grown = resident_kb().saturating_sub(before);
    // Each of 420 attempts is cut off at half a megabyte. The other tests of this file share the process.
    let serial = serial.into_inner();
    assert!(serial > 200_000_000, "{serial}");
    assert!(grown < 100_000, "{grown} KB for {serial} bytes");
}

fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn what_a_hostile_board_says_is_text_in_every_event() {
    let lab = lab("hostile", &[board("hostile")]);
    let (events, _) = run(&lab, &plan(&lab));
    for event in &events {
        let line = serde_json::to_string(&Stamped { at_ms: 0, event: event.clone() }).unwrap();
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(
            !line.contains("\\u001b") && !line.contains("\\u0007") && !line.contains("\\u009b"),
            "{line}"
        );
        assert!(serde_json::from_str::<Stamped>(&line).is_ok());
    }
    let verdicts = events.iter().filter(|event| {
        matches!(event, Event::AttemptEnded(attempt)
        if matches!(&attempt.verdict, Verdict::Failed { cause, .. } if cause == "differs"))
    });
    assert_eq!(verdicts.count(), 3, "the session goes on to its end");
}

#[test]
fn a_retry_makes_flaky_and_never_passed() {
    let marker = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("runner-flaky-marker");
    let flaky = || [("flaky", format!("flaky {} }}", marker.display()))];
    let _ = fs::remove_file(&marker);
    let lab = lab("flaky", &flaky());
    let (events, counts) = run(&lab, &Plan { retries: 1, ..plan(&lab) });
    let statuses: Vec<Status> = ended(&events, "flaky").iter().map(|ended| ended.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == Status::Flaky).count(), 1, "{statuses:?}");
    assert_eq!((counts[&Status::Flaky], counts[&Status::Passed]), (1, 2));
    fs::remove_file(&marker).unwrap();
    let (events, counts) = run(&lab, &plan(&lab));
    assert_eq!(counts[&Status::Failed], 1, "{events:#?}");
}

#[test]
fn quarantine_holds_until_its_day() {
    let entry = |until: &str| {
        let entry = format!("{{ scenario: t/*, reason: known, owner: me, until: {until} }}");
        [("vanish", format!("vanish }}\n    quarantine: [{entry}]"))]
    };
    let lab_until = |name, day| lab(name, &entry(day));
    let (_, counts) =
        run(&lab_until("quarantine", "2999-12-31"), &plan(&lab_until("quarantine", "2999-12-31")));
    assert_eq!(counts.get(&Status::Quarantined), Some(&3));
    let late = lab_until("expired", "2020-12-31");
    let (events, counts) = run(&late, &Plan { keep_going: true, ..plan(&late) });
    assert_eq!(counts.get(&Status::Failed), Some(&3));
    let reason = ended(&events, "vanish")[0].reason.clone().unwrap();
    assert!(reason.starts_with("its quarantine ended on 2020-12-31; owner: me"), "{reason}");
}

#[test]
fn shards_cover_everything_once() {
    let lab = lab("shards", &[board("fine")]);
    let mut seen = Vec::new();
    for part in 1..=2 {
        let shard = Some(runner::Shard::parse(&format!("{part}/2")).unwrap());
        let (events, _) = run(&lab, &Plan { shard, ..plan(&lab) });
        seen.extend(ended(&events, "fine").iter().map(|ended| ended.scenario.clone()));
    }
    seen.sort();
    assert_eq!(seen, ["t/one", "t/three", "t/two"]);
    assert!(runner::Shard::parse("3/2").is_err() && runner::Shard::parse("0/2").is_err());
}

#[test]
fn many_boards_at_once_do_not_mix_their_words() {
    let lab = lab("many", &[board("fine")]);
    let fine = lab.boards.default_board();
    let boards = (1..=32).map(|number| fine.copy(number)).collect();
    let (_, counts) = run(&lab, &Plan { boards, jobs: 32, seed: Some(7), ..plan(&lab) });
    assert_eq!(counts, BTreeMap::from([(Status::Passed, 96)]));
}

#[test]
fn kill_9_leaves_a_lock_that_is_taken_over_and_no_board_process() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("runner-kill");
    let _ = fs::remove_dir_all(&directory);
    let mut holder = Command::new(FAKE).arg("hold").arg(&directory).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let child: u32 = line.trim().strip_prefix("ready ").unwrap().parse().unwrap();
    assert!(is_running(child));
    assert_eq!(lock::holder(&directory, "held").unwrap().pid, holder.id());
    holder.kill().unwrap();
    holder.wait().unwrap();
    let told = Mutex::new(Vec::new());
    let tell = |what: &Told| told.lock().unwrap().push(what.clone());
    let lock = Lock::take(&directory, "held", "held", Duration::from_secs(5), &tell).unwrap();
    let told = told.into_inner().unwrap();
    assert!(
        told.iter().any(|what| matches!(what, Told::TookOver(before) if before.pid == holder.id())),
        "{told:?}"
    );
    drop(lock);
    let start = Instant::now();
    while is_running(child) {
        assert!(start.elapsed() < Duration::from_secs(10), "process {child} outlives its harness");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that has ended and waits for its parent to notice is not running.
fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}
