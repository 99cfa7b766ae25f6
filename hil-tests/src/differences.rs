//! `differences.yaml`: where other firmware legitimately answers otherwise than ours, each with its reason.
//!
//! Invariant: the list is exact. A difference that is not listed fails, and so does a listed one that is gone.

use std::collections::BTreeMap;
use std::path::Path;

/// Board name to scenario name to reason.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(transparent)]
pub struct Differences(BTreeMap<String, BTreeMap<String, String>>);

impl Differences {
    /// Reads the file and checks that what it names exists.
    ///
    /// # Errors
    /// The file cannot be read, is not of this shape, names a scenario that does not exist, or lacks a reason.
    pub fn load(path: &Path, scenarios: &[&str]) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text, scenarios).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse(text: &str, scenarios: &[&str]) -> Result<Self, String> {
        let differences: Self = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        for (board, entries) in &differences.0 {
            for (scenario, reason) in entries {
                if !scenarios.contains(&scenario.as_str()) {
                    return Err(format!("{board}: there is no scenario '{scenario}'"));
                }
                if reason.trim().is_empty() {
                    return Err(format!("{board}: {scenario}: say why it differs"));
                }
            }
        }
        Ok(differences)
    }

    /// Why this board's answer differs in this scenario, if it may.
    #[must_use]
    pub fn reason(&self, board: &str, scenario: &str) -> Option<&str> {
        self.0.get(board)?.get(scenario).map(String::as_str)
    }

    /// Every board that has entries.
    pub fn boards(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::Differences;
    use rstest::rstest;

    #[test]
    fn a_reason_is_found() {
        let text = "unix:\n  repl/banner: another version\n";
        let differences = Differences::parse(text, &["repl/banner"]).unwrap();
        assert_eq!(differences.reason("unix", "repl/banner"), Some("another version"));
        assert_eq!(differences.reason("unix", "repl/help"), None);
        assert_eq!(differences.reason("other", "repl/banner"), None);
    }

    #[rstest]
    #[case("unix:\n  repl/bannr: x\n", "unix: there is no scenario 'repl/bannr'")]
    #[case("unix:\n  repl/banner: ''\n", "unix: repl/banner: say why it differs")]
    fn a_stale_or_empty_entry_is_refused(#[case] text: &str, #[case] message: &str) {
        assert_eq!(Differences::parse(text, &["repl/banner"]).unwrap_err(), message);
    }
}
