//! What the chip's security settings allow: nothing that is done here may make a board unusable for good.
//!
//! The rules are esptool's (`write_flash`, `erase_flash`): source its documentation, "Flashing Encrypted Binaries" and
//! "Secure Boot"; TRM, chapter "eFuse controller".

use crate::connect::Loader;
use crate::error::Error;
use larch_image::merge::Blob;

/// The bootloader of an ESP32 with Secure Boot V1 lies below.
const PARTITION_TABLE: u32 = 0x8000;
/// Where chips with a key manager keep what they recover their flash key from.
const KEY_RECOVERY: u32 = 0x2000;
/// FORCE_USE_KEY_MANAGER_KEY: the flash key comes from the key manager.
const XTS_KEY_MANAGED: u32 = 2;

/// Security settings, from eFuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Security {
    encrypted: bool,
    secure_boot: bool,
    /// The first version, with the key in the chip (ESP32 only).
    secure_boot_v1: bool,
    no_download_encrypt: bool,
    key_managed: bool,
}

impl Loader<'_> {
    fn security(&mut self) -> Result<Security, Error> {
        let efuse = &self.chip.efuse;
        let mut secure = [false; 2];
        for (is_set, field) in secure.iter_mut().zip(efuse.secure_boot) {
            *is_set = field.read(|register| self.read_register(register))? != 0;
        }
        let count = efuse.flash_encryption.read(|register| self.read_register(register))?;
        let no_encrypt = efuse.no_download_encrypt.read(|register| self.read_register(register))?;
        let managed = self.efuse("FORCE_USE_KEY_MANAGER_KEY")?.unwrap_or(0);
        Ok(Security {
            encrypted: count.count_ones() % 2 == 1,
            secure_boot: secure.contains(&true),
            secure_boot_v1: secure[0] && efuse.secure_boot.len() > 1,
            no_download_encrypt: no_encrypt != 0,
            key_managed: managed & XTS_KEY_MANAGED != 0,
        })
    }

    /// Refuses to write plain files that could make the board unusable; notes what may not run.
    pub(super) fn check_plain(&mut self, blobs: &[Blob], force: bool) -> Result<(), Error> {
        if force {
            return Ok(());
        }
        if self.secure_download() {
            let count = self.security.map_or(0, |security| security.flash_crypt_count);
            return refuse_if(
                count.count_ones() % 2 == 1,
                "flash encryption and secure download mode are on: a plain file may make the board unusable for good; \
                 write an encrypted one with --force",
            );
        }
        let security = self.security()?;
        security.protects(blobs)?;
        refuse_if(
            security.encrypted && security.no_download_encrypt,
            "flash encryption is on and download mode may not encrypt: a plain file may make the board unusable for \
             good; write an encrypted one with --force",
        )?;
        if security.encrypted {
            self.note(
                "flash encryption is on: a plain file cannot be run (--encrypt has the chip encrypt it)",
            );
        }
        if security.secure_boot && blobs.iter().any(|blob| blob.offset < PARTITION_TABLE) {
            self.note("secure boot is on: a bootloader without a valid signature will not start");
        }
        Ok(())
    }

    /// Whether erasing is harmless.
    ///
    /// # Errors
    /// If secure boot or flash encryption is on, unless `force`.
    pub fn check_erase(&mut self, force: bool) -> Result<(), Error> {
        if force || self.secure_download() {
            return Ok(());
        }
        let security = self.security()?;
        refuse_if(
            security.encrypted || security.secure_boot,
            "secure boot or flash encryption is on: an erased board may not start again; \
             erase it only if you are sure (--force)",
        )
    }

    /// Whether the chip can encrypt what is written.
    pub(super) fn check_encryption(
        &mut self,
        force: bool,
        ignore_efuse: bool,
        blobs: &[Blob],
    ) -> Result<(), Error> {
        if self.chip.rom.crystal_estimate.is_some() && self.is_rom() {
            let why = "with the ESP32's ROM; leave --no-stub out".to_owned();
            return Err(Error::Unsupported { what: "writing encrypted".to_owned(), why });
        }
        if self.secure_download() {
            return Ok(());
        }
        let security = self.security()?;
        if !force {
            security.protects(blobs)?;
        }
        refuse_if(
            security.no_download_encrypt,
            "this chip may not encrypt in download mode (its eFuses are those of production): write a file that is \
             encrypted already, with --force",
        )?;
        let ready =
            self.has_flash_key()? && self.efuse("FLASH_CRYPT_CONFIG")?.is_none_or(|config| config == 0xF);
        refuse_if(
            !ready && !ignore_efuse,
            "the eFuses hold no key for flash encryption: the chip could not read back what it writes; burn the key \
             first, or add --ignore-flash-enc-efuse",
        )
    }

    fn has_flash_key(&mut self) -> Result<bool, Error> {
        const XTS_AES_256: [u32; 2] = [2, 3];
        const XTS_AES_128: u32 = 4;
        let mut purposes = Vec::new();
        for number in 0..6 {
            purposes.extend(self.efuse(&format!("KEY_PURPOSE_{number}"))?);
        }
        if purposes.is_empty() {
            return self.has_key_in_fixed_block();
        }
        let both = XTS_AES_256.iter().all(|half| purposes.contains(half));
        Ok(both || purposes.contains(&XTS_AES_128) || self.security()?.key_managed)
    }

    /// ESP32 and ESP32-C2 have one place for the key: it is there if it may not be read, or is not zero.
    fn has_key_in_fixed_block(&mut self) -> Result<bool, Error> {
        let Some(field) = ["BLOCK1", "BLOCK_KEY0"].iter().find_map(|name| self.chip.efuses().field(name))
        else {
            return Ok(false);
        };
        let protected = self.efuse("RD_DIS")?.unwrap_or(0) & 1 != 0;
        Ok(protected || self.efuse_block(field.block)?.iter().any(|&word| word != 0))
    }
}

impl Security {
    fn protects(&self, blobs: &[Blob]) -> Result<(), Error> {
        let below = |end: u32| blobs.iter().any(|blob| blob.offset < end);
        refuse_if(
            self.secure_boot_v1 && below(PARTITION_TABLE),
            "secure boot (V1) is on: another bootloader makes the board unusable for good; \
             write below 0x8000 only if you are sure (--force)",
        )?;
        refuse_if(
            self.encrypted && self.key_managed && below(KEY_RECOVERY),
            "the key of flash encryption is recovered from flash below 0x2000: writing there makes the board unusable \
             for good; do it only if you are sure (--force)",
        )
    }
}

fn refuse_if(unsafe_to_go_on: bool, problem: &str) -> Result<(), Error> {
    if unsafe_to_go_on { Err(Error::Security(problem.to_owned())) } else { Ok(()) }
}
