//! The recorded sessions of the repository: loader and harness do today what they did then, without a board.

use std::fs;
use std::path::{Path, PathBuf};

use hil_tests::record::{EXTENSION, Replay, SessionFile, replay};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions")
}

fn session(name: &str) -> String {
    fs::read_to_string(directory().join(name)).unwrap()
}

/// A session that was changed, replayed.
fn changed(name: &str, change: impl FnOnce(String) -> String) -> Replay {
    let text = session(name);
    let other = change(text.clone());
    assert_ne!(text, other, "nothing was changed");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.{EXTENSION}", other.len()));
    fs::write(&path, other).unwrap();
    let again = replay(&path).unwrap();
    fs::remove_file(&path).unwrap();
    again
}

#[test]
fn every_session_replays_as_recorded() {
    let mut count = 0;
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            let again = replay(&path).unwrap();
            assert!(again.same(), "{}: {again:#?}", path.display());
            count += 1;
        }
    }
    assert!(count >= 3, "only {count} sessions");
}

#[test]
fn another_answer_is_another_transcript() {
    let again = changed("micropython-unix-errors__exit-1.1.session", |text| {
        // The first is what the board said, a later one what the run saw then.
        text.replacen("isn't", "isnt_", 1)
    });
    assert!(!again.same());
    assert_eq!(again.divergence, None);
    assert!(again.seen_now.contains("isnt_"), "{}", again.seen_now);
}

#[test]
fn a_harness_that_types_something_else_is_found_out() {
    let again = changed("micropython-unix-errors__exit-1.1.session", |text| {
        text.replace("# typed: exit()", "# typed: exit(1)")
    });
    let divergence = again.divergence.unwrap();
    assert!(divergence.contains("the record has"), "{divergence}");
}

#[test]
fn a_board_that_said_nothing_more_is_silent_again() {
    let again = changed("micropython-unix-errors__exit-1.1.session", |text| {
        // What came after the line was entered is gone.
        let entered = text.find(" > \"\\r\"\n").unwrap() + 8;
        let outcome = text.find("# outcome").unwrap();
        format!("{}{}", &text[..entered], &text[outcome..])
    });
    assert_eq!(again.now, "silent", "{again:?}");
}

#[test]
fn any_damage_is_a_message() {
    let text = session("micropython-unix-errors__exit-1.1.session");
    for at in (0..text.len()).step_by(97) {
        let mut damaged = text.clone().into_bytes();
        damaged[at] = b'\x7f';
        if let Ok(damaged) = String::from_utf8(damaged) {
            let _ = SessionFile::parse(&damaged);
        }
    }
    assert!(replay(Path::new("/nowhere/x.session")).unwrap_err().contains("/nowhere/x.session"));
}
