//! Interned names. The names that the interpreter itself knows are numbered at build time by one table; names met at
//! run time get the numbers after them.

/// The number of an interned string. Below [`STATIC_COUNT`]: an entry of [`STATIC`]; else made at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Qstr(pub u16);

/// The 16-bit hash of a string's bytes (djb2 folded, never 0), shared by interned and heap strings.
pub const fn hash(bytes: &[u8]) -> u16 {
    let mut h = 5381u32;
    let mut i = 0;
    while i < bytes.len() {
        h = h.wrapping_mul(33) ^ bytes[i] as u32;
        i += 1;
    }
    let folded = (h ^ (h >> 16)) as u16;
    if folded == 0 { 1 } else { folded }
}

macro_rules! qstrs {
    ($($name:ident = $text:expr),* $(,)?) => {
        #[repr(u16)]
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "a variant is named as the constant is")]
        enum Numbering { $($name),*, COUNT }

        #[allow(clippy::allow_attributes, reason = "the next attribute")]
        #[allow(non_upper_case_globals, reason = "constants are named as the Python names are")]
        impl Qstr {
            $(
                #[doc = concat!("`", $text, "`")]
                pub const $name: Qstr = Qstr(Numbering::$name as u16);
            )*
        }

        /// How many names are known at build time.
        pub const STATIC_COUNT: usize = Numbering::COUNT as usize;
        /// The names known at build time.
        pub static STATIC: [&str; STATIC_COUNT] = [$($text),*];
        const TEXTS: [&str; STATIC_COUNT] = [$($text),*];
    };
}

include!("qstr_table.rs");

/// Hashes of [`STATIC`].
pub static STATIC_HASHES: [u16; STATIC_COUNT] = {
    let mut hashes = [0; STATIC_COUNT];
    let mut i = 0;
    while i < STATIC_COUNT {
        hashes[i] = hash(TEXTS[i].as_bytes());
        i += 1;
    }
    hashes
};

/// The names of one ASCII character, by character.
pub static ASCII: [Qstr; 128] = {
    let mut names = [Qstr(0); 128];
    let mut i = 0;
    while i < STATIC_COUNT {
        let text = TEXTS[i].as_bytes();
        if text.len() == 1 && text[0] < 128 {
            names[text[0] as usize] = Qstr(i as u16);
        }
        i += 1;
    }
    names
};

const SLOTS: usize = (STATIC_COUNT * 2).next_power_of_two();

/// Open-addressed index of [`STATIC`] by hash; 0xffff marks an empty slot.
static INDEX: [u16; SLOTS] = {
    let mut slots = [0xffff; SLOTS];
    let mut i = 0;
    while i < STATIC_COUNT {
        let mut at = hash(TEXTS[i].as_bytes()) as usize % SLOTS;
        while slots[at] != 0xffff {
            at = (at + 1) % SLOTS;
        }
        slots[at] = i as u16;
        i += 1;
    }
    slots
};

impl Qstr {
    /// The build-time name with this text, if there is one. `hash` is [`hash`] of the text.
    pub fn find_static(text: &[u8], hash: u16) -> Option<Qstr> {
        let mut at = hash as usize % SLOTS;
        loop {
            match INDEX[at] {
                0xffff => return None,
                n if STATIC_HASHES[n as usize] == hash && STATIC[n as usize].as_bytes() == text => {
                    return Some(Qstr(n));
                }
                _ => at = (at + 1) % SLOTS,
            }
        }
    }

    /// The text, if the name is known at build time.
    pub fn static_text(self) -> Option<&'static str> {
        STATIC.get(self.0 as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_static_name_is_found_and_is_unique() {
        for (number, text) in STATIC.iter().enumerate() {
            let found = Qstr::find_static(text.as_bytes(), hash(text.as_bytes()));
            assert_eq!(found, Some(Qstr(number as u16)), "{text}");
        }
        for (character, name) in ASCII.iter().enumerate() {
            assert_eq!(name.static_text().map(str::as_bytes), Some(&[character as u8][..]));
        }
        assert_eq!(Qstr::find_static(b"no such name", hash(b"no such name")), None);
    }
}
