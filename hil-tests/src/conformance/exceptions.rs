//! `exceptions.yaml`: tests that may fail, each with the reason.

use std::collections::BTreeMap;

/// `host` or `board`, test name, reason.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(transparent)]
pub struct Exceptions(BTreeMap<String, BTreeMap<String, String>>);

/// More exceptions than this are no exceptions.
pub const LIMIT: usize = 25;

impl Exceptions {
    /// The list of this repository.
    ///
    /// # Errors
    /// It is not of this shape, too long, or lacks a reason.
    pub fn ours() -> Result<Exceptions, String> {
        Self::parse(include_str!("exceptions.yaml"))
    }

    fn parse(text: &str) -> Result<Exceptions, String> {
        let list: Exceptions = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        for (target, tests) in &list.0 {
            if tests.len() > LIMIT {
                return Err(format!("{target}: {} exceptions, at most {LIMIT} are allowed", tests.len()));
            }
            if let Some((test, _)) = tests.iter().find(|(_, reason)| reason.trim().is_empty()) {
                return Err(format!("{target}: {test}: say why it may fail"));
            }
        }
        Ok(list)
    }

    /// Why a test may fail on a target (`host` or `board`).
    #[must_use]
    pub fn reason(&self, target: &str, test: &str) -> Option<&str> {
        self.0.get(target)?.get(test).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_list_is_short_and_has_reasons() {
        Exceptions::ours().expect("the committed list");
        assert!(Exceptions::parse("host:\n  basics/x.py: ''\n").is_err());
        let long: String = (0..=LIMIT).map(|n| format!("  basics/{n}.py: because\n")).collect();
        assert!(Exceptions::parse(&format!("host:\n{long}")).is_err());
    }
}
