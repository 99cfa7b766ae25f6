//! `cargo xtask boards matrix`: one job for each machine that has boards.

use std::collections::BTreeMap;

use anyhow::Result;
use hil_tests::lab::Lab;
use larch_boards::Board;
use serde_json::{Value, json};

use crate::ready;

/// The tag that says on which machine a board hangs: `host:lab-pi`.
pub(crate) const HOST: &str = "host:";

pub(super) fn run(lab: &Lab, as_json: bool) -> Result<()> {
    let hosts = hosts(lab.boards.iter());
    if as_json {
        println!("{}", matrix(&hosts));
        return Ok(());
    }
    for (host, boards) in &hosts {
        println!("   {host:<20} {}", boards.join(", "));
    }
    if hosts.is_empty() {
        println!("   no board of boards.yaml has a tag {HOST}NAME");
    }
    for board in lab.boards.iter().filter(|board| ready::is_attached(board) && host(board).is_none()) {
        eprintln!("   {} has no tag {HOST}NAME: no machine tests it each night", board.name);
    }
    Ok(())
}

fn host(board: &Board) -> Option<&str> {
    board.tags.iter().find_map(|tag| tag.strip_prefix(HOST))
}

fn hosts<'a>(boards: impl Iterator<Item = &'a Board>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut hosts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for board in boards {
        if let Some(host) = host(board) {
            hosts.entry(host).or_default().push(&board.name);
        }
    }
    hosts
}

/// `{"include":[{"boards":"a b","host":"lab-pi","labels":["self-hosted","lab-pi"]}]}`
fn matrix(hosts: &BTreeMap<&str, Vec<&str>>) -> Value {
    let job = |(host, boards): (&&str, &Vec<&str>)| json!({ "host": host, "labels": ["self-hosted", host], "boards": boards.join(" ") });
    json!({ "include": hosts.iter().map(job).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use larch_boards::Boards;

    #[test]
    fn each_machine_is_a_job() {
        let text = "default: a\nboards:\n  a: { chip: esp32c3, port: /dev/ttyUSB0, tags: [shelf, 'host:pi'] }\n  b: { chip: esp32c3, port: emulator }\n  c: { chip: esp32c3, port: /dev/ttyUSB1, tags: ['host:pi'] }\n";
        let boards = Boards::parse("boards.yaml", text).unwrap();
        let expected = r#"{"include":[{"boards":"a c","host":"pi","labels":["self-hosted","pi"]}]}"#;
        assert_eq!(super::matrix(&super::hosts(boards.iter())).to_string(), expected);
    }
}
