//! From the command line to a chip that answers.

use crate::arguments::{AfterArgument, BeforeArgument, Global};
use crate::report::Reporter;
use crate::speeds;
use larch_chips::Chip;
use larch_image::packages;
use larch_loader::connect::Options;
use larch_loader::ports::{self, Filter};
use larch_loader::transport::Transport;
use larch_loader::transport::trace::Traced;
use larch_loader::{After, Before, Error, Loader, Patience, Stub, reset};
use std::io::IsTerminal;
use std::path::Path;

/// Speeds that are tried if none is given; common adapters go up to the first.
const SPEEDS: [u32; 3] = [921_600, 460_800, 230_400];

/// At this speed the mask ROM takes our stub without losing bytes, on a line that was clean at it before.
const UPLOAD_SPEED: u32 = 460_800;

/// Opens the port and connects as the options say.
pub fn connect(global: &Global, reporter: &Reporter) -> Result<Loader<'static>, Error> {
    connect_for(global, true, reporter)
}

/// The same; our own stub is left out where it cannot do what will be asked.
pub fn connect_for(global: &Global, own_stub: bool, reporter: &Reporter) -> Result<Loader<'static>, Error> {
    let chip = chip(&global.chip)?;
    let (port, usb_jtag) = port(global, reporter)?;
    let transport = traced(ports::open(&port, larch_loader::connect::ROM_BAUD)?, global.trace.as_deref())?;
    let options = Options {
        chip,
        before: before(global, &port, usb_jtag)?,
        patience: patience(global),
        timeout_factor: global.timeout_factor,
        may_change_speed: global.baud.is_none() && !port.starts_with("socket://"),
        ..Options::default()
    };
    let mut loader = Loader::connect(transport, Box::new(reporter.clone()), &options)?;
    let with_stub = !global.no_stub && !loader.secure_download();
    match global.baud {
        Some(baud) => {
            if with_stub {
                loader.change_baud(baud.min(UPLOAD_SPEED))?;
                start_stub(&mut loader, own_stub, reporter)?;
            }
            loader.change_baud(baud)?;
        }
        // A plain socket has no speed.
        None if port.starts_with("socket://") => {
            if with_stub {
                start_stub(&mut loader, own_stub, reporter)?;
            }
        }
        None => start_at_best_speed(&mut loader, &port, with_stub.then_some(own_stub), reporter)?,
    }
    if let Some(voltage) = &global.override_vddsdio {
        loader.override_vddsdio(voltage)?;
    }
    Ok(loader)
}

/// At the speed that was found on this port before, or at one that is found now; with a stub (`Some`), ours if possible.
fn start_at_best_speed(
    loader: &mut Loader<'_>,
    port: &str,
    own_stub: Option<bool>,
    reporter: &Reporter,
) -> Result<(), Error> {
    let remembered = speeds::recall(port);
    let our_stub_finds_it = own_stub == Some(true) && loader.is_rom() && loader.has_own_stub()?;
    let tried = speeds_to_try(remembered, our_stub_finds_it);
    if loader.speed_up(&tried)? {
        reporter.note("the chip was reset to find the speed");
    }
    if let Some(own_stub) = own_stub {
        start_stub(loader, own_stub, reporter)?;
    }
    loader.find_speed(remembered)?;
    // What the line can do with our stub is not known better by what another loader can do on it.
    let is_news = our_stub_finds_it || remembered.is_none_or(|known| known < loader.baud());
    if is_news && remembered != Some(loader.baud()) {
        speeds::remember(port, loader.baud());
    }
    Ok(())
}

/// Before a stub runs. The mask ROM loses bytes at speeds that are clean for our stub: those are for the stub only.
fn speeds_to_try(remembered: Option<u32>, for_our_stub: bool) -> Vec<u32> {
    match remembered {
        Some(baud) if for_our_stub && baud >= UPLOAD_SPEED => vec![UPLOAD_SPEED],
        _ if for_our_stub => Vec::new(),
        Some(baud) => SPEEDS.into_iter().filter(|&speed| speed <= baud).collect(),
        None => SPEEDS.to_vec(),
    }
}

/// Recorded, if that is wanted.
fn traced(transport: Box<dyn Transport>, file: Option<&Path>) -> Result<Box<dyn Transport>, Error> {
    let Some(path) = file else { return Ok(transport) };
    if path == Path::new("-") {
        return Ok(Box::new(Traced::new(transport, std::io::stderr())));
    }
    let name = path.display().to_string();
    let log = std::fs::File::create(path).map_err(|source| Error::File { name, source })?;
    Ok(Box::new(Traced::new(transport, std::io::LineWriter::new(log))))
}

/// Runs our own stub, or the published one where ours does not run, or goes on with the ROM if that is not on this machine.
fn start_stub(loader: &mut Loader<'_>, own_stub: bool, reporter: &Reporter) -> Result<(), Error> {
    if !loader.is_rom() || own_stub && loader.run_own_stub()? {
        return Ok(());
    }
    let found = packages::stub(loader.chip().slug).map_err(|error| error.to_string()).and_then(|path| {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        Stub::parse(&text).map_err(|error| error.to_string())
    });
    match found {
        Ok(stub) => loader.run_stub(&stub),
        Err(why) => {
            reporter.note(&format!("no stub, going on with the ROM alone, which is slower: {why}"));
            Ok(())
        }
    }
}

/// Whether somebody sits there who can be asked to press a button.
fn patience(global: &Global) -> Patience {
    if is_interactive(global) {
        Patience::Person(None)
    } else {
        Patience::Attempts(u32::try_from(global.connect_attempts.max(0)).unwrap_or(u32::MAX))
    }
}

/// Whether somebody sits there.
pub fn is_interactive(global: &Global) -> bool {
    !global.non_interactive && !global.json && !global.silent && std::io::stdin().is_terminal()
}

/// The port's name, and whether it is the chip's own USB port.
pub fn port(global: &Global, reporter: &Reporter) -> Result<(String, bool), Error> {
    let mut filter = Filter::default();
    for text in &global.port_filter {
        filter.add(text).map_err(Error::Argument)?;
    }
    let listed = ports::list();
    let (name, found) = if global.port == "auto" {
        let found = ports::choose(&filter)?;
        (found.name.clone(), Some(found))
    } else {
        (global.port.clone(), listed.into_iter().find(|port| port.name == global.port))
    };
    let usb_jtag = found.as_ref().is_some_and(ports::PortInfo::is_usb_jtag);
    let adapter = found.as_ref().and_then(ports::PortInfo::adapter);
    let why = adapter.map(|adapter| match global.port.as_str() {
        "auto" => format!("{adapter}; the only port with a board's adapter"),
        _ => adapter.to_owned(),
    });
    reporter.port(&name, why.as_deref());
    Ok((name, usb_jtag))
}

/// The chip that was named, if one was.
pub fn chip(name: &str) -> Result<Option<&'static Chip>, Error> {
    if name == "auto" {
        return Ok(None);
    }
    let chip = Chip::by_name(name).ok_or_else(|| {
        let known: Vec<_> = larch_chips::CHIPS.iter().map(|chip| chip.slug).collect();
        Error::Argument(format!("unknown chip '{name}' (one of: auto, {})", known.join(", ")))
    })?;
    Ok(Some(chip))
}

fn before(global: &Global, port: &str, usb_jtag: bool) -> Result<Before, Error> {
    if let Some(steps) = &global.custom_reset {
        return Ok(Before::Reset(vec![reset::parse(steps).map_err(Error::Argument)?]));
    }
    Ok(match global.before {
        BeforeArgument::DefaultReset if usb_jtag => Before::usb_reset(),
        BeforeArgument::DefaultReset => Before::default_reset(port),
        BeforeArgument::UsbReset => Before::usb_reset(),
        BeforeArgument::NoReset => Before::NoReset,
        BeforeArgument::NoResetNoSync => Before::NoSync,
    })
}

/// What the options say about the end.
pub fn after(global: &Global) -> Result<After, Error> {
    Ok(match global.after {
        AfterArgument::HardReset => After::hard_reset(),
        AfterArgument::SoftReset => {
            let why = "with these chips, only with the ESP8266; use --after hard-reset or watchdog-reset";
            return Err(Error::Unsupported { what: "soft-reset".to_owned(), why: why.to_owned() });
        }
        AfterArgument::NoReset => After::NoReset,
        AfterArgument::NoResetStub => After::NoResetStub,
        AfterArgument::WatchdogReset => After::WatchdogReset,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_rom_never_gets_a_speed_that_only_our_stub_can_do() {
        assert_eq!(speeds_to_try(Some(3_000_000), true), [UPLOAD_SPEED]);
        assert_eq!(speeds_to_try(Some(3_000_000), false), SPEEDS);
        assert_eq!(speeds_to_try(Some(460_800), false), [460_800, 230_400]);
        assert!(speeds_to_try(None, true).is_empty());
    }
}
