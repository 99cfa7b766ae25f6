//! The report of a run, from events to files, and the page in a browser where there is one.

mod night;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use hil_tests::event::{Event, Flashed, Status};
use hil_tests::history::{History, Run};
use hil_tests::report::trend::Past;
use hil_tests::report::{self, Writer};

fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(name);
    let _ = fs::remove_dir_all(&path);
    path
}

fn written(name: &str, events: &[Event], past: &Past) -> (PathBuf, String) {
    let directory = directory(name);
    let writer = Writer::begin(&directory).unwrap();
    events.iter().for_each(|event| writer.event(event));
    writer.finish(past).unwrap();
    let page = fs::read_to_string(directory.join(report::PAGE)).unwrap();
    (directory, page)
}

/// The browser, if this machine has one.
fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|said| said.status.success()))
}

/// The document after its scripts have run, and what the browser complained about.
fn visited(page: &Path, fragment: &str) -> Option<(String, String)> {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no chromium");
        return None;
    };
    let profile = directory(&format!("profile-{}", page.parent()?.file_name()?.display()));
    let said = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=20000", "--timeout=60000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}{fragment}", page.display()))
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&said.stderr);
    let complaints: Vec<&str> = complaints.lines().filter(|line| line.contains("CONSOLE")).collect();
    Some((String::from_utf8_lossy(&said.stdout).into_owned(), complaints.join("\n")))
}

#[test]
fn what_needs_a_person_comes_first() {
    let (_, page) = written("first", &night::small(), &night::past());
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text:?} on the page"));
    assert!(at("2 of 21 failed on 1 board.") < at("What failed"));
    assert!(at("What failed") < at("Passed only after a retry"));
    assert!(at("Passed only after a retry") < at("Failed, in quarantine"));
    assert!(at("Failed, in quarantine") < at("All results"));
    assert!(
        page.contains("<del>- NameError: name &#39;exit&#39; is")
            || page.contains("<del>- NameError: name 'exit' is")
    );
    assert!(page.contains("cargo xtask hil --board c3-shelf --scenario errors/exit"));
    assert!(page.contains("fails for 3 runs, since 20 Nov 2026"), "history");
    assert!(page.contains("AP of the lab drops probes"));
}

#[test]
fn the_page_loads_nothing() {
    let (_, page) = written("offline", &night::small(), &night::past());
    for outside in ["http:", "https:", "src=", "@import", "url(", "//cdn"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_hostile_board_is_text() {
    let (directory, page) = written("hostile", &night::hostile(), &Past::default());
    let (before, after) = page.split_once("<main>").unwrap();
    assert!(!after.contains("<img"), "markup of the board");
    assert_eq!(page.matches("</script>").count(), page.matches("<script").count());
    let harmless = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
    assert!(page.chars().all(harmless), "a control character is left");
    assert!(before.len() > 1000);
    let xml = fs::read_to_string(directory.join(report::JUNIT)).unwrap();
    assert!(xml.chars().all(harmless), "a control character is left in junit.xml");
    assert!(!xml.contains("<script"));
    let Some((document, complaints)) = visited(&directory.join(report::PAGE), "#s0b0") else { return };
    assert_eq!(complaints, "");
    assert!(document.contains("<title>2 of 2 failed"), "script of the board ran");
    assert!(document.contains("\\u{202e}"));
}

#[test]
fn the_page_works_in_a_browser() {
    let (directory, _) = written("browser", &night::small(), &night::past());
    // Scenario 2 on board 1 passed: its session is in a blob.
    let Some((document, complaints)) = visited(&directory.join(report::PAGE), "#s2b1") else { return };
    assert_eq!(complaints, "");
    assert!(document.contains("id=\"session\" aria-label=\"Session\" open"), "the session is not open");
    assert!(document.contains("<article data-b=\"1\">"), "the session was not unpacked");
}

#[test]
fn fifty_boards_with_two_hundred_scenarios_stay_small() {
    let events = night::large(50, 200);
    let start = Instant::now();
    let (directory, page) = written("large", &events, &Past::default());
    let time = start.elapsed();
    println!("page of 10000 pairs: {} KB, written in {time:?}", page.len() / 1024);
    assert!(page.len() < 8 * 1024 * 1024, "{} bytes", page.len());
    let xml = fs::read_to_string(directory.join(report::JUNIT)).unwrap();
    assert_eq!(xml.matches("<testcase ").count(), 10_000);
    let Some((document, complaints)) = visited(&directory.join(report::PAGE), "#s150b40") else { return };
    assert_eq!(complaints, "");
    assert!(document.contains("<article data-b=\"40\">"));
}

#[test]
fn junit_knows_what_retries_and_quarantines_are() {
    let (directory, _) = written("junit", &night::small(), &Past::default());
    let xml = fs::read_to_string(directory.join(report::JUNIT)).unwrap();
    assert!(xml.contains("<flakyFailure"), "{xml}");
    assert!(xml.contains("<skipped message=\"quarantined: AP of the lab drops probes"), "{xml}");
    assert!(xml.contains("<failure message="), "{xml}");
    assert!(xml.contains("failures=\"2\""), "{xml}");
}

#[test]
fn a_killed_run_leaves_whole_lines_and_its_page_says_so() {
    let directory = directory("killed");
    let writer = Writer::begin(&directory).unwrap();
    let events = night::small();
    events[..events.len() / 2].iter().for_each(|event| writer.event(event));
    assert!(!directory.join(report::PAGE).exists());
    drop(writer);
    let events = directory.join(report::EVENTS);
    let mut text = fs::read(&events).unwrap();
    assert!(text.ends_with(b"\n"));
    // As if the disk had been full within a line.
    text.extend(b"{\"at_ms\":1,\"event\":\"run-en");
    fs::write(&events, text).unwrap();
    let night = report::render(&directory, &Past::default()).unwrap();
    assert!(!night.complete());
    let page = fs::read_to_string(directory.join(report::PAGE)).unwrap();
    assert!(page.contains("The run did not come to its end"));
    assert!(page.contains("1 line of the events could not be read"));
}

#[test]
fn shards_become_one_report() {
    let events = night::small();
    let shard = |wanted: usize| -> Vec<Event> {
        let mut at = 0;
        let mut keep = |event: &&Event| match event {
            Event::ScenarioEnded(_) | Event::AttemptEnded(_) | Event::AttemptStarted { .. } => {
                at += usize::from(matches!(event, Event::ScenarioEnded(_)));
                at % 2 == wanted
            }
            _ => true,
        };
        events.iter().filter(|event| keep(event)).cloned().collect()
    };
    let parts: Vec<PathBuf> =
        (0..2).map(|index| written(&format!("shard-{index}"), &shard(index), &Past::default()).0).collect();
    let whole = directory("merged");
    report::merge(&parts, &whole).unwrap();
    let night = report::render(&whole, &Past::default()).unwrap();
    let once = report::read(&written("whole", &events, &Past::default()).0).unwrap();
    for status in [Status::Passed, Status::Failed, Status::Flaky, Status::Quarantined] {
        assert_eq!(night.count(status), once.count(status), "{status:?}");
    }
    assert!(night.complete());
    assert_eq!(night.parts, 2);
    let error = report::merge(&[directory("none")], &directory("merged-none")).unwrap_err().to_string();
    assert!(error.contains("events.ndjson"), "{error}");
}

#[test]
fn a_board_that_only_helps_another_one_has_no_row() {
    let mut events = night::small();
    let flashed = events.iter().find_map(|event| match event {
        Event::Flashed(flashed) => Some(flashed.clone()),
        _ => None,
    });
    let helper = Flashed { board: "c3-helper".into(), ..flashed.unwrap() };
    events.insert(events.len() - 1, Event::Flashed(helper));
    let night = report::read(&written("helper", &events, &Past::default()).0).unwrap();
    let names: Vec<&str> = night.boards.iter().map(|board| board.name.as_str()).collect();
    assert_eq!(names, ["c3-shelf", "c3-lab", "micropython-unix"]);
    assert!(night.boards[0].flashed.is_some());
}

#[test]
fn what_is_kept_of_a_run_is_read_by_the_next() {
    let directory = directory("trend");
    let (reported, _) = written("trend-run", &night::small(), &Past::default());
    let run = Run::of(&report::read(&reported).unwrap());
    let history = History::new(&directory);
    let before = Run { run: format!("{}-before", run.run), ..run.clone() };
    history.add(&before).unwrap();
    history.add(&run).unwrap();
    fs::write(
        directory.join("figures.ndjson"),
        "broken\n{\"name\":\"vm/fib\",\"unix_s\":1,\"value\":0.5,\"unit\":\"x\"}\n",
    )
    .unwrap();
    let past = Past::load(&directory);
    assert_eq!(past.runs, [before.clone(), run.clone()]);
    assert_eq!(past.figures["vm/fib"].len(), 1);
    assert_eq!(past.failing_for("c3-shelf", "errors/exit"), 2);
    assert_eq!(past.trouble("c3-shelf", "errors/exit"), (2, 2));
    assert_eq!(past.trouble("c3-shelf", "os/files"), (0, 2));
    assert_eq!(past.clone().before(&run.run).runs, [before]);
    assert_eq!(run.status("c3-shelf", "errors/exit"), Some(Status::Failed));
    // What was skipped did not run.
    assert_eq!(run.status("micropython-unix", "network/station"), None);
}

#[test]
fn the_summary_of_a_job_shows_the_difference() {
    let (reported, _) = written("summary", &night::small(), &Past::default());
    let text = report::summary::markdown(&report::read(&reported).unwrap());
    assert!(text.starts_with("### 2 of 21 failed on 1 board\n"), "{text}");
    assert!(text.contains("**errors/exit** on **c3-shelf**: differs"), "{text}");
    assert!(text.contains("- NameError: name 'exit' isn't defined"), "{text}");
}
