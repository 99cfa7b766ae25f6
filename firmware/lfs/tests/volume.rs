//! A volume against a model, with and without loss of power.

mod common;

use std::collections::BTreeMap;

use common::Flash;
use larch_lfs::{Errno, Kind, Memory, OpenMode, SeekFrom, Volume};
use proptest::prelude::*;

const WRITE: OpenMode =
    OpenMode { read: false, write: true, create: true, exclusive: false, truncate: true, append: false };
const APPEND: OpenMode =
    OpenMode { read: false, write: true, create: true, exclusive: false, truncate: false, append: true };
const READ: OpenMode =
    OpenMode { read: true, write: false, create: false, exclusive: false, truncate: false, append: false };
const UPDATE: OpenMode =
    OpenMode { read: true, write: true, create: false, exclusive: false, truncate: false, append: false };

/// What the volume should hold: directories are `None`.
type Model = BTreeMap<String, Option<Vec<u8>>>;

#[derive(Clone, Debug)]
enum Operation {
    Write(String, Vec<u8>),
    Append(String, Vec<u8>),
    Update(String, u32, Vec<u8>),
    Remove(String),
    MakeDir(String),
    Rename(String, String),
}

fn path() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "c", "boot.py", "a_rather_long_name_of_a_file.txt"]);
    prop::collection::vec(name, 1..=3).prop_map(|names| names.join("/"))
}

fn data() -> impl Strategy<Value = Vec<u8>> {
    (0_usize..20_000, any::<u8>(), 0_u32..5).prop_map(|(len, seed, size)| {
        let len = len >> (size * 3);
        (0..len).map(|at| (at as u8).wrapping_mul(31) ^ seed).collect()
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => (path(), data()).prop_map(|(path, data)| Operation::Write(path, data)),
        2 => (path(), data()).prop_map(|(path, data)| Operation::Append(path, data)),
        1 => (path(), 0_u32..20_000, data()).prop_map(|(path, at, data)| Operation::Update(path, at, data)),
        2 => path().prop_map(Operation::Remove),
        3 => path().prop_map(Operation::MakeDir),
        2 => (path(), path()).prop_map(|(from, to)| Operation::Rename(from, to)),
    ]
}

fn is_dir(model: &Model, path: &str) -> bool {
    path.is_empty() || model.get(path).is_some_and(Option::is_none)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn has_children(model: &Model, path: &str) -> bool {
    model.keys().any(|other| parent(other) == path)
}

/// Applies an operation to the model; `false` if it must fail.
fn apply_to_model(model: &mut Model, operation: &Operation) -> bool {
    match operation {
        Operation::Write(path, data) => {
            let possible = is_dir(model, parent(path)) && !is_dir(model, path);
            possible.then(|| model.insert(path.clone(), Some(data.clone()))).is_some()
        }
        Operation::Append(path, data) => {
            let possible = is_dir(model, parent(path)) && !is_dir(model, path);
            possible
                .then(|| model.entry(path.clone()).or_insert(Some(vec![])).as_mut().unwrap().extend(data))
                .is_some()
        }
        Operation::Update(path, at, data) => match model.get_mut(path) {
            Some(Some(contents)) => {
                let at = *at as usize;
                let end = contents.len().max(if data.is_empty() { 0 } else { at + data.len() });
                contents.resize(end, 0);
                if !data.is_empty() {
                    contents[at..at + data.len()].copy_from_slice(data);
                }
                true
            }
            _ => false,
        },
        Operation::Remove(path) => !has_children(model, path) && model.remove(path).is_some(),
        Operation::MakeDir(path) => {
            let possible = is_dir(model, parent(path)) && !model.contains_key(path);
            possible.then(|| model.insert(path.clone(), None)).is_some()
        }
        Operation::Rename(from, to) => {
            let possible = model.contains_key(from)
                && is_dir(model, parent(to))
                && (!model.contains_key(to) || is_dir(model, from) == is_dir(model, to))
                && (from == to || !has_children(model, to))
                && !to.starts_with(&format!("{from}/"));
            if possible && from != to {
                let moved: Vec<String> = model
                    .keys()
                    .filter(|path| *path == from || path.starts_with(&format!("{from}/")))
                    .cloned()
                    .collect();
                for path in moved {
                    let contents = model.remove(&path).unwrap();
                    model.insert(format!("{to}{}", &path[from.len()..]), contents);
                }
            }
            possible
        }
    }
}

fn apply(volume: &mut Volume<'_>, flash: &mut Flash, operation: &Operation) -> Result<(), Errno> {
    let write =
        |volume: &mut Volume<'_>, flash: &mut Flash, path: &str, mode, at: Option<u32>, data: &[u8]| {
            let file = volume.open(flash, path.as_bytes(), mode, 1)?;
            if let Some(at) = at {
                volume.seek(flash, file, at as i32, SeekFrom::Start)?;
            }
            let mut written = Ok(0);
            for chunk in data.chunks(1000) {
                written = written.and_then(|_| volume.write(flash, file, chunk, 2));
            }
            volume.close(flash, file)?;
            written.map(drop)
        };
    match operation {
        Operation::Write(path, data) => write(volume, flash, path, WRITE, None, data),
        Operation::Append(path, data) => write(volume, flash, path, APPEND, None, data),
        Operation::Update(path, at, data) => write(volume, flash, path, UPDATE, Some(*at), data),
        Operation::Remove(path) => volume.remove(flash, path.as_bytes()),
        Operation::MakeDir(path) => volume.make_dir(flash, path.as_bytes()),
        Operation::Rename(from, to) => volume.rename(flash, from.as_bytes(), to.as_bytes()),
    }
}

/// Reads the whole tree.
fn dump(volume: &mut Volume<'_>, flash: &mut Flash, path: &str, model: &mut Model) -> Result<(), Errno> {
    let mut after: Option<Vec<u8>> = None;
    let directory = if path.is_empty() { "/" } else { path };
    while let Some(entry) = volume.next_entry(flash, directory.as_bytes(), after.as_deref())? {
        let name = String::from_utf8(entry.name().to_vec()).unwrap();
        let full = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        match entry.kind {
            Kind::Directory => {
                model.insert(full.clone(), None);
                dump(volume, flash, &full, model)?;
            }
            Kind::File => {
                let contents = read(volume, flash, &full)?;
                assert_eq!(contents.len(), entry.size as usize);
                model.insert(full, Some(contents));
            }
        }
        after = Some(name.into_bytes());
    }
    Ok(())
}

fn read(volume: &mut Volume<'_>, flash: &mut Flash, path: &str) -> Result<Vec<u8>, Errno> {
    let file = volume.open(flash, path.as_bytes(), READ, 0)?;
    let (mut contents, mut buffer) = (vec![], [0; 700]);
    loop {
        match volume.read(flash, file, &mut buffer)? {
            0 => break,
            count => contents.extend(&buffer[..count]),
        }
    }
    volume.close(flash, file)?;
    Ok(contents)
}

/// A tree that can be compared and shown: length and checksum in place of contents.
fn brief(model: &Model) -> Vec<String> {
    let sum = |data: &Vec<u8>| data.iter().fold(7_u32, |sum, &byte| sum.wrapping_mul(33) ^ u32::from(byte));
    model
        .iter()
        .map(|(path, contents)| match contents {
            None => format!("{path}/"),
            Some(data) => format!("{path} {} {:08x}", data.len(), sum(data)),
        })
        .collect()
}

fn mounted_tree(flash: &mut Flash) -> Model {
    let mut memory = Memory::<1>::new();
    let mut volume = Volume::mount(&mut memory, flash).expect("the volume mounts");
    let mut model = Model::new();
    dump(&mut volume, flash, "", &mut model).expect("the tree can be read");
    model
}

fn formatted(blocks: usize) -> Flash {
    let mut flash = Flash::new(blocks);
    Volume::format(&mut Memory::<0>::new(), &mut flash).expect("it can be formatted");
    flash
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn behaves_as_the_model(operations in prop::collection::vec(operation(), 1..80)) {
        let mut flash = formatted(128);
        let mut model = Model::new();
        let mut memory = Memory::<1>::new();
        let mut volume = Volume::mount(&mut memory, &mut flash).unwrap();
        for operation in &operations {
            let before = model.clone();
            let result = apply(&mut volume, &mut flash, operation);
            if result == Err(Errno::ENOSPC) {
                // What a full disk leaves of a file is its old contents.
                model = before;
                continue;
            }
            let expected = apply_to_model(&mut model, operation);
            prop_assert_eq!(result.is_ok(), expected, "{:?}: {:?}", operation, result);
        }
        prop_assert_eq!(brief(&mounted_tree(&mut flash)), brief(&model));
    }

    /// After a loss of power at any write or erase, the tree is the one before or the one after the operation.
    #[test]
    fn survives_loss_of_power(operations in prop::collection::vec(operation(), 1..40), cut in 1_u32..400) {
        let mut flash = formatted(64);
        flash.operations_left = Some(cut);
        let mut before = Model::new();
        let mut after = Model::new();
        let mut memory = Memory::<1>::new();
        let mut volume = Volume::mount(&mut memory, &mut flash).unwrap();
        for operation in &operations {
            before = after.clone();
            let result = apply(&mut volume, &mut flash, operation);
            if result == Err(Errno::ENOSPC) {
                continue;
            }
            apply_to_model(&mut after, operation);
            if flash.operations_left == Some(0) {
                break;
            }
        }
        flash.operations_left = None;
        let found = mounted_tree(&mut flash);
        // A new file is there, empty, from the moment it is opened.
        let mut created = before.clone();
        if let Some((path, _)) = after.iter().find(|(path, _)| !before.contains_key(*path)) {
            created.insert(path.clone(), Some(vec![]));
        }
        prop_assert!(found == before || found == after || found == created,
            "found {:?}\nbefore {:?}\nafter {:?}", brief(&found), brief(&before), brief(&after));
        let mut volume = Volume::mount(&mut memory, &mut flash).unwrap();
        apply(&mut volume, &mut flash, &Operation::Write("a_new_one".into(), vec![7; 5000])).unwrap();
        let mut expect = found.clone();
        expect.insert("a_new_one".into(), Some(vec![7; 5000]));
        prop_assert_eq!(brief(&mounted_tree(&mut flash)), brief(&expect));
    }
}

#[test]
fn a_blank_chip_holds_no_file_system() {
    assert_eq!(Volume::mount(&mut Memory::<1>::new(), &mut Flash::new(16)).err(), Some(Errno::ENODEV));
}

#[test]
fn a_full_volume_says_so_and_can_be_emptied() {
    let mut flash = formatted(16);
    let mut memory = Memory::<1>::new();
    let mut volume = Volume::mount(&mut memory, &mut flash).unwrap();
    let full = (0..32).find_map(|number| {
        apply(&mut volume, &mut flash, &Operation::Write(format!("{number}"), vec![1; 4000])).err()
    });
    assert_eq!(full, Some(Errno::ENOSPC));
    let usage = volume.usage(&mut flash).unwrap();
    assert_eq!((usage.block_size, usage.block_count), (4096, 16));
    assert!(usage.blocks_used >= 13, "{usage:?}");
    volume.remove(&mut flash, b"0").unwrap();
    volume.remove(&mut flash, b"1").unwrap();
    apply(&mut volume, &mut flash, &Operation::Write("again".into(), vec![2; 4000])).unwrap();
}

#[test]
fn handles_of_closed_files_are_refused() {
    let mut flash = formatted(16);
    let mut memory = Memory::<2>::new();
    let mut volume = Volume::mount(&mut memory, &mut flash).unwrap();
    let first = volume.open(&mut flash, b"x", WRITE, 0).unwrap();
    let second = volume.open(&mut flash, b"y", WRITE, 0).unwrap();
    assert_eq!(volume.open(&mut flash, b"z", WRITE, 0), Err(Errno::EMFILE));
    assert_eq!(volume.read(&mut flash, first, &mut [0; 4]), Err(Errno::EBADF));
    volume.close(&mut flash, first).unwrap();
    assert_eq!(volume.open_files().collect::<Vec<_>>(), [second]);
    let third = volume.open(&mut flash, b"x", READ, 0).unwrap();
    assert_eq!(volume.write(&mut flash, first, b"no", 0), Err(Errno::EBADF));
    assert_eq!(volume.write(&mut flash, third, b"no", 0), Err(Errno::EBADF));
    assert_eq!(volume.close(&mut flash, larch_lfs::FileId::from_bits(77)), Err(Errno::EBADF));
}

#[test]
fn the_time_of_a_write_is_kept() {
    let mut flash = formatted(16);
    let mut memory = Memory::<1>::new();
    let mut volume = Volume::mount(&mut memory, &mut flash).unwrap();
    let file = volume.open(&mut flash, b"x", WRITE, 5).unwrap();
    volume.write(&mut flash, file, b"text", 1_700_000_000_000_000_000).unwrap();
    volume.close(&mut flash, file).unwrap();
    let metadata = volume.stat(&mut flash, b"x").unwrap();
    assert_eq!((metadata.size, metadata.mtime_ns), (4, 1_700_000_000_000_000_000));
    volume.make_dir(&mut flash, b"d").unwrap();
    assert_eq!(volume.stat(&mut flash, b"d").unwrap().kind, Kind::Directory);
    assert_eq!(volume.stat(&mut flash, b"nope"), Err(Errno::ENOENT));
}

#[test]
fn entries_may_be_removed_while_a_directory_is_read() {
    let mut flash = formatted(64);
    let mut memory = Memory::<1>::new();
    let mut volume = Volume::mount(&mut memory, &mut flash).unwrap();
    for number in 0..60 {
        apply(&mut volume, &mut flash, &Operation::Write(format!("file{number:02}"), vec![1; 10])).unwrap();
    }
    let (mut after, mut names): (Option<Vec<u8>>, _) = (None, vec![]);
    while let Some(entry) = volume.next_entry(&mut flash, b"/", after.as_deref()).unwrap() {
        volume.remove(&mut flash, entry.name()).unwrap();
        names.push(entry.name().to_vec());
        after = Some(entry.name().to_vec());
    }
    assert_eq!(names.len(), 60);
    assert!(volume.next_entry(&mut flash, b"/", None).unwrap().is_none());
}

#[test]
fn entries_can_be_counted_off() {
    let mut flash = formatted(64);
    let mut memory = Memory::<1>::new();
    let mut volume = Volume::mount(&mut memory, &mut flash).unwrap();
    for number in 0..70 {
        apply(
            &mut volume,
            &mut flash,
            &Operation::Write(format!("a_file_with_a_long_name_{number:02}"), vec![1; 60]),
        )
        .unwrap();
    }
    for number in 0..70 {
        let entry = volume.entry_at(&mut flash, b"/", number).unwrap().expect("there are 70");
        assert_eq!(entry.name(), format!("a_file_with_a_long_name_{number:02}").as_bytes());
    }
    assert!(volume.entry_at(&mut flash, b"/", 70).unwrap().is_none());
}

#[test]
fn paths_that_cannot_be_are_refused() {
    let mut flash = formatted(16);
    let mut memory = Memory::<1>::new();
    let mut volume = Volume::mount(&mut memory, &mut flash).unwrap();
    assert_eq!(volume.stat(&mut flash, &[b'x'; 256]), Err(Errno::ENAMETOOLONG));
    assert_eq!(volume.stat(&mut flash, b"a\0b"), Err(Errno::EINVAL));
    assert_eq!(volume.next_entry(&mut flash, b"nope", None).err(), Some(Errno::ENOENT));
}
