//! Completion of the name at the cursor.
//!
//! Source: `mp_repl_autocomplete` in MicroPython's `py/repl.c`. Names are visited twice (to find, then to print) and
//! never collected, so completion takes no memory from the heap.

use crate::{Host, Scope};

/// Longer common prefixes are completed up to here; another Tab goes on.
const NAME_MAX: usize = 80;
const COLUMN: usize = 16;
const COLUMNS_MAX: usize = 4 * COLUMN;
const IMPORT: &[u8] = b"import ";

/// What Tab found.
pub(crate) enum Completion {
    /// Nothing fits.
    None,
    /// Insert this.
    Text(Name),
    /// Several names fit; they have been listed, and the line must be shown again.
    Listed,
}

/// A short piece of text.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    bytes: [u8; NAME_MAX],
    len: usize,
}

impl Name {
    fn new(text: &[u8]) -> Self {
        let len = text.len().min(NAME_MAX);
        let mut bytes = [0; NAME_MAX];
        bytes[..len].copy_from_slice(&text[..len]);
        Self { bytes, len }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn keep_common_prefix(&mut self, other: &[u8]) {
        self.len = self.as_bytes().iter().zip(other).take_while(|(a, b)| a == b).count();
    }
}

/// Completes the text of the current line up to the cursor.
pub(crate) fn complete(line: &[u8], host: &mut impl Host) -> Completion {
    let start = line.iter().rposition(|&byte| !is_chain(byte)).map_or(0, |before| before + 1);
    let chain = core::str::from_utf8(&line[start..]).unwrap_or("");
    let (path, word) = chain.rsplit_once('.').unwrap_or(("", chain));
    if chain.len() > word.len() && path.split('.').any(str::is_empty) {
        return Completion::None;
    }
    let scope = if line.starts_with(IMPORT) { Scope::Modules } else { Scope::Attributes(path) };

    let (found, matches) = find(scope, word, host);
    match found {
        None if word.len() == line.len() && !word.is_empty() && is_start_of_import(word) => {
            Completion::Text(Name::new(&IMPORT[word.len()..]))
        }
        None => Completion::None,
        Some(name) if matches == 1 || name.len > word.len() => {
            Completion::Text(Name::new(&name.as_bytes()[word.len()..]))
        }
        Some(_) => {
            list(scope, word, host);
            Completion::Listed
        }
    }
}

fn is_chain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}

fn is_start_of_import(word: &str) -> bool {
    word.len() < IMPORT.len() && IMPORT.starts_with(word.as_bytes())
}

/// Names that begin with an underscore are offered only once something has been typed.
fn fits(name: &str, word: &str) -> bool {
    name.starts_with(word) && name.len() < NAME_MAX && !(word.is_empty() && name.starts_with('_'))
}

/// The longest common prefix of all names that fit, and how many there are.
fn find(scope: Scope<'_>, word: &str, host: &mut impl Host) -> (Option<Name>, usize) {
    let mut found: Option<Name> = None;
    let mut matches = 0;
    host.visit_names(scope, &mut |name| {
        if fits(name, word) {
            matches += 1;
            match &mut found {
                None => found = Some(Name::new(name.as_bytes())),
                Some(common) => common.keep_common_prefix(name.as_bytes()),
            }
        }
    });
    (found, matches)
}

/// Lists all names that fit, in columns.
fn list(scope: Scope<'_>, word: &str, host: &mut impl Host) {
    // `visit_names` borrows the host, so that a page of names is gathered at a time.
    let mut skip = 0;
    let mut column = COLUMNS_MAX;
    loop {
        let mut page = [Name::new(b""); 8];
        let mut seen = 0;
        host.visit_names(scope, &mut |name| {
            if fits(name, word) {
                if let Some(slot) = usize::checked_sub(seen, skip).and_then(|slot| page.get_mut(slot)) {
                    *slot = Name::new(name.as_bytes());
                }
                seen += 1;
            }
        });
        for name in page.iter().take(seen.saturating_sub(skip)) {
            column = list_one(name.as_bytes(), column, host);
        }
        skip += page.len();
        if skip >= seen {
            break;
        }
    }
    host.write(b"\r\n");
}

fn list_one(name: &[u8], column: usize, host: &mut impl Host) -> usize {
    let mut gap = column.next_multiple_of(COLUMN) - column;
    if gap < 2 {
        gap += COLUMN;
    }
    if column + gap + name.len() <= COLUMNS_MAX {
        host.write(&b"                  "[..gap]);
        host.write(name);
        column + gap + name.len()
    } else {
        host.write(b"\r\n");
        host.write(name);
        name.len()
    }
}
