//! The catalogue and the storage of a chip's device registers.
//!
//! Every word of the device space is one of three classes: *modelled* (a peripheral gives it behaviour), *stored* (it
//! reads back what was written, from the documented reset value on) or *unknown*. The catalogue is parsed from tables that
//! list what the manual documents; peripherals say which of those they model.

use std::collections::BTreeMap;

/// An access to a register that nobody described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAccess {
    /// The register's address.
    pub address: u32,
    /// Where the program was.
    pub pc: u32,
    /// The access was a store.
    pub is_store: bool,
}

impl std::fmt::Display for UnknownAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.is_store { "write to" } else { "read of" };
        write!(f, "{kind} unknown register {:#010x} at pc {:#010x}", self.address, self.pc)
    }
}

/// How faithful a register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A peripheral gives it behaviour.
    Modelled,
    /// It reads back what was written, from the documented reset value on.
    Stored,
    /// Nobody described it; an access is reported.
    Unknown,
}

/// What an access to a register does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is plain storage, which the processor may use without asking the chip.
    Plain,
    /// It is plain storage of a device that keeps an eye on what is stored.
    Watched,
    /// The peripheral must be asked.
    Hooked,
    /// It must be reported.
    Unknown,
}

/// A register of the catalogue.
#[derive(Clone, Debug)]
pub struct Register {
    /// `PERIPHERAL.REGISTER`
    pub name: String,
    /// Its address.
    pub address: u32,
    /// Value after reset.
    pub reset: u32,
    /// How faithful it is.
    pub class: Class,
}

/// Storage for the device space `base..base + size`, with what is known about each word.
#[derive(Clone)]
pub struct Registers {
    base: u32,
    words: Vec<u32>,
    /// What `words` is after reset.
    resets: Vec<u32>,
    catalogue: BTreeMap<u32, Register>,
    accesses: Vec<Access>,
    /// Stores through [`Registers::store_plain`].
    stores: u64,
}

impl Registers {
    /// Storage for `size` bytes of device space at `base`, described by `tables`. `modelled` lists base and offsets of
    /// the registers that have behaviour, `plain` those of them whose accesses are storage all the same.
    ///
    /// # Panics
    /// If a table is malformed; the tables are part of the program.
    #[must_use]
    pub fn new(
        base: u32,
        size: u32,
        tables: &[&str],
        modelled: &[(u32, &[u32])],
        plain: &[(u32, &[u32])],
    ) -> Self {
        let words = (size / 4) as usize;
        let mut this = Self {
            base,
            words: vec![0; words],
            resets: vec![0; words],
            catalogue: BTreeMap::new(),
            accesses: vec![Access::Unknown; words],
            stores: 0,
        };
        for table in tables {
            this.parse(table);
        }
        for (peripheral, offsets) in modelled {
            for offset in *offsets {
                this.model(peripheral + offset);
            }
        }
        for (peripheral, offsets) in plain {
            for offset in *offsets {
                let index = this.index(peripheral + offset).expect("it is modelled");
                this.accesses[index] = Access::Plain;
            }
        }
        this.reset(base, size);
        this
    }

    /// Makes what is plain storage in `size` bytes at `address` known to its device.
    ///
    /// # Panics
    /// If the range is not inside the device space.
    pub fn watch(&mut self, address: u32, size: u32) {
        let first = ((address - self.base) / 4) as usize;
        for access in &mut self.accesses[first..first + (size / 4) as usize] {
            if *access == Access::Plain {
                *access = Access::Watched;
            }
        }
    }

    /// Number of the aligned word at `address`; beyond the end for all other addresses.
    fn number(&self, address: u32) -> usize {
        address.wrapping_sub(self.base).rotate_right(2) as usize
    }

    /// Loads an aligned word that is plain storage.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn load_plain(&self, address: u32) -> Option<u32> {
        let number = self.number(address);
        match self.accesses.get(number)? {
            Access::Plain | Access::Watched => self.words.get(number).copied(),
            Access::Hooked | Access::Unknown => None,
        }
    }

    /// Stores an aligned word that is plain storage.
    #[cold]
    #[inline(never)]
    pub fn store_plain(&mut self, address: u32, value: u32) -> Option<()> {
        let number = self.number(address);
        if *self.accesses.get(number)? != Access::Plain {
            return None;
        }
        *self.words.get_mut(number)? = value;
        self.stores += 1;
        Some(())
    }

    /// Stores so far that the chip was not asked about.
    #[must_use]
    pub fn plain_stores(&self) -> u64 {
        self.stores
    }

    fn parse(&mut self, table: &str) {
        let hex = |text: &str| {
            u32::from_str_radix(text, 16).unwrap_or_else(|_| panic!("'{text}' is not hexadecimal"))
        };
        let (mut peripheral, mut base) = ("", 0);
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            match *fields.as_slice() {
                [] => {}
                [name, address] => (peripheral, base) = (name, hex(address)),
                [offset, name, _access, reset] => match offset.split_once('-') {
                    None => self.add(format!("{peripheral}.{name}"), base + hex(offset), hex(reset)),
                    Some((first, last)) => {
                        for offset in (hex(first)..=hex(last)).step_by(4) {
                            self.add(format!("{peripheral}.{name}+{offset:03x}"), base + offset, hex(reset));
                        }
                    }
                },
                _ => panic!("a register table has the line '{line}'"),
            }
        }
    }

    fn add(&mut self, name: String, address: u32, reset: u32) {
        let index = self.index(address).unwrap_or_else(|| panic!("{name} is outside the device space"));
        self.accesses[index] = Access::Plain;
        let entry =
            self.catalogue.entry(address).or_insert(Register { name, address, reset, class: Class::Stored });
        self.resets[index] = entry.reset;
    }

    fn model(&mut self, address: u32) {
        let index = self.index(address).unwrap_or_else(|| panic!("{address:#x} is outside the device space"));
        self.accesses[index] = Access::Hooked;
        let class = Class::Modelled;
        let unnamed = || Register { name: format!("{address:#010x}"), address, reset: 0, class };
        self.catalogue.entry(address).or_insert_with(unnamed).class = class;
    }

    fn index(&self, address: u32) -> Option<usize> {
        let index = (address.checked_sub(self.base)? / 4) as usize;
        (index < self.words.len()).then_some(index)
    }

    /// Puts `size` bytes of registers at `address` back to their reset values.
    ///
    /// # Panics
    /// If the range is not inside the device space.
    pub fn reset(&mut self, address: u32, size: u32) {
        let first = ((address - self.base) / 4) as usize;
        let range = first..first + (size / 4) as usize;
        self.words[range.clone()].copy_from_slice(&self.resets[range]);
    }

    /// What is stored at `address` (any byte of the word); 0 outside the device space.
    #[must_use]
    pub fn get(&self, address: u32) -> u32 {
        self.index(address).map_or(0, |index| self.words[index])
    }

    /// Stores a word; ignored outside the device space.
    pub fn set(&mut self, address: u32, value: u32) {
        if let Some(index) = self.index(address) {
            self.words[index] = value;
        }
    }

    /// `count` words of storage from `address` on.
    ///
    /// # Panics
    /// If they are not inside the device space.
    pub fn words(&mut self, address: u32, count: usize) -> &mut [u32] {
        &mut self.words[((address - self.base) / 4) as usize..][..count]
    }

    /// Stores a word after `change`.
    pub fn modify(&mut self, address: u32, change: impl FnOnce(u32) -> u32) {
        self.set(address, change(self.get(address)));
    }

    /// What an access to the word at `address` does.
    #[must_use]
    pub fn access(&self, address: u32) -> Access {
        self.index(address).map_or(Access::Unknown, |index| self.accesses[index])
    }

    /// How faithful the word at `address` is.
    #[must_use]
    pub fn class(&self, address: u32) -> Class {
        self.catalogue.get(&(address & !3)).map_or(Class::Unknown, |register| register.class)
    }

    /// The register's name, or its address.
    #[must_use]
    pub fn name(&self, address: u32) -> String {
        self.catalogue
            .get(&(address & !3))
            .map_or_else(|| format!("{address:#010x}"), |register| register.name.clone())
    }

    /// Every register that is known, in address order.
    pub fn catalogue(&self) -> impl Iterator<Item = &Register> {
        self.catalogue.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "# comment\nUART 60000000\n000 FIFO rw 0\n014 CLKDIV rw 2b6\nPHY 60001000\n000-00f PHY rw 5\n";

    #[test]
    fn knows_three_classes() {
        let registers = Registers::new(0x6000_0000, 0x2000, &[TABLE], &[(0x6000_0000, &[0])], &[]);
        assert_eq!(registers.class(0x6000_0000), Class::Modelled);
        assert_eq!(registers.class(0x6000_0014), Class::Stored);
        assert_eq!(registers.class(0x6000_0018), Class::Unknown);
        assert_eq!(registers.class(0x7000_0000), Class::Unknown);
        assert_eq!(registers.name(0x6000_0014), "UART.CLKDIV");
        assert_eq!(registers.name(0x6000_0018), "0x60000018");
        assert_eq!(registers.get(0x6000_100C), 5);
    }

    #[test]
    fn reset_restores_documented_values() {
        let mut registers = Registers::new(0x6000_0000, 0x2000, &[TABLE], &[], &[]);
        registers.set(0x6000_0014, 1);
        registers.set(0x6000_1000, 1);
        registers.reset(0x6000_0000, 0x1000);
        assert_eq!(registers.get(0x6000_0014), 0x2B6);
        assert_eq!(registers.get(0x6000_1000), 1);
    }
}
