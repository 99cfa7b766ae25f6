//! Scenarios as people write them, and every way to get them wrong.

use super::{AirChange, ApChange, Call, Fault, Scenario, Step, key};
use proptest::prelude::*;
use rstest::rstest;
use std::time::Duration;

#[test]
fn lines_directives_and_comments_are_told_apart() {
    let text = "# hil-tests/scenarios/network/station.repl\n# requires: wifi, sd\n# redact: version\n\
                import network\n#not a comment: typed\n# press: Ctrl-C, Up\n\nif x:\n    y\n\n\
                # wait-until: sta.isconnected()  (3 s)\n# interrupt-after: 200ms\n# timeout: 5 s\n# reset: hard\n";
    let scenario = Scenario::parse("network/station", text).unwrap();
    assert_eq!(scenario.requires, ["wifi", "sd"]);
    assert_eq!((scenario.topic(), scenario.snapshot_name().as_str()), ("network", "network__station"));
    let line = |text: &str| Step::Line(text.into());
    assert_eq!(
        scenario.steps,
        [
            line("import network"),
            line("#not a comment: typed"),
            Step::Press(key("Ctrl-C").unwrap()),
            Step::Press(key("Up").unwrap()),
            line(""),
            line("if x:"),
            line("    y"),
            line(""),
            Step::WaitUntil { expression: "sta.isconnected()".into(), limit: Duration::from_secs(3) },
            Step::InterruptAfter(Duration::from_millis(200)),
            Step::Timeout(Duration::from_secs(5)),
            Step::HardReset { show_boot_log: false },
        ]
    );
}

#[test]
fn raw_paste_takes_the_lines_up_to_the_next_directive() {
    let scenario = Scenario::parse("a", "# raw-paste:\nfor i in x:\n\n    pass\n# press: Ctrl-B\n").unwrap();
    assert_eq!(scenario.steps[0], Step::RawPaste("for i in x:\n\n    pass\n".into()));
    assert_eq!(scenario.steps.len(), 2);
}

#[rstest]
#[case("# require: wifi", "t/x.repl:1: unknown directive 'require', did you mean 'requires'?")]
#[case("# press: Ctrl-Z", "t/x.repl:1: unknown key 'Ctrl-Z', did you mean 'Ctrl-A'?")]
#[case("# redact: versoin", "t/x.repl:1: unknown redaction 'versoin', did you mean 'version'?")]
#[case("# timeout: soon", "t/x.repl:1: bad time 'soon'")]
#[case("# timeout: 5000 s", "t/x.repl:1: '5000 s' is longer than an hour")]
#[case("x\n# requires: wifi", "t/x.repl:2: '# requires:' belongs above the first line that is typed")]
#[case("# reset: soft", "t/x.repl:1: unknown reset 'soft'")]
#[case("# wait-until:  (3 s)", "t/x.repl:1: wait-until needs")]
#[case("# ap: deauthenticat", "t/x.repl:1: unknown ap 'deauthenticat', did you mean 'deauthenticate'?")]
#[case("# ap: 0 off", "t/x.repl:1: bad access point '0': they count from 1")]
#[case("# ap: loss", "t/x.repl:1: 'loss' needs a value")]
#[case("# ap: off = 3", "t/x.repl:1: 'off' takes no value")]
#[case("# ap: loss = 101 %", "t/x.repl:1: bad share '101 %'")]
#[case("# ap: call = http", "t/x.repl:1: bad call 'http'")]
#[case("# ap: password = short", "t/x.repl:1: a WPA2 password has 8 to 63 characters")]
fn a_mistake_names_its_line(#[case] text: &str, #[case] starts: &str) {
    let error = Scenario::parse("t/x", text).unwrap_err().to_string();
    assert!(error.starts_with(starts), "{error}");
}

#[rstest]
#[case("on", 0, ApChange::Up(true))]
#[case("2 off", 1, ApChange::Up(false))]
#[case("deauthenticate", 0, ApChange::Deauthenticate)]
#[case("password = correct horse", 0, ApChange::Password("correct horse".into()))]
#[case("dhcp = off", 0, ApChange::Dhcp(false))]
#[case("3 dns = on", 2, ApChange::Dns(true))]
#[case("loss = 10 %", 0, ApChange::Loss(10))]
#[case("reorder = 20%", 0, ApChange::Reorder(20))]
#[case("call = 8080", 0, ApChange::Call(8080, Call::Echo))]
#[case("call = 80, say GET /\\r\\n", 0, ApChange::Call(80, Call::Words(b"GET /\r\n".to_vec())))]
#[case("call = 443, tls say hello", 0, ApChange::Call(443, Call::Tls(b"hello".to_vec())))]
#[case("latency = 50ms", 0, ApChange::Latency(Duration::from_millis(50)))]
fn an_access_point_is_changed(#[case] said: &str, #[case] access_point: usize, #[case] what: ApChange) {
    let scenario = Scenario::parse("t/x", &format!("# ap: {said}\n")).unwrap();
    assert_eq!(scenario.steps, [Step::Air(AirChange { access_point, what })]);
    assert_eq!(scenario.requires, ["ap"]);
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "(# [a-z-]{1,8}: ?)?\\PC{0,60}") {
        let _ = Scenario::parse("t/x", &text);
    }
}

#[test]
fn the_outside_is_part_of_a_scenario_and_is_required() {
    let text = "# variants: psram\n# pin: 4 = high\n# pin: 4 = open\n# on: second\nx\n# on: first\n# power: cycle\n\
                # ap: off\n# fault: power cut at flash operation 3\n";
    let scenario = Scenario::parse("t/x", text).unwrap();
    assert_eq!(
        scenario.steps,
        [
            Step::Pin { pin: 4, level: Some(true) },
            Step::Pin { pin: 4, level: None },
            Step::On("second".into()),
            Step::Line("x".into()),
            Step::On("first".into()),
            Step::Power { on: false },
            Step::Power { on: true },
            Step::Air(AirChange { access_point: 0, what: ApChange::Up(false) }),
            Step::Fault(Fault::PowerCut(3)),
        ]
    );
    assert_eq!(scenario.requires, ["pins", "second", "power", "ap", "emulator"]);
    assert_eq!(scenario.peers(), ["second"]);
    assert_eq!((scenario.line_of(0), scenario.line_of(3), scenario.line_of(6)), (2, 5, 7));
    assert_eq!(scenario.snapshots().collect::<Vec<_>>(), ["t__x", "t__x@psram"]);
}
