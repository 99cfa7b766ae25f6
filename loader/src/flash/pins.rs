//! Which pins the flash hangs on, where they are not the usual ones.

use crate::connect::Loader;
use crate::error::Error;

impl Loader<'_> {
    /// Takes `SPI` (the usual pins), `HSPI` (ESP32's second controller), or `CLK,Q,D,HD,CS` as GPIO numbers.
    ///
    /// # Errors
    /// If the text is none of these, or the chip cannot do it.
    pub fn set_flash_pins(&mut self, text: &str) -> Result<(), Error> {
        let pins = parse(text).map_err(Error::Argument)?;
        let possible = match pins {
            0 => true,
            1 => self.chip.rom.flash_regulator.is_some(),
            _ => self.chip.rom.custom_spi_pins,
        };
        if !possible {
            let why = format!("with the {}; its flash is on fixed pins", self.chip.name);
            return Err(Error::Unsupported { what: format!("--spi-connection {text}"), why });
        }
        (self.flash_pins, self.flash) = (pins, None);
        Ok(())
    }
}

/// As SPI_ATTACH has them: 0, 1, or five numbers of six bits, CLK lowest.
fn parse(text: &str) -> Result<u32, String> {
    /// Where CLK, Q, D, HD and CS are in the word.
    const SHIFTS: [u32; 5] = [0, 6, 12, 24, 18];
    const HIGHEST: u32 = 48;
    match text.to_ascii_uppercase().as_str() {
        "SPI" => return Ok(0),
        "HSPI" => return Ok(1),
        _ => {}
    }
    let wrong = || {
        format!(
            "'{text}' is no SPI connection (SPI, HSPI, or five different GPIOs: CLK,Q,D,HD,CS, as 6,17,8,11,16)"
        )
    };
    let pins: Vec<u32> =
        text.split(',').map(|pin| pin.trim().parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
    let distinct: std::collections::BTreeSet<_> = pins.iter().collect();
    if pins.len() != SHIFTS.len() || distinct.len() != pins.len() || pins.iter().any(|&pin| pin > HIGHEST) {
        return Err(wrong());
    }
    Ok(pins.iter().zip(SHIFTS).fold(0, |word, (pin, shift)| word | pin << shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_packed_as_the_rom_takes_them() {
        assert_eq!((parse("SPI"), parse("hspi")), (Ok(0), Ok(1)));
        assert_eq!(parse("6,17,8,11,16"), Ok(11 << 24 | 16 << 18 | 8 << 12 | 17 << 6 | 6));
        for wrong in ["", "6,17,8,11", "6,6,8,11,16", "6,17,8,11,99", "a,b,c,d,e"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
