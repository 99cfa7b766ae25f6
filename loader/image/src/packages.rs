//! Files that Espressif publishes inside the `espflash` package: mask ROMs, second-stage bootloaders, flasher stubs.
//!
//! Nothing of that package is built or copied: it is a dependency for a platform that does not exist (`cfg(any())`), so cargo
//! locks its version and checksum and `cargo metadata` downloads it and says where it lies. This needs `cargo` at run time,
//! as everything that uses these files (tests, harness, xtask) has it.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Why a published file was not found.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PackageError {
    /// cargo could not be started.
    #[error(
        "cannot run `{cargo} metadata`: {reason}; the published ROM and bootloader files are found through cargo, install it with rustup"
    )]
    NoCargo {
        /// The program that was tried.
        cargo: String,
        /// What the system said.
        reason: String,
    },
    /// cargo failed.
    #[error(
        "`cargo metadata` failed: {0}; run `cargo fetch` in the repository (it needs the network once) and try again"
    )]
    Cargo(String),
    /// cargo's answer lacks the package.
    #[error("`cargo metadata` does not list the package `espflash`; restore it in loader/image/Cargo.toml")]
    NotListed,
    /// The package lacks the file.
    #[error("the espflash package has no {wanted}; it has: {present}")]
    NoFile {
        /// What was looked for.
        wanted: String,
        /// What is there instead.
        present: String,
    },
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
}

/// The directory of the published `espflash` package. cargo is asked once per process.
///
/// # Errors
/// If cargo cannot be run, or does not know the package.
pub fn espflash_directory() -> Result<&'static Path, PackageError> {
    static DIRECTORY: OnceLock<Result<PathBuf, PackageError>> = OnceLock::new();
    DIRECTORY.get_or_init(ask_cargo).as_deref().map_err(Clone::clone)
}

fn ask_cargo() -> Result<PathBuf, PackageError> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(&cargo)
        .args([
            "metadata",
            "--format-version=1",
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .map_err(|error| PackageError::NoCargo { cargo, reason: error.to_string() })?;
    if !output.status.success() {
        return Err(PackageError::Cargo(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    directory_in(&output.stdout)
}

fn directory_in(metadata: &[u8]) -> Result<PathBuf, PackageError> {
    let metadata: Metadata = serde_json::from_slice(metadata)
        .map_err(|error| PackageError::Cargo(format!("its answer is not JSON: {error}")))?;
    let package = metadata
        .packages
        .into_iter()
        .find(|package| package.name == "espflash")
        .ok_or(PackageError::NotListed)?;
    package.manifest_path.parent().map(Path::to_owned).ok_or(PackageError::NotListed)
}

/// The mask ROM of `chip` (as in `esp32c3`) for ROM revision `revision` (as in 300 for v3.0), an ELF file with code.
///
/// # Errors
/// If the package or the file is not there; the message lists the revisions that are.
pub fn rom_elf(chip: &str, revision: u32) -> Result<PathBuf, PackageError> {
    find("roms", &format!("{chip}_"), &format!("{chip}_rev{revision}_rom.elf"))
}

/// The ROM revisions that are published for `chip`, ascending.
///
/// # Errors
/// If the package is not there.
pub fn rom_revisions(chip: &str) -> Result<Vec<u32>, PackageError> {
    let prefix = format!("{chip}_rev");
    let mut revisions: Vec<u32> = list("roms")?
        .iter()
        .filter_map(|name| name.strip_prefix(&prefix)?.strip_suffix("_rom.elf")?.parse().ok())
        .collect();
    revisions.sort_unstable();
    Ok(revisions)
}

/// The second-stage bootloader of `chip`, a flash image.
///
/// # Errors
/// If the package or the file is not there.
pub fn bootloader(chip: &str) -> Result<PathBuf, PackageError> {
    find("bootloaders", chip, &format!("{chip}-bootloader.bin"))
}

/// Espressif's flasher stub for `chip`, a TOML file.
///
/// # Errors
/// If the package or the file is not there.
pub fn stub(chip: &str) -> Result<PathBuf, PackageError> {
    find("stubs", chip, &format!("{chip}.toml"))
}

fn list(folder: &str) -> Result<Vec<String>, PackageError> {
    let directory = espflash_directory()?.join("resources").join(folder);
    let entries = std::fs::read_dir(&directory).map_err(|error| PackageError::NoFile {
        wanted: format!("folder resources/{folder}"),
        present: format!("{} cannot be read: {error}", directory.display()),
    })?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn find(folder: &str, related: &str, name: &str) -> Result<PathBuf, PackageError> {
    let names = list(folder)?;
    if names.iter().any(|present| present == name) {
        return Ok(espflash_directory()?.join("resources").join(folder).join(name));
    }
    let alike: Vec<String> = names.iter().filter(|present| present.starts_with(related)).cloned().collect();
    let present = if alike.is_empty() { names } else { alike };
    Err(PackageError::NoFile { wanted: format!("resources/{folder}/{name}"), present: present.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_published_file_of_the_c3() {
        assert_eq!(rom_revisions("esp32c3").unwrap(), [0, 101, 300]);
        assert!(rom_elf("esp32c3", 300).unwrap().is_file());
        assert!(bootloader("esp32c3").unwrap().is_file());
        assert!(stub("esp32c3").unwrap().is_file());
    }

    #[test]
    fn a_missing_revision_lists_the_others() {
        let error = rom_elf("esp32c3", 7).unwrap_err().to_string();
        assert!(error.contains("esp32c3_rev300_rom.elf"), "{error}");
        assert!(!error.contains("esp32s3"), "{error}");
    }

    #[test]
    fn reads_cargo_metadata() {
        let json = br#"{"packages":[{"name":"espflash","manifest_path":"/x/espflash-4.7.0/Cargo.toml"}]}"#;
        assert_eq!(directory_in(json).unwrap(), Path::new("/x/espflash-4.7.0"));
        assert!(matches!(directory_in(br#"{"packages":[]}"#), Err(PackageError::NotListed)));
        assert!(matches!(directory_in(b"nonsense"), Err(PackageError::Cargo(_))));
    }
}
