//! `.mpy` files: what is made of one that `mpy-cross -s sample.py sample.py` wrote passes the verifier, and no bytes make the
//! loader panic.

use larch_bytecode::code::{Backend, CodeParts, OutOfMemory, Singleton};
use larch_bytecode::qstr::Qstr;
use larch_bytecode::verify;
use larch_compiler::mpy::{MpyError, load};
use proptest::prelude::*;

const SAMPLE: &[u8] = include_bytes!("mpy/sample.mpy");

/// Makes nothing; a constant is how many cells it captures if it is code.
#[derive(Default)]
struct Blind {
    codes: usize,
    flaws: Vec<String>,
}

type Made = Result<Option<u8>, OutOfMemory>;

impl Backend for Blind {
    type Const = Option<u8>;

    fn qstr(&mut self, text: &str) -> Result<Qstr, OutOfMemory> {
        let hash = larch_bytecode::qstr::hash(text.as_bytes());
        Ok(Qstr::find_static(text.as_bytes(), hash).unwrap_or(Qstr(9000 + hash % 900)))
    }

    fn int(&mut self, _digits: &str, _radix: u32) -> Made {
        Ok(None)
    }

    fn small_int(&mut self, _value: i32) -> Option<u8> {
        None
    }

    fn float(&mut self, _text: &str) -> Made {
        Ok(None)
    }

    fn imaginary(&mut self, _text: &str) -> Made {
        Ok(None)
    }

    fn str(&mut self, _text: &str) -> Made {
        Ok(None)
    }

    fn interned(&mut self, _name: Qstr) -> Option<u8> {
        None
    }

    fn bytes(&mut self, _bytes: &[u8]) -> Made {
        Ok(None)
    }

    fn tuple(&mut self, _items: &[Option<u8>]) -> Made {
        Ok(None)
    }

    fn singleton(&mut self, _which: Singleton) -> Option<u8> {
        None
    }

    fn code(&mut self, parts: &CodeParts<'_, Option<u8>>) -> Made {
        self.codes += 1;
        if let Err(flaw) = verify(parts, |constant| *constant) {
            self.flaws.push(format!("{flaw:?}"));
        }
        Ok(Some(parts.free))
    }
}

#[test]
fn what_mpy_cross_made_is_translated_and_passes_the_verifier() {
    let mut backend = Blind::default();
    assert_eq!(load(SAMPLE, Qstr::args, &mut backend), Ok(Some(0)));
    assert_eq!(backend.flaws, [""; 0]);
    assert!(backend.codes > 30, "{}", backend.codes);
}

#[test]
fn what_is_no_such_file_is_refused() {
    let mut native = SAMPLE.to_vec();
    native[2] = 11 << 2 | 3;
    let mut newer = SAMPLE.to_vec();
    newer[1] = 7;
    for (bytes, error) in [
        (&b""[..], MpyError::Incompatible),
        (b"M\x06", MpyError::Incompatible),
        (b"x = 1\n", MpyError::Incompatible),
        (&newer, MpyError::Incompatible),
        (&native, MpyError::Native),
        (&SAMPLE[..SAMPLE.len() / 2], MpyError::Incompatible),
    ] {
        assert_eq!(load(bytes, Qstr::args, &mut Blind::default()), Err(error));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_panics(changes in proptest::collection::vec((4..SAMPLE.len(), any::<u8>()), 1..6)) {
        let mut bytes = SAMPLE.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let _ = load(&bytes, Qstr::args, &mut Blind::default());
    }

    #[test]
    fn no_bytes_panic(rest in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = b"M\x06\x00\x1f".to_vec();
        bytes.extend(rest);
        let _ = load(&bytes, Qstr::args, &mut Blind::default());
    }
}
