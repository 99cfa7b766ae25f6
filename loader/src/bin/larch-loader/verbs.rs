//! One function per verb; the groups are in their own files.

mod chip;
mod files;
mod flash;
mod memory;
mod monitor;
mod program;
mod replay;

use crate::arguments::{Arguments, Global, Verb};
use crate::report::Reporter;
use crate::session;
use larch_image::merge;
use larch_loader::flash::WriteOptions;
use larch_loader::{After, Error, Loader, ports, reset};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Does what was asked.
pub fn run(arguments: &Arguments, reporter: &Reporter) -> Result<(), Error> {
    let global = &arguments.global;
    match &arguments.verb {
        Verb::ImageInfo { file, .. } => files::image_info(file, reporter),
        Verb::Elf2image { .. } => files::elf2image(&arguments.verb, session::chip(&global.chip)?, reporter),
        Verb::MergeBin { .. } => files::merge_bin(&arguments.verb, session::chip(&global.chip)?, reporter),
        Verb::MakeImage { .. } => files::make_image(&arguments.verb, session::chip(&global.chip)?, reporter),
        Verb::SaveImage { program, output, merge } => {
            program::save(program, session::chip(&global.chip)?, output, *merge, reporter)
        }
        Verb::Monitor { elf, no_reset } => monitor::run(global, elf.as_deref(), *no_reset, reporter),
        Verb::Replay { file } => replay::run(file, reporter),
        Verb::Completions { shell } => {
            let mut command = <Arguments as clap::CommandFactory>::command();
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command, "larch-loader", &mut script);
            // A reader that has seen enough is no error.
            let _ = std::io::stdout().write_all(&script);
            Ok(())
        }
        Verb::PartitionTable { file, output, to_csv } => {
            files::partition_table(file, output.as_deref(), *to_csv, reporter)
        }
        Verb::ListPorts { name_only, .. } => {
            list_ports(*name_only, reporter);
            Ok(())
        }
        Verb::Version => {
            let version = env!("CARGO_PKG_VERSION");
            reporter.result(version, "version", json!(version));
            Ok(())
        }
        Verb::Reset => lines_only(global, reset::HARD, "The board was reset.", reporter),
        Verb::HoldInReset => {
            lines_only(global, reset::HOLD, "The board is held in reset; `reset` lets it go.", reporter)
        }
        Verb::Flash { program, monitor } => {
            let after = session::after(global)?;
            program::check(program)?;
            let mut loader = session::connect(global, reporter)?;
            program::flash(&mut loader, program)?;
            loader.finish(&after)?;
            if *monitor { monitor::follow(&mut *loader.into_transport(), Some(&program.elf)) } else { Ok(()) }
        }
        verb => {
            let after = session::after(global)?;
            check_files(verb)?;
            // Our own stub does not encrypt.
            let mut loader = session::connect_for(global, !flash::encrypts(verb), reporter)?;
            let after = match on_chip(&mut loader, verb, reporter) {
                Ok(own) => own.unwrap_or(after),
                Err(error) => {
                    if error.is_refusal() {
                        // The board goes on as before; what stood against the verb is what there is to tell.
                        let _ = loader.finish(&after);
                    }
                    return Err(error);
                }
            };
            loader.finish(&after)?;
            let reset = matches!(after, After::Reset(_));
            if reset && matches!(verb, Verb::WriteFlash { .. }) && session::is_interactive(global) {
                see_it_start(&mut loader)?;
            }
            Ok(())
        }
    }
}

/// What can be wrong with files is told before anybody is asked to press a button.
fn check_files(verb: &Verb) -> Result<(), Error> {
    match verb {
        Verb::WriteFlash { files, .. } => {
            merge::check_overlaps(&flash::blobs(&files.files)?).map_err(Error::Overlap)
        }
        Verb::VerifyFlash { files, .. } => flash::blobs(&files.files).map(drop),
        Verb::WritePart { file, .. } | Verb::LoadRam { file } => read(file).map(drop),
        Verb::ReadFlash { file, .. } | Verb::DumpMem { file, .. } => check_writable(file),
        _ => Ok(()),
    }
}

/// Stays until the program starts; if the reset lines should have done it, only for a moment.
fn see_it_start(loader: &mut Loader<'_>) -> Result<(), Error> {
    if loader.is_reset_by_hand() {
        return loader.await_program(None);
    }
    match loader.await_program(Some(Duration::from_secs(2))) {
        // The person has been told; the flash is as it should be.
        Err(Error::NoAnswer(_)) => Ok(()),
        other => other,
    }
}

/// Runs a verb that needs a chip. Returns how the session must end if that is not for the options to say.
fn on_chip(loader: &mut Loader<'_>, verb: &Verb, reporter: &Reporter) -> Result<Option<After>, Error> {
    match verb {
        Verb::ReadMac | Verb::ChipId | Verb::BoardInfo | Verb::GetSecurityInfo => {
            chip::run(loader, verb, reporter)?
        }
        Verb::EfuseSummary { filter } => chip::efuses(loader, filter.as_deref(), reporter)?,
        Verb::LoadRam { .. } | Verb::DumpMem { .. } | Verb::ReadMem { .. } | Verb::WriteMem { .. } => {
            return memory::run(loader, verb, reporter);
        }
        Verb::WritePart { label, file, table } => {
            let table = program::table(loader, table)?;
            let name = files::short_name(file);
            let blob = larch_loader::Blob { name, offset: 0, data: read(file)? };
            loader.write_partition(&table, label, blob, &WriteOptions::default())?;
        }
        Verb::EraseParts { labels, table } => {
            let table = program::table(loader, table)?;
            loader.erase_partitions(&table, labels)?;
        }
        Verb::Run => return loader.way_to_program().map(Some),
        other => flash::run(loader, other, reporter)?,
    }
    Ok(None)
}

fn lines_only(global: &Global, steps: &[reset::Step], done: &str, reporter: &Reporter) -> Result<(), Error> {
    let (port, _) = session::port(global, reporter)?;
    let mut transport = ports::open(&port, larch_loader::connect::ROM_BAUD)?;
    reset::run(&mut *transport, steps)?;
    reporter.result(done, "control", json!(done));
    Ok(())
}

fn list_ports(name_only: bool, reporter: &Reporter) {
    for port in ports::list() {
        let usb = port.usb.as_ref();
        let value = json!({
            "name": port.name,
            "vid": usb.map(|usb| usb.vid),
            "pid": usb.map(|usb| usb.pid),
            "serial": usb.and_then(|usb| usb.serial.as_deref()),
            "product": usb.and_then(|usb| usb.product.as_deref()),
            "adapter": port.adapter(),
        });
        let ids = usb.map(|usb| format!("  {:04x}:{:04x}", usb.vid, usb.pid)).unwrap_or_default();
        let serial = usb.and_then(|usb| usb.serial.as_deref()).unwrap_or_default();
        let adapter = port.adapter().unwrap_or_default();
        let text =
            if name_only { port.name.clone() } else { format!("{}{ids}  {adapter} {serial}", port.name) };
        reporter.result(text.trim_end(), "port", value);
    }
}

/// Whether a file can be written, told before a long read. It is made if it is not there.
fn check_writable(path: &Path) -> Result<(), Error> {
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map(drop).map_err(|source| Error::File { name: path.display().to_string(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File { name: path.display().to_string(), source })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(|source| Error::File { name: path.display().to_string(), source })
}
