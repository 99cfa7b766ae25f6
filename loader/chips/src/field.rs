//! Bit fields of registers, whole or spread over several.

/// Some adjacent bits of one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    /// Address of the 32-bit register.
    pub register: u32,
    /// Number of the lowest bit.
    pub shift: u8,
    /// How many bits, 1 to 32.
    pub width: u8,
}

impl Bits {
    /// `width` bits from bit `shift` of the register.
    pub const fn new(register: u32, shift: u8, width: u8) -> Self {
        assert!(width > 0 && shift as u32 + width as u32 <= 32);
        Self { register, shift, width }
    }

    /// Takes these bits out of the register's value.
    pub const fn of(self, value: u32) -> u32 {
        (value >> self.shift) & (u32::MAX >> (32 - self.width))
    }
}

/// A number made of bits from one or more registers, lowest part first. No parts: always 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field(pub &'static [Bits]);

impl Field {
    /// A field that this chip does not have; reads as 0.
    pub const NONE: Self = Self(&[]);

    /// Reads the field through `read`, which returns a register's value.
    ///
    /// # Errors
    /// What `read` returns.
    pub fn read<E>(self, mut read: impl FnMut(u32) -> Result<u32, E>) -> Result<u32, E> {
        let (mut value, mut at) = (0, 0);
        for bits in self.0 {
            value |= bits.of(read(bits.register)?) << at;
            at += bits.width;
        }
        Ok(value)
    }

    /// How many bits wide the number is.
    pub const fn width(self) -> u32 {
        let (mut width, mut index) = (0, 0);
        while index < self.0.len() {
            width += self.0[index].width as u32;
            index += 1;
        }
        width
    }
}

/// A field that must have a value.
#[derive(Debug, Clone, Copy)]
pub struct Condition {
    /// The field.
    pub field: Field,
    /// Its value.
    pub is: u32,
}

/// What the values of a field mean.
pub type Named = &'static [(u32, &'static str)];
