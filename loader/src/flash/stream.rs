//! Sending one file's bytes, and going on where the line failed.
//!
//! The ROM gives up a stream of blocks at the first block that arrives damaged, and nobody knows whether a block without
//! an answer was taken. So a failed stream is not patched: a new one begins at the last sector that is surely in flash.

use super::erase::ERASE_SECONDS_PER_MEGABYTE;
use super::{SECTOR, per_megabyte};
use crate::connect::Loader;
use crate::error::Error;
use crate::event::{Event, Observer};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use larch_protocol::{Command, FlashBegin, Response};

/// Streams that may fail one after the other without getting further than before, if the chip at least refuses them.
const REFUSALS: u32 = 10;
/// The same, if the chip says nothing.
const SILENCES: u32 = 3;
/// Streams for one file, whatever they achieve.
const STREAMS: u32 = 100;
/// Damaged blocks in one stream; after that a new one begins, at a lower speed.
const STREAM_DAMAGES: u32 = 5;
/// How often a block is sent.
const BLOCK_TRIES: u32 = 3;
/// What the chip has answered for may still be in its buffers: so many bytes.
const BUFFERED: usize = 0x1_0000;
/// Seconds that inflating and writing a megabyte may take.
const WRITE_SECONDS_PER_MEGABYTE: u64 = 40;

/// Bytes as they go over the line.
pub(super) struct Stream {
    /// The blocks' contents, end to end.
    bytes: Vec<u8>,
    /// How many bytes of the file are complete after each block.
    reached: Vec<usize>,
    block_size: usize,
    deflated: bool,
}

impl Stream {
    /// The bytes themselves; the last block is filled up.
    pub(super) fn plain(data: &[u8], block_size: usize) -> Self {
        let mut bytes = data.to_vec();
        bytes.resize(data.len().next_multiple_of(block_size), 0xFF);
        let reached =
            (1..=bytes.len() / block_size).map(|block| data.len().min(block * block_size)).collect();
        Self { bytes, reached, block_size, deflated: false }
    }

    /// The bytes deflated.
    pub(super) fn deflated(data: &[u8], block_size: usize) -> Self {
        let bytes = deflate(data);
        let reached = inflated_lengths(&bytes, data.len(), block_size);
        Self { bytes, reached, block_size, deflated: true }
    }

    /// The shorter of the two, or the one that is wished for.
    pub(super) fn of(data: &[u8], block_size: usize, compress: Option<bool>) -> Self {
        if compress == Some(false) {
            return Self::plain(data, block_size);
        }
        let deflated = Self::deflated(data, block_size);
        let shorter = deflated.bytes.len() < data.len();
        if compress.is_some() || shorter { deflated } else { Self::plain(data, block_size) }
    }

    /// The command that sends a block.
    fn block(&self, number: u32) -> Command<'_> {
        let start = self.bytes.len().min(number as usize * self.block_size);
        let end = self.bytes.len().min(start + self.block_size);
        let bytes = &self.bytes[start..end];
        if self.deflated { Command::FlashDeflData(number, bytes) } else { Command::FlashData(number, bytes) }
    }

    /// How many bytes of the file so many blocks make.
    fn reached_by(&self, blocks: u32) -> usize {
        let last = (blocks as usize).min(self.reached.len());
        last.checked_sub(1).map_or(0, |last| self.reached[last])
    }

    /// Bytes that go over the line, if deflated.
    pub(super) fn compressed_len(&self) -> Option<u64> {
        self.deflated.then_some(self.bytes.len() as u64)
    }
}

/// zlib-wrapped deflate, as small as it gets.
fn deflate(data: &[u8]) -> Vec<u8> {
    let mut deflate = Compress::new(Compression::best(), true);
    let mut bytes = Vec::with_capacity(data.len() / 2 + 1024);
    loop {
        let at = usize::try_from(deflate.total_in()).unwrap_or(data.len());
        bytes.reserve(0x1_0000);
        let status = deflate.compress_vec(&data[at..], &mut bytes, FlushCompress::Finish);
        if !matches!(status, Ok(flate2::Status::Ok)) {
            return bytes;
        }
    }
}

/// How many bytes come out after each block of a deflated stream.
fn inflated_lengths(deflated: &[u8], len: usize, block_size: usize) -> Vec<usize> {
    let mut inflate = Decompress::new(true);
    let mut out = vec![0; 0x1_0000];
    let mut lengths = Vec::new();
    for block in deflated.chunks(block_size) {
        let mut at = 0;
        loop {
            let before = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(&block[at..], &mut out, FlushDecompress::None);
            at += usize::try_from(inflate.total_in() - before.0).unwrap_or(0);
            let stuck = before == (inflate.total_in(), inflate.total_out());
            if stuck || !matches!(status, Ok(flate2::Status::Ok)) {
                break;
            }
        }
        lengths.push(usize::try_from(inflate.total_out()).unwrap_or(len).min(len));
    }
    lengths
}

/// A part of a file, to be written without interruption.
pub(super) struct Part<'d> {
    /// The file.
    pub(super) name: &'d str,
    /// Flash offset.
    pub(super) offset: u32,
    pub(super) data: &'d [u8],
    /// Bytes of the file's other parts that are done.
    pub(super) before: u64,
    /// Bytes of all parts.
    pub(super) total: u64,
}

/// How far a stream is, for people.
struct Progress<'p> {
    part: &'p Part<'p>,
    from: usize,
    stream: &'p Stream,
}

impl Progress<'_> {
    fn tell(&self, observer: &mut dyn Observer, blocks: u32) {
        let done = self.part.before + (self.from + self.stream.reached_by(blocks)) as u64;
        observer.event(&Event::Progress { done, total: self.part.total });
    }
}

/// Why a stream ended early, and how far it surely came.
struct Broken {
    error: Error,
    reached: usize,
}

impl Loader<'_> {
    /// Sends the file's bytes, beginning with `stream`, until the chip has taken all of them.
    pub(super) fn send(&mut self, part: &Part<'_>, stream: &Stream) -> Result<(), Error> {
        let (mut from, mut best, mut failures) = (0, 0, 0);
        let mut rest;
        let mut stream = stream;
        for _ in 0..STREAMS {
            let Err(Broken { error, reached }) = self.send_stream(part, from, stream) else { return Ok(()) };
            failures = if from + reached > best { 1 } else { failures + 1 };
            best = best.max(from + reached);
            let most = if matches!(error, Error::Silent { .. }) { SILENCES } else { REFUSALS };
            if failures > most || !error.is_worth_another_try() {
                return Err(error);
            }
            self.observer.event(&Event::Retry { what: &error.to_string() });
            self.resynchronise()?;
            if !self.dialect.is_rom() {
                self.step_down()?;
            }
            from += reached.saturating_sub(BUFFERED) / SECTOR as usize * SECTOR as usize;
            rest = Stream::of(&part.data[from..], stream.block_size, Some(stream.deflated));
            stream = &rest;
        }
        Err(Error::Silent { what: format!("writing {}", part.name) })
    }

    fn send_stream(&mut self, part: &Part<'_>, from: usize, stream: &Stream) -> Result<(), Broken> {
        let size = part.data.len() - from;
        let begin = self.flash_begin(stream, part.offset + u32::try_from(from).unwrap_or(u32::MAX), size);
        let begin = if stream.deflated { Command::FlashDeflBegin(begin) } else { Command::FlashBegin(begin) };
        let timeout = per_megabyte(ERASE_SECONDS_PER_MEGABYTE, size as u64);
        self.with_retries(|loader| loader.command(&begin, timeout))
            .map_err(|error| Broken { error, reached: 0 })?;
        let progress = Progress { part, from, stream };
        self.send_blocks(&progress)
            .map_err(|(error, done)| Broken { error, reached: stream.reached_by(done) })
    }

    /// Sends all blocks, as many unanswered as the loader on the chip allows. An error comes with the number of blocks that
    /// are surely taken.
    fn send_blocks(&mut self, progress: &Progress<'_>) -> Result<(), (Error, u32)> {
        let stream = progress.stream;
        let count = u32::try_from(stream.reached.len()).unwrap_or(u32::MAX);
        let (mut taken, mut sent, mut failures, mut damaged) = (0, 0, 0, 0);
        while taken < count {
            while sent < count && sent - taken < self.dialect.window {
                self.link.send(&stream.block(sent)).map_err(|error| (error.into(), taken))?;
                sent += 1;
            }
            let (error, known) = match self.block_answer(stream, taken) {
                Ok(now) => {
                    failures = if now > taken { 0 } else { failures };
                    taken = now.min(sent);
                    progress.tell(&mut *self.observer, taken);
                    continue;
                }
                Err((error, known)) => (error, known.unwrap_or(taken)),
            };
            // A stub takes a block again that arrived damaged; the ROM does not.
            failures += 1;
            damaged += 1;
            let few = failures < BLOCK_TRIES && damaged < STREAM_DAMAGES;
            let again = few && self.dialect.takes_again(&error);
            if !again {
                return Err((error, taken));
            }
            self.observer.event(&Event::Retry { what: "a block arrived damaged" });
            if self.dialect.window > 1 {
                self.quieten().map_err(|error| (error, taken))?;
            }
            taken = taken.max(known.min(sent));
            sent = taken;
        }
        Ok(())
    }

    /// How many blocks are taken, by the next answer; or an error, with that number if it is known.
    fn block_answer(&mut self, stream: &Stream, taken: u32) -> Result<u32, (Error, Option<u32>)> {
        let opcode = stream.block(taken).opcode();
        let bytes = stream.reached_by(taken + 1) - stream.reached_by(taken);
        let timeout = per_megabyte(WRITE_SECONDS_PER_MEGABYTE, bytes as u64);
        let answer = self.link.response(opcode as u8, timeout).map_err(|error| (error.into(), None))?;
        let Some(answer) = answer else { return Err((Error::silent(opcode), None)) };
        let known = self.dialect.is_ours.then_some(answer.value);
        let response = Response { opcode: opcode as u8, value: answer.value, body: &answer.body };
        match response.data(0) {
            // A damaged number would let blocks be left out; the digest would notice, but late.
            Ok(_) => Ok(known
                .filter(|&known| known <= taken + self.dialect.window)
                .unwrap_or(taken + 1)
                .max(taken)),
            Err(error) => Err((Error::refused(opcode, error), known)),
        }
    }

    fn flash_begin(&self, stream: &Stream, offset: u32, size: usize) -> FlashBegin {
        let word = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        // Of deflated data the ROM counts whole blocks, a stub bytes.
        let whole = stream.deflated && self.dialect.is_rom();
        FlashBegin {
            erase_size: word(if whole { size.next_multiple_of(stream.block_size) } else { size }),
            blocks: word(stream.reached.len()),
            block_size: word(stream.block_size),
            offset,
            encrypt: self.dialect.begin_has_encrypt.then_some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deflated_blocks_know_how_far_they_reach() {
        let data: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        let stream = Stream::deflated(&data, 0x400);
        assert_eq!(stream.reached.len(), stream.bytes.len().div_ceil(0x400));
        assert_eq!(stream.reached.last(), Some(&data.len()));
        assert!(stream.reached.is_sorted());
        let mut inflated = Vec::with_capacity(data.len());
        Decompress::new(true).decompress_vec(&stream.bytes, &mut inflated, FlushDecompress::Finish).unwrap();
        assert_eq!(inflated, data);
    }

    #[test]
    fn a_block_may_hold_a_megabyte() {
        let stream = Stream::deflated(&vec![0; 2 << 20], 0x400);
        assert_eq!(stream.reached.last(), Some(&(2 << 20)));
        assert!(stream.reached[0] > 0x10_0000 / 2, "{:?}", stream.reached);
    }

    #[test]
    fn plain_blocks_are_whole() {
        let stream = Stream::plain(&[1; 1500], 0x400);
        assert_eq!((stream.bytes.len(), stream.reached.as_slice()), (0x800, &[1024, 1500][..]));
    }

    #[test]
    fn data_that_do_not_deflate_go_as_they_are() {
        assert!(Stream::of(&[1, 2, 3, 4], 0x400, None).compressed_len().is_none());
        assert!(Stream::of(&[1, 2, 3, 4], 0x400, Some(true)).compressed_len().is_some());
    }
}
