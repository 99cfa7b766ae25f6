//! RAM: load, dump, peek, poke.

use super::{read, write};
use crate::arguments::Verb;
use crate::report::Reporter;
use larch_loader::{After, Error, Loader};
use serde_json::json;

pub fn run(loader: &mut Loader<'_>, verb: &Verb, reporter: &Reporter) -> Result<Option<After>, Error> {
    match verb {
        Verb::LoadRam { file } => {
            loader.load_ram(&file.display().to_string(), &read(file)?)?;
            // A reset would end the program that was just started.
            return Ok(Some(After::NoReset));
        }
        Verb::DumpMem { address, size, file } => {
            let data = loader.dump_memory(*address, *size)?;
            write(file, &data)?;
            reporter.result(&format!("Wrote {size} bytes to {}.", file.display()), "bytes", json!(size));
        }
        Verb::ReadMem { address } => {
            let value = loader.read_register(*address)?;
            reporter.result(&format!("0x{address:08x} = 0x{value:08x}"), "value", json!(value));
        }
        Verb::WriteMem { address, value, mask } => {
            let old = if *mask == u32::MAX { 0 } else { loader.read_register(*address)? };
            let new = old & !mask | value & mask;
            loader.write_register(*address, new)?;
            reporter.result(&format!("Wrote 0x{new:08x} to 0x{address:08x}."), "value", json!(new));
        }
        _ => {}
    }
    Ok(None)
}
