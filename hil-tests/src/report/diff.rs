//! Expected and seen, line by line, and within a line what is different.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// How long a comparison may take; after that it is coarser.
const LIMIT: Duration = Duration::from_millis(500);

/// A line of a transcript beside its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub tag: Tag,
    pub text: String,
    /// Where the line differs from its partner, in bytes.
    pub differs: Option<(usize, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Same,
    Expected,
    Seen,
}

impl Tag {
    pub fn sign(self) -> &'static str {
        match self {
            Self::Same => " ",
            Self::Expected => "-",
            Self::Seen => "+",
        }
    }
}

/// Every line of both texts.
pub(super) fn lines(expected: &str, seen: &str) -> Vec<Line> {
    let (expected, seen) = (expected.trim_end(), seen.trim_end());
    let diff = TextDiff::configure().timeout(LIMIT).diff_lines(expected, seen);
    let mut lines: Vec<Line> = diff
        .iter_all_changes()
        .map(|change| {
            let tag = match change.tag() {
                ChangeTag::Equal => Tag::Same,
                ChangeTag::Delete => Tag::Expected,
                ChangeTag::Insert => Tag::Seen,
            };
            Line { tag, text: change.value().trim_end_matches('\n').to_owned(), differs: None }
        })
        .collect();
    mark(&mut lines);
    lines
}

/// Pairs the lines of a removed stretch with those of the added stretch that follows it.
fn mark(lines: &mut [Line]) {
    let mut at = 0;
    while at < lines.len() {
        let run = |from: usize, tag: Tag| lines[from..].iter().take_while(|line| line.tag == tag).count();
        let removed = run(at, Tag::Expected);
        let added = run(at + removed, Tag::Seen);
        if removed == added {
            for index in at..at + removed {
                let (from, to) = (lines[index].text.clone(), lines[index + removed].text.clone());
                let (left, right) = different(&from, &to);
                lines[index].differs = Some(left);
                lines[index + removed].differs = Some(right);
            }
        }
        at += (removed + added).max(1);
    }
}

/// The stretches without what both begin and end with.
fn different(left: &str, right: &str) -> ((usize, usize), (usize, usize)) {
    let same = |(a, b): &(char, char)| a == b;
    let start: usize =
        left.chars().zip(right.chars()).take_while(same).map(|(letter, _)| letter.len_utf8()).sum();
    let (left_rest, right_rest) = (&left[start..], &right[start..]);
    let pairs = left_rest.chars().rev().zip(right_rest.chars().rev());
    let end: usize = pairs.take_while(same).map(|(letter, _)| letter.len_utf8()).sum();
    ((start, left.len() - end), (start, right.len() - end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_word_that_differs_is_marked() {
        let lines =
            lines(">>> exit()\nname 'exit' isn't defined\n", ">>> exit()\nname 'exit' is not defined\n");
        let marked: Vec<(&str, &str)> = lines
            .iter()
            .map(|line| (line.tag.sign(), line.differs.map_or("", |(from, to)| &line.text[from..to])))
            .collect();
        assert_eq!(marked, [(" ", ""), ("-", "n'"), ("+", " no")]);
    }

    proptest! {
        #[test]
        fn marks_lie_within_their_lines(left in "[aé\n]{0,20}", right in "[aé\n]{0,20}") {
            for line in lines(&left, &right) {
                if let Some((from, to)) = line.differs {
                    prop_assert!(line.text.get(from..to).is_some(), "{line:?}");
                }
            }
        }
    }
}
