//! What a scenario types without anybody seeing it: `${ap.ssid}` and `${ap.password}` of the board's first access point.
//!
//! Invariant: a value that was filled in, or that comes from the environment, leaves the harness only under its name: in
//! transcripts, messages, boot logs and serial logs. A value that stands in `boards.yaml` for everybody to read is shown where a
//! scenario types it itself.

use larch_boards::{Board, Secret};

/// Names and values.
#[derive(Default)]
pub struct Secrets(Vec<Known>);

struct Known {
    name: &'static str,
    value: String,
    /// It comes from the environment.
    private: bool,
}

impl Known {
    fn new(name: &'static str, secret: &Secret) -> Result<Self, String> {
        Ok(Self { name, value: secret.reveal()?, private: secret.is_private() })
    }

    fn placeholder(&self) -> String {
        format!("${{{}}}", self.name)
    }
}

impl Secrets {
    /// The secrets of a board.
    ///
    /// # Errors
    /// The environment variable that is not set.
    pub fn of(board: &Board) -> Result<Self, String> {
        let mut known = Vec::new();
        if let Some(point) = board.access_points.first() {
            // The password first: a value that contains the other is hidden as a whole.
            if let Some(password) = &point.password {
                known.push(Known::new("ap.password", password)?);
            }
            known.push(Known::new("ap.ssid", &point.ssid)?);
        }
        known.retain(|known| !known.value.is_empty());
        Ok(Self(known))
    }

    /// Those that must not be seen in a scenario: the private ones, and those that it types by their names.
    #[must_use]
    pub fn in_scenario(mut self, typed: &str) -> Self {
        self.0.retain(|known| known.private || typed.contains(&known.placeholder()));
        self
    }

    /// Names, and how long their values are.
    pub fn lengths(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|known| (known.name, known.value.len()))
    }

    /// The line with `${name}` replaced by values.
    #[must_use]
    pub fn fill_in(&self, line: &str) -> String {
        self.0.iter().fold(line.to_owned(), |line, known| line.replace(&known.placeholder(), &known.value))
    }

    /// The text with values replaced by `[name]`.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, Known { name, value, .. }| {
            text.replace(value, &format!("[{name}]"))
        })
    }

    /// The bytes with values overwritten, so that offsets stay true.
    pub fn blot_out(&self, bytes: &mut [u8]) {
        for known in &self.0 {
            let value = known.value.as_bytes();
            let mut at = 0;
            while at + value.len() <= bytes.len() {
                if bytes[at..at + value.len()] == *value {
                    bytes[at..at + value.len()].fill(b'*');
                    at += value.len();
                } else {
                    at += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, Secrets};

    fn known(name: &'static str, value: &str, private: bool) -> Known {
        Known { name, value: value.into(), private }
    }

    #[test]
    fn a_value_is_typed_and_never_shown() {
        let secrets = Secrets(vec![known("ap.password", "s3cret!", false), known("ap.ssid", "lab", false)]);
        let typed = secrets.fill_in("sta.connect('${ap.ssid}', '${ap.password}')");
        assert_eq!(typed, "sta.connect('lab', 's3cret!')");
        assert_eq!(secrets.hide(&typed), "sta.connect('[ap.ssid]', '[ap.password]')");
        let mut bytes = typed.into_bytes();
        secrets.blot_out(&mut bytes);
        assert_eq!(bytes, b"sta.connect('***', '*******')");
    }

    #[test]
    fn what_everybody_knows_is_shown_where_the_scenario_shows_it() {
        let both = || Secrets(vec![known("ap.password", "public", false), known("ap.ssid", "private", true)]);
        let said = "connect('private', 'public')";
        assert_eq!(both().in_scenario(said).hide(said), "connect('[ap.ssid]', 'public')");
        assert_eq!(both().in_scenario("${ap.password}").hide(said), "connect('[ap.ssid]', '[ap.password]')");
    }
}
