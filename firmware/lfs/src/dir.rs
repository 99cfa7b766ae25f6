//! Directories: looking up paths, and what changes names.
//!
//! A directory is a chain of pairs, its entries sorted by name. All pairs of the disk form one list from the root on; a
//! directory's chain is a stretch of it.
//!
//! Source: littlefs `DESIGN.md` ("The move problem"), `lfs.c`.

use core::cmp::Ordering;

use crate::disk::{Pair, ROOT, Tag, is_same, kind, pair, words};
use crate::fs::{Data, Fs, Seen};
use crate::log::{Found, Log};
use crate::{Errno, Kind, NAME_MAX};

/// Attributes of one entry that are kept when it is moved.
const ATTRIBUTES_MAX: usize = 8;
/// Room for a name, a structure and what goes with them.
const ROOM_FOR_ENTRY: u32 = 4 + NAME_MAX as u32 + 4 + 8 + 12 + 8;
/// Room for a new tail or a deletion.
const ROOM_FOR_LINK: u32 = 12 + 4;

/// Where a path leads.
pub(crate) enum Place {
    /// To the root directory.
    Root,
    /// To an entry.
    Entry { log: Log, id: u16, kind: Kind },
    /// To nothing yet: a new entry would be number `id`.
    Missing { log: Log, id: u16 },
}

/// What a directory holds under a name.
enum Lookup {
    Found(Log, u16, Kind),
    Missing(Log, u16),
}

/// The number of a moved entry, and what it replaces: nothing, a file, or an empty directory.
type Target = (u16, Option<Option<Pair>>);

/// The parts of a path that count. `..` is not resolved here.
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b"."))
}

/// The last part of a path.
pub(crate) fn base_name(path: &[u8]) -> &[u8] {
    parts(path).last().unwrap_or(b"")
}

/// Whether `path` leads to something in the directory `ancestor`.
fn is_inside(path: &[u8], ancestor: &[u8]) -> bool {
    let mut path = parts(path);
    parts(ancestor).all(|part| path.next() == Some(part)) && path.next().is_some()
}

/// The order in which littlefs keeps names: by their bytes, but a name comes after the longer ones that begin with it.
pub(crate) fn compare(name: &[u8], other: &[u8]) -> Ordering {
    let common = name.len().min(other.len());
    name[..common].cmp(&other[..common]).then(other.len().cmp(&name.len()))
}

impl Fs<'_> {
    // ---- looking up ----

    /// Follows a path.
    pub(crate) fn find(&mut self, path: &[u8]) -> Result<Place, Errno> {
        let mut directory = self.state.root;
        let mut parts = parts(path).peekable();
        let mut place = Place::Root;
        while let Some(name) = parts.next() {
            if name.len() > NAME_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            place = match self.look_up(directory, name)? {
                Lookup::Found(log, id, kind) => Place::Entry { log, id, kind },
                Lookup::Missing(..) if parts.peek().is_some() => return Err(Errno::ENOENT),
                Lookup::Missing(log, id) => Place::Missing { log, id },
            };
            if parts.peek().is_some()
                && let Place::Entry { log, id, kind } = &place
            {
                if *kind == Kind::File {
                    return Err(Errno::ENOTDIR);
                }
                directory = self.directory_of(log, *id)?;
            }
        }
        if path.ends_with(b"/") && matches!(place, Place::Entry { kind: Kind::File, .. }) {
            return Err(Errno::ENOTDIR);
        }
        Ok(place)
    }

    /// The first pair of the directory at `path`.
    pub(crate) fn find_directory(&mut self, path: &[u8]) -> Result<Pair, Errno> {
        match self.find(path)? {
            Place::Root => Ok(self.state.root),
            Place::Entry { log, id, kind: Kind::Directory } => self.directory_of(&log, id),
            Place::Entry { .. } => Err(Errno::ENOTDIR),
            Place::Missing { .. } => Err(Errno::ENOENT),
        }
    }

    /// The first pair of the directory that an entry is.
    pub(crate) fn directory_of(&mut self, log: &Log, id: u16) -> Result<Pair, Errno> {
        let found = self.get_kind(log, kind::DIR_STRUCT, id)?.ok_or(Errno::ECORRUPT)?;
        Ok(pair(&self.data::<8>(found)?))
    }

    /// Looks for a name in a directory.
    fn look_up(&mut self, directory: Pair, name: &[u8]) -> Result<Lookup, Errno> {
        let mut log = self.fetch(directory)?;
        let mut steps = 0;
        loop {
            let (mut low, mut high) = (0, log.count);
            while low < high {
                let middle = low + (high - low) / 2;
                let found = self.get(&log, kind::NAME, middle)?.ok_or(Errno::ECORRUPT)?;
                match self.compare_name(found, name)? {
                    Ordering::Less => low = middle + 1,
                    Ordering::Greater => high = middle,
                    Ordering::Equal => {
                        let kind = entry_kind(found.tag);
                        return Ok(Lookup::Found(log, middle, kind));
                    }
                }
            }
            match log.tail {
                Some(tail) if low == log.count && log.split => log = self.next_log(tail, &mut steps)?,
                _ => return Ok(Lookup::Missing(log, low)),
            }
        }
    }

    fn next_log(&mut self, tail: Pair, steps: &mut u32) -> Result<Log, Errno> {
        *steps += 1;
        if *steps > self.bus.block_count {
            return Err(Errno::ECORRUPT);
        }
        self.fetch(tail)
    }

    /// Compares an entry's name with `name`. The superblock comes before everything.
    fn compare_name(&mut self, found: Found, name: &[u8]) -> Result<Ordering, Errno> {
        if found.tag.kind() == kind::SUPERBLOCK {
            return Ok(Ordering::Less);
        }
        let mut bytes = [0; NAME_MAX];
        let len = found.tag.len();
        let stored = bytes.get_mut(..len).ok_or(Errno::ECORRUPT)?;
        self.bus.read(found.block, found.offset, stored)?;
        Ok(compare(stored, name))
    }

    // ---- changing ----

    /// Makes an entry of a file, and returns where it is.
    pub(crate) fn create_file(&mut self, path: &[u8]) -> Result<(Log, u16), Errno> {
        let name = base_name(path);
        let (mut log, id) = self.find_missing(path)?;
        self.append(
            &mut log,
            &[
                (Tag::new(kind::CREATE, id, 0), Data::Bytes(b"")),
                (Tag::new(kind::FILE, id, name.len()), Data::Bytes(name)),
                (Tag::new(kind::INLINE_STRUCT, id, 0), Data::Bytes(b"")),
            ],
        )?;
        Ok((log, id))
    }

    /// Where a new entry at `path` goes, with room for it.
    fn find_missing(&mut self, path: &[u8]) -> Result<(Log, u16), Errno> {
        self.find_with_room(ROOM_FOR_ENTRY, |fs| match fs.find(path)? {
            Place::Missing { log, id } => Ok((log, id)),
            _ => Err(Errno::EEXIST),
        })
    }

    /// Where the entry at `path` is, with room for its deletion.
    fn find_entry(&mut self, path: &[u8]) -> Result<(Log, (u16, Kind)), Errno> {
        self.find_with_room(ROOM_FOR_LINK, |fs| match fs.find(path)? {
            Place::Entry { log, id, kind } => Ok((log, (id, kind))),
            Place::Root => Err(Errno::EINVAL),
            Place::Missing { .. } => Err(Errno::ENOENT),
        })
    }

    /// The last pair of the chain that goes on from `log`, with room for a new tail.
    fn end_of_chain(&mut self, start: Pair) -> Result<Log, Errno> {
        let (log, ()) = self.find_with_room(ROOM_FOR_LINK, |fs| {
            let mut log = fs.fetch(start)?;
            let mut steps = 0;
            while log.split
                && let Some(tail) = log.tail
            {
                log = fs.next_log(tail, &mut steps)?;
            }
            Ok((log, ()))
        })?;
        Ok(log)
    }

    /// Makes a directory. Its pair goes into the list of pairs behind its parent's chain.
    pub(crate) fn make_dir(&mut self, path: &[u8]) -> Result<(), Errno> {
        let name = base_name(path);
        let (log, _) = self.find_missing(path)?;
        let new = match self.end_of_chain(log.pair)?.tail {
            Some(tail) => {
                let link = words::<2, 8>(tail);
                self.create_pair(&[(Tag::new(kind::TAIL, crate::disk::NO_ID, 8), Data::Bytes(&link))])?
            }
            None => self.create_pair(&[])?,
        };
        let link = words::<2, 8>(new);
        let tail = (Tag::new(kind::TAIL, crate::disk::NO_ID, 8), Data::Bytes(&link[..]));
        // Making room may have moved either; room for the second does not move the first.
        let (mut log, id) = self.find_missing(path)?;
        let mut last = self.end_of_chain(log.pair)?;
        let one_commit = is_same(log.pair, last.pair);
        if !one_commit {
            self.state.next_global = self.state.next_global.with_orphans(true);
            self.append(&mut last, &[tail])?;
            self.state.next_global = self.state.next_global.with_orphans(false);
        }
        let entry = [
            (Tag::new(kind::CREATE, id, 0), Data::Bytes(b"")),
            (Tag::new(kind::DIRECTORY, id, name.len()), Data::Bytes(name)),
            (Tag::new(kind::DIR_STRUCT, id, 8), Data::Bytes(&link)),
            tail,
        ];
        self.append(&mut log, if one_commit { &entry } else { &entry[..3] })
    }

    /// Removes a file or an empty directory.
    pub(crate) fn remove(&mut self, path: &[u8]) -> Result<(), Errno> {
        let (mut log, (id, kind)) = self.find_entry(path)?;
        let delete = (Tag::new(kind::DELETE, id, 0), Data::Bytes(b""));
        if kind == Kind::File {
            self.append(&mut log, &[delete])?;
            return self.drop_if_empty(log.pair);
        }
        let directory = self.directory_of(&log, id)?;
        self.check_empty(directory)?;
        self.state.next_global = self.state.next_global.with_orphans(true);
        self.append(&mut log, &[delete])?;
        self.state.next_global = self.state.next_global.with_orphans(false);
        self.drop_chain(directory)?;
        self.drop_if_empty(log.pair)
    }

    /// Whether a directory has no entries.
    fn check_empty(&mut self, directory: Pair) -> Result<(), Errno> {
        let mut log = self.fetch(directory)?;
        let mut steps = 0;
        loop {
            match log.tail {
                _ if log.count > 0 => return Err(Errno::ENOTEMPTY),
                Some(tail) if log.split => log = self.next_log(tail, &mut steps)?,
                _ => return Ok(()),
            }
        }
    }

    /// The pair before `at` in the list of all pairs, with room for a new tail.
    pub(crate) fn predecessor(&mut self, at: Pair) -> Result<Option<Log>, Errno> {
        let found = self.find_with_room(ROOM_FOR_LINK, |fs| {
            let mut log = fs.fetch(ROOT)?;
            let mut steps = 0;
            while let Some(tail) = log.tail {
                if is_same(tail, at) {
                    return Ok((log, ()));
                }
                log = fs.next_log(tail, &mut steps)?;
            }
            Err(Errno::ENOENT)
        });
        match found {
            Ok((log, ())) => Ok(Some(log)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Takes a directory's whole chain, which holds nothing, out of the list of pairs.
    pub(crate) fn drop_chain(&mut self, directory: Pair) -> Result<(), Errno> {
        let Some(mut before) = self.predecessor(directory)? else { return Ok(()) };
        let mut log = self.fetch(directory)?;
        let mut share = self.share(&log)?;
        let mut steps = 0;
        while log.split
            && let Some(tail) = log.tail
        {
            log = self.next_log(tail, &mut steps)?;
            share = share.xor(self.share(&log)?);
        }
        self.state.inherited = self.state.inherited.xor(share);
        let split = before.split && is_same(before.tail.unwrap_or(ROOT), directory) && log.split;
        self.set_tail(&mut before, log.tail, split)
    }

    /// Makes `tail` follow a pair.
    pub(crate) fn set_tail(&mut self, log: &mut Log, tail: Option<Pair>, split: bool) -> Result<(), Errno> {
        let link = words::<2, 8>(tail.unwrap_or([u32::MAX; 2]));
        let tag = Tag::new(kind::TAIL + u16::from(split), crate::disk::NO_ID, 8);
        self.append(log, &[(tag, Data::Bytes(&link))])
    }

    /// Takes a pair that continues a directory out of it if no entry is left in it.
    fn drop_if_empty(&mut self, at: Pair) -> Result<(), Errno> {
        let log = self.fetch(at)?;
        if log.count > 0 {
            return Ok(());
        }
        match self.predecessor(at)? {
            Some(mut before) if before.split => {
                let share = self.share(&log)?;
                self.state.inherited = self.state.inherited.xor(share);
                self.set_tail(&mut before, log.tail, log.split)
            }
            _ => Ok(()),
        }
    }

    /// Moves an entry; what was at `to` is replaced.
    pub(crate) fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        if is_inside(to, from) {
            return Err(Errno::EINVAL);
        }
        let (old, (old_id, kind)) = self.find_entry(from)?;
        if let Place::Entry { log, id, .. } = self.find(to)?
            && is_same(log.pair, old.pair)
            && id == old_id
        {
            return Ok(());
        }
        let (target, (mut new_id, replaced)) = self.find_target(to, kind)?;
        // Making room for the one may have moved the other.
        let (source, (old_id, _)) = self.find_entry(from)?;
        let mut target = self.fetch(target.pair)?;
        if let Place::Entry { log, id, .. } | Place::Missing { log, id } = self.find(to)? {
            (target, new_id) = (log, id);
        }
        if !self.has_room(&target, ROOM_FOR_MOVE) {
            return Err(Errno::ENOSPC);
        }
        let same = is_same(source.pair, target.pair);
        self.move_entry(&source, old_id, kind, &mut target, new_id, replaced.is_some(), base_name(to))?;
        if let Some(Some(directory)) = replaced {
            self.drop_chain(directory)?;
        }
        if same { Ok(()) } else { self.drop_if_empty(source.pair) }
    }

    /// Where a moved entry goes.
    fn find_target(&mut self, to: &[u8], moved: Kind) -> Result<(Log, Target), Errno> {
        self.find_with_room(ROOM_FOR_MOVE, |fs| match fs.find(to)? {
            Place::Missing { log, id } => Ok((log, (id, None))),
            Place::Root => Err(Errno::EINVAL),
            Place::Entry { kind: Kind::Directory, .. } if moved == Kind::File => Err(Errno::EISDIR),
            Place::Entry { kind: Kind::File, .. } if moved == Kind::Directory => Err(Errno::ENOTDIR),
            Place::Entry { log, id, kind: Kind::File } => Ok((log, (id, Some(None)))),
            Place::Entry { log, id, kind: Kind::Directory } => {
                let directory = fs.directory_of(&log, id)?;
                fs.check_empty(directory)?;
                Ok((log, (id, Some(Some(directory)))))
            }
        })
    }

    /// Writes the moved entry and deletes the old one: in one commit if they share a log, else with a note in the global
    /// state that the old one is to be deleted.
    #[expect(clippy::too_many_arguments, reason = "two places and what goes from one to the other")]
    fn move_entry(
        &mut self,
        source: &Log,
        old_id: u16,
        kind: Kind,
        target: &mut Log,
        new_id: u16,
        replaces: bool,
        name: &[u8],
    ) -> Result<(), Errno> {
        let same = is_same(source.pair, target.pair);
        let mut tags = Tags::new();
        if replaces {
            tags.push(Tag::new(kind::DELETE, new_id, 0), Data::Bytes(b""))?;
        }
        tags.push(Tag::new(kind::CREATE, new_id, 0), Data::Bytes(b""))?;
        let name_kind = if kind == Kind::File { kind::FILE } else { kind::DIRECTORY };
        tags.push(Tag::new(name_kind, new_id, name.len()), Data::Bytes(name))?;
        let content = self.get(source, kind::STRUCT, old_id)?.ok_or(Errno::ECORRUPT)?;
        tags.push(Tag::new(content.tag.kind(), new_id, content.tag.len()), Data::Disk(content))?;
        let mut done = Seen::new();
        while let Some(found) = self.next_attribute(source, old_id, &mut done)? {
            tags.push(Tag::new(found.tag.kind(), new_id, found.tag.len()), Data::Disk(found))?;
        }
        let drops_directory = replaces && kind == Kind::Directory;
        self.state.next_global = self.state.next_global.with_orphans(drops_directory);
        if same {
            let old_id = if !replaces && new_id <= old_id { old_id + 1 } else { old_id };
            tags.push(Tag::new(kind::DELETE, old_id, 0), Data::Bytes(b""))?;
            self.append(target, tags.as_slice())?;
        } else {
            self.state.next_global = self.state.next_global.with_move(Some((source.pair, old_id)));
            self.append(target, tags.as_slice())?;
            self.finish_move(source.pair, old_id)?;
        }
        self.state.next_global = self.state.next_global.with_orphans(false);
        Ok(())
    }

    /// Deletes an entry that has been copied elsewhere, and the note that says so.
    pub(crate) fn finish_move(&mut self, pair: Pair, id: u16) -> Result<(), Errno> {
        let mut log = self.fetch(pair)?;
        if !self.has_room(&log, ROOM_FOR_LINK) {
            return Err(Errno::ENOSPC);
        }
        self.state.next_global = self.state.next_global.with_move(None);
        self.append(&mut log, &[(Tag::new(kind::DELETE, id, 0), Data::Bytes(b""))])
    }
}

/// Room for an entry that is moved, with a small file in it and its attributes.
const ROOM_FOR_MOVE: u32 = ROOM_FOR_ENTRY + 1024;

/// Which of the two an entry's name tag says it is.
pub(crate) fn entry_kind(tag: Tag) -> Kind {
    if tag.kind() == kind::FILE { Kind::File } else { Kind::Directory }
}

/// A short list of tags.
struct Tags<'a> {
    list: [(Tag, Data<'a>); ATTRIBUTES_MAX + 5],
    len: usize,
}

impl<'a> Tags<'a> {
    fn new() -> Self {
        Self { list: [(Tag(0), Data::Bytes(b"")); ATTRIBUTES_MAX + 5], len: 0 }
    }

    fn push(&mut self, tag: Tag, data: Data<'a>) -> Result<(), Errno> {
        *self.list.get_mut(self.len).ok_or(Errno::ENOSPC)? = (tag, data);
        self.len += 1;
        Ok(())
    }

    fn as_slice(&self) -> &[(Tag, Data<'a>)] {
        &self.list[..self.len]
    }
}
