//! What a scenario types without anybody seeing it: `${ap.ssid}` and `${ap.password}` of the board's first access point.
//!
//! Invariant: a value that was filled in leaves the harness only under its name: in transcripts, messages, boot logs
//! and serial logs.

use larch_boards::Board;

/// Names and values.
#[derive(Default)]
pub struct Secrets(Vec<(&'static str, String)>);

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
                known.push(("ap.password", password.reveal()?));
            }
            known.push(("ap.ssid", point.ssid.reveal()?));
        }
        known.retain(|(_, value)| !value.is_empty());
        Ok(Self(known))
    }

    /// Names, and how long their values are.
    pub fn lengths(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|(name, value)| (*name, value.len()))
    }

    /// The line with `${name}` replaced by values.
    #[must_use]
    pub fn fill_in(&self, line: &str) -> String {
        self.0
            .iter()
            .fold(line.to_owned(), |line, (name, value)| line.replace(&format!("${{{name}}}"), value))
    }

    /// The text with values replaced by `[name]`.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(value, &format!("[{name}]")))
    }

    /// The bytes with values overwritten, so that offsets stay true.
    pub fn blot_out(&self, bytes: &mut [u8]) {
        for (_, value) in &self.0 {
            let value = value.as_bytes();
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
    use super::Secrets;

    #[test]
    fn a_value_is_typed_and_never_shown() {
        let secrets = Secrets(vec![("ap.password", "s3cret!".into()), ("ap.ssid", "lab".into())]);
        let typed = secrets.fill_in("sta.connect('${ap.ssid}', '${ap.password}')");
        assert_eq!(typed, "sta.connect('lab', 's3cret!')");
        assert_eq!(secrets.hide(&typed), "sta.connect('[ap.ssid]', '[ap.password]')");
        let mut bytes = typed.into_bytes();
        secrets.blot_out(&mut bytes);
        assert_eq!(bytes, b"sta.connect('***', '*******')");
    }
}
