//! Flasher stubs: small programs that take over from the mask ROM.
//!
//! Source of the file form: the `stubs/*.toml` files of the published `espflash` package (keys `entry`, `text`,
//! `text_start`, `data`, `data_start`, `bss_start`; contents in Base64).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whose stub it is: what it answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Espressif's, as published.
    Espressif,
    /// Our own (`loader/stub`), which answers to more.
    Larch,
}

/// A program for the chip's RAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stub {
    /// Whose it is.
    pub kind: Kind,
    /// Where it starts.
    pub entry: u32,
    /// Code: address and bytes.
    pub text: (u32, Vec<u8>),
    /// Initialised data: address and bytes.
    pub data: (u32, Vec<u8>),
}

/// Why a stub file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stub file is damaged: {0}; run `cargo fetch` to get the espflash package again")]
pub struct StubError(String);

impl Stub {
    /// Reads the TOML form.
    ///
    /// # Errors
    /// If a key is missing or has a wrong value.
    pub fn parse(text: &str) -> Result<Self, StubError> {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| {
                let (name, value) = line.split_once('=')?;
                (name.trim() == key).then(|| value.trim())
            });
            line.ok_or_else(|| StubError(format!("it has no {key}")))
        };
        let number = |key: &str| {
            let digits = value(key)?.replace('_', "");
            digits.parse::<u32>().map_err(|_| StubError(format!("{key} is no address")))
        };
        let bytes = |key: &str| {
            let text = value(key)?.trim_matches('"');
            STANDARD.decode(text).map_err(|error| StubError(format!("{key}: {error}")))
        };
        Ok(Self {
            kind: Kind::Espressif,
            entry: number("entry")?,
            text: (number("text_start")?, bytes("text")?),
            data: (number("data_start")?, bytes("data")?),
        })
    }

    /// Reads our own stub, as the linker made it: one section of code, one of data.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn from_elf(bytes: &[u8]) -> Result<Self, StubError> {
        let program = crate::elf::Program::parse(bytes).map_err(|error| StubError(error.to_string()))?;
        let section = |name: &str| {
            let found = program.sections.iter().find(|section| section.name == name);
            found.map_or((0, Vec::new()), |section| (section.part.address, section.part.data.clone()))
        };
        let (text, data) = (section(".text"), section(".data"));
        if text.1.is_empty() {
            return Err(StubError("it has no code".to_owned()));
        }
        Ok(Self { kind: Kind::Larch, entry: program.entry, text, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_toml_form_is_read() {
        let text = "entry      = 1_077_415_578\ntext       = \"AQID\"\ntext_start = 16\ndata = \"\"\ndata_start  = 32\nbss_start = 1\n";
        let stub = Stub {
            kind: Kind::Espressif,
            entry: 1_077_415_578,
            text: (16, vec![1, 2, 3]),
            data: (32, Vec::new()),
        };
        assert_eq!(Stub::parse(text), Ok(stub));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Stub::parse("entry = 1\ntext_start = x").unwrap_err().to_string();
        assert!(error.contains("text_start"), "{error}");
        assert!(Stub::parse("entry = 99999999999999").is_err());
    }

    #[test]
    fn the_published_stubs_are_read() {
        for chip in larch_chips::CHIPS {
            let path = crate::packages::stub(chip.slug).unwrap();
            let stub = Stub::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
            assert!(
                (stub.text.0..stub.text.0 + stub.text.1.len() as u32).contains(&stub.entry),
                "{}",
                chip.name
            );
        }
    }
}
