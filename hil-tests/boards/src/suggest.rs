//! "Unknown X, did you mean Y?": the one way in which a mistyped word is answered.

/// The known word nearest to `word`, if it is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1) + 1;
    known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(steps, _)| *steps <= limit)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate)
}

/// `unknown reset 'manaul', did you mean 'manual'? (one of: dtr-rts, ...)`
pub(crate) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let meant = nearest(word, known).map_or_else(String::new, |near| format!(", did you mean '{near}'?"));
    format!("unknown {what} '{word}'{meant} (one of: {})", known.join(", "))
}

/// Edit distance in which swapping two neighbours is one step; words longer than 64 characters are never near.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().max(right.len()) > 64 {
        return usize::MAX;
    }
    let mut before = vec![0; right.len() + 1];
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut current = vec![row; right.len() + 1];
        for column in 1..=right.len() {
            let differs = usize::from(left[row - 1] != right[column - 1]);
            let mut best = (above[column] + 1).min(current[column - 1] + 1).min(above[column - 1] + differs);
            let swapped = row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1];
            if swapped {
                best = best.min(before[column - 2] + 1);
            }
            current[column] = best;
        }
        before = std::mem::replace(&mut above, current);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{nearest, unknown};
    use rstest::rstest;

    const RESETS: &[&str] = &["dtr-rts", "rts", "usb-jtag", "manual"];

    #[rstest]
    #[case("manaul", Some("manual"))]
    #[case("dtr_rts", Some("dtr-rts"))]
    #[case("rst", Some("rts"))]
    #[case("zzzzzzzz", None)]
    #[case("", None)]
    fn a_near_word_is_found(#[case] word: &str, #[case] meant: Option<&str>) {
        assert_eq!(nearest(word, RESETS), meant);
    }

    #[test]
    fn the_sentence_names_the_choice() {
        assert_eq!(
            unknown("reset", "manaul", RESETS),
            "unknown reset 'manaul', did you mean 'manual'? (one of: dtr-rts, rts, usb-jtag, manual)"
        );
    }
}
