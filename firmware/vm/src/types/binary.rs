//! Numbers as bytes: the type codes that array, memoryview and struct share. Native sizes are those of a 32-bit board on
//! every target.

use larch_heap::Value;

use super::float::Float;
use super::ids;
use crate::native::Res;
use crate::vm::Vm;

/// Bytes of an item of a type code; `None`: there is no such code. (`s` and `x` of struct are not items.)
pub(crate) fn size_of_code(code: u8) -> Option<u32> {
    Some(match code {
        b'b' | b'B' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'l' | b'L' | b'f' | b'P' | b'O' | b'S' => 4,
        b'q' | b'Q' | b'd' => 8,
        _ => return None,
    })
}

/// A float in single precision.
#[allow(clippy::allow_attributes, clippy::unnecessary_cast, reason = "on boards it is single already")]
fn single(value: Float) -> f32 {
    value as f32
}

impl Vm {
    /// As [`size_of_code`].
    ///
    /// # Errors
    /// ValueError for an unknown code.
    pub(crate) fn item_size(&mut self, code: u8) -> Res<u32> {
        match size_of_code(code) {
            Some(size) => Ok(size),
            None => Err(self.raise(ids::ValueError, "bad typecode")),
        }
    }

    /// The value of an item; `bytes` are its bytes, low first, and zeros.
    #[inline]
    pub(crate) fn item_from_bytes(&mut self, code: u8, bytes: [u8; 8]) -> Res {
        let word = u64::from_le_bytes(bytes);
        match code {
            b'B' | b'H' => Ok(Value::small(word as i32)),
            b'b' => Ok(Value::small(i32::from(word as i8))),
            b'h' => Ok(Value::small(i32::from(word as i16))),
            b'i' | b'l' => self.new_int_i64(i64::from(word as i32)),
            b'q' => self.new_int_i64(word as i64),
            b'e' => self.new_float(Float::from(half_to_float(word as u16))),
            b'f' => self.new_float(Float::from(f32::from_bits(word as u32))),
            b'd' => self.new_float(f64::from_bits(word) as Float),
            _ => self.new_int_u64(word),
        }
    }

    /// The bytes of a value as an item, low first; ints are cut to size.
    ///
    /// # Errors
    /// TypeError if it is no number of the kind.
    pub(crate) fn item_to_bytes(&mut self, code: u8, value: Value) -> Res<[u8; 8]> {
        let word = match code {
            b'e' => u64::from(float_to_half(single(self.float_arg(value)?))),
            b'f' => u64::from(single(self.float_arg(value)?).to_bits()),
            #[allow(clippy::allow_attributes, clippy::unnecessary_cast, reason = "Float is f32 on boards")]
            b'd' => (self.float_arg(value)? as f64).to_bits(),
            _ => self.int_low_word(value)?,
        };
        Ok(word.to_le_bytes())
    }

    /// The low 64 bits of an int in two's complement.
    ///
    /// # Errors
    /// TypeError if `value` is no int.
    pub fn int_low_word(&mut self, value: Value) -> Res<u64> {
        let value = self.native_part(value);
        match self.int_truncated(value) {
            Some(word) => Ok(word),
            None => self.int_arg(value).map(|value| i64::from(value) as u64),
        }
    }
}

/// A half-precision float.
fn half_to_float(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let (exponent, mantissa) = (u32::from(half >> 10 & 31), u32::from(half & 0x3ff));
    let bits = match (exponent, mantissa) {
        (0, 0) => 0,
        (0, _) => {
            // Not normal: shift until the top bit is the hidden one.
            let shift = mantissa.leading_zeros() - 21;
            (113 - shift) << 23 | (mantissa << shift & 0x3ff) << 13
        }
        (31, _) => 0xff << 23 | mantissa << 13,
        _ => (exponent + 112) << 23 | mantissa << 13,
    };
    f32::from_bits(sign | bits)
}

/// The half-precision float nearest to a value, ties to even.
fn float_to_half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let exponent = (bits >> 23 & 0xff) as i32 - 112;
    let mantissa = bits & 0x7f_ffff;
    if exponent == 143 {
        return sign | 0x7c00 | (mantissa >> 13) as u16 | u16::from(mantissa != 0) << 9;
    }
    let (kept, dropped) = match exponent {
        31.. => return sign | 0x7c00,
        1..31 => ((exponent as u32) << 10 | mantissa >> 13, 13),
        -10..1 => ((mantissa | 0x80_0000) >> (14 - exponent), (14 - exponent) as u32),
        _ => return sign,
    };
    let full = if exponent < 1 { mantissa | 0x80_0000 } else { mantissa };
    let (rest, tie) = (full & ((1 << dropped) - 1), 1 << (dropped - 1));
    let up = rest > tie || rest == tie && kept & 1 != 0;
    // Rounding up out of the mantissa steps the exponent, to infinity at last.
    sign | (kept + u32::from(up)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_convert_both_ways() {
        for (half, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x7c00, f32::INFINITY),
            (0x3555, 0.333_251_95),
        ] {
            assert_eq!(half_to_float(half), value, "{half:#x}");
            assert_eq!(float_to_half(value), half, "{value}");
        }
        assert_eq!(float_to_half(1.0 / 3.0), 0x3555);
        assert_eq!(float_to_half(65520.0), 0x7c00);
        assert_eq!(float_to_half(1e-9), 0);
        assert!(half_to_float(float_to_half(f32::NAN)).is_nan());
    }
}
