//! Older spellings: `write_flash`, `--flash_mode`, `default_reset`, `@file`.

/// Verbs and values as esptool 3 and 4 spelled them become those of version 5.
pub fn modern(arguments: Vec<String>) -> Vec<String> {
    arguments.into_iter().map(|argument| modern_word(&argument)).collect()
}

fn modern_word(word: &str) -> String {
    if let Some(option) = word.strip_prefix("--") {
        let (name, value) =
            option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        let name = name.replace('_', "-");
        return value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={}", modern_word(value)));
    }
    let dashed = word.replace('_', "-");
    if WORDS.contains(&dashed.as_str()) { dashed } else { word.to_owned() }
}

/// Words that had underscores.
const WORDS: [&str; 34] = [
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
    "no-reset",
    "hard-reset",
    "soft-reset",
    "usb-reset",
    "watchdog-reset",
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
}
