//! Older spellings: `write_flash`, `--flash_mode`, `default_reset`, `@file`.

/// Verbs and values as esptool 3 and 4 spelled them become those of version 5.
pub fn modern(arguments: Vec<String>) -> Vec<String> {
    let mut words: Vec<String> = arguments.into_iter().map(|argument| modern_word(&argument)).collect();
    let verb = words.iter().position(|word| is_verb(word)).unwrap_or(words.len());
    for at in 0..words.len() {
        let next = words.get(at + 1);
        match words[at].as_str() {
            // esptool's takes no file: what follows it may be a verb.
            "--trace" if next.is_none_or(|next| next.starts_with('-') || is_verb(next)) => {
                words[at] = "--trace=-".to_owned();
            }
            // Behind a verb these letters are the verb's.
            "-t" if at < verb => words[at] = "--trace=-".to_owned(),
            "-s" if at < verb => words[at] = "--silent".to_owned(),
            _ => {}
        }
    }
    words
}

fn is_verb(word: &str) -> bool {
    use clap::CommandFactory;
    let command = crate::arguments::Arguments::command();
    command.get_subcommands().any(|verb| verb.get_name() == word)
}

/// esptool's options of two letters.
const TWO_LETTERS: [(&str, &str); 4] =
    [("-fm", "--flash-mode"), ("-ff", "--flash-freq"), ("-fs", "--flash-size"), ("-sc", "--spi-connection")];

fn modern_word(word: &str) -> String {
    if let Some(option) = word.strip_prefix("--") {
        let (name, value) =
            option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        let name = name.replace('_', "-");
        return value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={}", modern_word(value)));
    }
    if let Some((_, long)) = TWO_LETTERS.iter().find(|(short, _)| *short == word) {
        return (*long).to_owned();
    }
    let dashed = word.replace('_', "-");
    if WORDS.contains(&dashed.as_str()) { dashed } else { word.to_owned() }
}

/// Words that had underscores.
const WORDS: [&str; 37] = [
    "load-ram",
    "dump-mem",
    "read-mem",
    "write-mem",
    "write-flash",
    "image-info",
    "make-image",
    "read-mac",
    "chip-id",
    "flash-id",
    "read-flash-status",
    "write-flash-status",
    "read-flash",
    "verify-flash",
    "erase-flash",
    "erase-region",
    "read-flash-sfdp",
    "merge-bin",
    "get-security-info",
    "board-info",
    "save-image",
    "partition-table",
    "erase-parts",
    "write-part",
    "list-ports",
    "hold-in-reset",
    "checksum-md5",
    "default-reset",
    "no-reset-no-sync",
    "no-reset-stub",
    "no-reset",
    "hard-reset",
    "soft-reset",
    "usb-reset",
    "watchdog-reset",
    "efuse-summary",
    "write-bin",
];

/// Replaces each `@file` by the words in the file.
///
/// # Errors
/// If a file cannot be read.
pub fn expand_files(arguments: Vec<String>) -> Result<Vec<String>, String> {
    let mut expanded = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@') {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
                expanded.extend(text.split_whitespace().map(str::to_owned));
            }
            None => expanded.push(argument),
        }
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_spellings_are_understood_and_file_names_left_alone() {
        let old = [
            "--before=no_reset",
            "write_flash",
            "--flash_size=detect",
            "0x1000",
            "my_app.bin",
            "default_reset",
        ];
        let new = [
            "--before=no-reset",
            "write-flash",
            "--flash-size=detect",
            "0x1000",
            "my_app.bin",
            "default-reset",
        ];
        assert_eq!(modern(old.map(str::to_owned).to_vec()), new);
    }

    #[test]
    fn a_trace_without_a_file_does_not_swallow_the_verb() {
        let modern = |words: &[&str]| modern(words.iter().map(|&word| word.to_owned()).collect());
        assert_eq!(modern(&["--trace", "flash_id"]), ["--trace=-", "flash-id"]);
        assert_eq!(modern(&["-t", "--no_stub"]), ["--trace=-", "--no-stub"]);
        assert_eq!(modern(&["--trace", "wire.txt", "flash-id"]), ["--trace", "wire.txt", "flash-id"]);
    }

    #[test]
    fn options_of_two_letters_are_known() {
        assert_eq!(modern(vec!["-fm".to_owned(), "dio".to_owned()]), ["--flash-mode", "dio"]);
    }
}
