//! Which boards and which scenarios.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use hil_tests::lab::Lab;
use larch_boards::{Board, glob_matches, nearest};

use super::Arguments;
use crate::workspace;

/// The boards that the command line names, copies included.
pub(super) fn boards(lab: &Lab, arguments: &Arguments) -> Result<Vec<Board>> {
    let named = if arguments.all {
        lab.boards.iter().cloned().collect()
    } else if !arguments.tag.is_empty() {
        tagged(lab, &arguments.tag)?
    } else if arguments.board.is_empty() {
        vec![workspace::board(lab, None)?]
    } else {
        let found: Result<Vec<Board>> =
            arguments.board.iter().map(|name| workspace::board(lab, Some(name))).collect();
        found?
    };
    let mut boards: Vec<Board> = Vec::new();
    for board in named {
        match arguments.copies {
            Some(count) if board.port.is_started() => {
                boards.extend((1..=usize::from(count)).map(|number| board.copy(number)));
            }
            _ if boards.iter().any(|known| known.name == board.name) => {}
            _ => boards.push(board),
        }
    }
    Ok(boards)
}

fn tagged(lab: &Lab, tags: &[String]) -> Result<Vec<Board>> {
    let has = |board: &&Board| board.tags.iter().any(|tag| tags.contains(tag));
    let found: Vec<Board> = lab.boards.iter().filter(has).cloned().collect();
    if found.is_empty() {
        let known: BTreeSet<&str> =
            lab.boards.iter().flat_map(|board| board.tags.iter().map(String::as_str)).collect();
        let known: Vec<&str> = known.into_iter().collect();
        let tags = tags.join("' or '");
        bail!("no board of boards.yaml has the tag '{tags}' (known: {})", known.join(", "));
    }
    Ok(found)
}

/// Names and positions of the scenarios; every glob must match one.
pub(crate) fn scenarios(lab: &Lab, globs: &[String]) -> Result<(Vec<String>, Vec<usize>)> {
    let names: Vec<&str> = lab.suite.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    for glob in globs {
        if !names.iter().any(|name| glob_matches(glob, name)) {
            let near = nearest(glob, &names);
            let hint = near.map_or_else(String::new, |near| format!(", did you mean '{near}'?"));
            bail!("no scenario '{glob}'{hint} (they are in hil-tests/scenarios)");
        }
    }
    let wanted = |name: &str| globs.is_empty() || globs.iter().any(|glob| glob_matches(glob, name));
    Ok(names
        .iter()
        .enumerate()
        .filter(|(_, name)| wanted(name))
        .map(|(at, name)| (name.to_string(), at))
        .unzip())
}
