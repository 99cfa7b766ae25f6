//! Failures that are one failure: the same difference on many boards, or one board that does not answer any more.

use std::collections::BTreeMap;

use super::model::Night;
use crate::event::{Status, Verdict};

/// Causes that are the board's, whatever was typed.
const OF_THE_BOARD: &[&str] = &["open", "silent", "closed", "reset", "flood", "secret", "boot"];
/// So many scenarios must fail in the same way before it is the board's failure.
const MANY: usize = 4;

/// Pairs that failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// `differs`, `silent`, ...
    pub cause: String,
    /// (scenario, board), by index; the first is the example.
    pub pairs: Vec<(usize, usize)>,
    /// True if it is one board in many scenarios.
    pub of_board: bool,
}

/// The groups of pairs with this status, greatest first.
pub(super) fn groups(night: &Night, status: Status) -> Vec<Group> {
    let mut of_boards: BTreeMap<(usize, String), Vec<(usize, usize)>> = BTreeMap::new();
    let mut same: BTreeMap<(usize, String, String), Vec<(usize, usize)>> = BTreeMap::new();
    for (key, pair) in night.pairs.iter().filter(|(_, pair)| pair.status() == Some(status)) {
        let (cause, shown) = match pair.failure().map(|attempt| &attempt.verdict) {
            Some(Verdict::Failed { cause, shown }) => (cause.clone(), shown.clone()),
            _ => ("other".into(), pair.worst().and_then(|round| round.reason.clone()).unwrap_or_default()),
        };
        if OF_THE_BOARD.contains(&cause.as_str()) {
            of_boards.entry((key.1, cause)).or_default().push(*key);
        } else {
            same.entry((key.0, cause, shown)).or_default().push(*key);
        }
    }
    let mut groups = Vec::new();
    for ((_, cause), pairs) in of_boards {
        if pairs.len() >= MANY {
            groups.push(Group { cause, pairs, of_board: true });
        } else {
            groups.extend(pairs.into_iter().map(|pair| Group {
                cause: cause.clone(),
                pairs: vec![pair],
                of_board: false,
            }));
        }
    }
    groups.extend(same.into_iter().map(|((_, cause, _), pairs)| Group { cause, pairs, of_board: false }));
    let name = |group: &Group| group.pairs.first().map(|pair| night.scenarios[pair.0].clone());
    groups.sort_by(|left, right| {
        right.pairs.len().cmp(&left.pairs.len()).then_with(|| name(left).cmp(&name(right)))
    });
    groups
}
