//! Frames over a transport: commands out, responses in.
//!
//! Invariants: a command either gets its own response or an error within its time-out; what the chip prints between
//! frames is kept (the latest few kilobytes) for diagnosis; stale responses to earlier commands are dropped.

use crate::error::Error;
use crate::transport::Transport;
use larch_protocol::slip::{Decoder, Piece};
use larch_protocol::{Command, Response};
use std::io;
use std::time::Duration;

/// Longest frame that any loader sends (a stub's read block is 4 KB, doubled by escapes).
const LONGEST_FRAME: usize = 0x1_0000;
/// How much of what the chip prints is kept.
const LONGEST_PRINTED: usize = 0x4000;
/// How long an ordinary command may take.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

/// A response that outlives its frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) value: u32,
    pub(crate) body: Vec<u8>,
}

/// A transport with framing.
pub(crate) struct Link<'a> {
    transport: Box<dyn Transport + 'a>,
    decoder: Decoder,
    frame: Vec<u8>,
    input: Vec<u8>,
    at: usize,
    printed: Vec<u8>,
    /// Times as long as usual is waited for answers.
    pub(crate) patience: u32,
}

impl<'a> Link<'a> {
    pub(crate) fn new(transport: Box<dyn Transport + 'a>) -> Self {
        Self {
            transport,
            decoder: Decoder::new(),
            frame: Vec::new(),
            input: Vec::new(),
            at: 0,
            printed: Vec::new(),
            patience: 1,
        }
    }

    pub(crate) fn transport(&mut self) -> &mut (dyn Transport + 'a) {
        &mut *self.transport
    }

    pub(crate) fn into_transport(self) -> Box<dyn Transport + 'a> {
        self.transport
    }

    pub(crate) fn now(&self) -> Duration {
        self.transport.now()
    }

    /// What the chip printed since this was last asked.
    pub(crate) fn take_printed(&mut self) -> Vec<u8> {
        // Text behind a frame's end looks like the start of a next one, but for the first byte.
        if self.frame.first().is_some_and(|&direction| direction != 1) {
            self.print_frame();
            self.decoder = Decoder::new();
        }
        std::mem::take(&mut self.printed)
    }

    /// Drops everything that has come and starts the framing anew.
    pub(crate) fn discard(&mut self) -> io::Result<()> {
        self.transport.discard_input()?;
        self.decoder = Decoder::new();
        self.frame.clear();
        self.input.clear();
        self.at = 0;
        Ok(())
    }

    /// Keeps what comes within `duration` as printed text.
    pub(crate) fn listen(&mut self, duration: Duration) -> io::Result<()> {
        let deadline = self.now() + duration;
        while self.read_frame(deadline.saturating_sub(self.now()))?.is_some() {}
        Ok(())
    }

    pub(crate) fn send(&mut self, command: &Command<'_>) -> io::Result<()> {
        let frame: Vec<u8> = command.frame().collect();
        self.transport.write_all(&frame)
    }

    /// Sends raw payload as a frame (acknowledgements of a stub's read stream).
    pub(crate) fn send_raw(&mut self, payload: &[u8]) -> io::Result<()> {
        let frame: Vec<u8> = larch_protocol::slip::encode(payload.iter().copied()).collect();
        self.transport.write_all(&frame)
    }

    /// The next frame, if one is complete within `timeout`.
    pub(crate) fn read_frame(&mut self, timeout: Duration) -> io::Result<Option<Vec<u8>>> {
        let deadline = self.now() + timeout;
        loop {
            while let Some(&byte) = self.input.get(self.at) {
                self.at += 1;
                if self.take(byte) {
                    return Ok(Some(std::mem::take(&mut self.frame)));
                }
            }
            self.input.resize(4096, 0);
            self.at = 0;
            let left = deadline.saturating_sub(self.now());
            let count = self.transport.read(&mut self.input, left)?;
            self.input.truncate(count);
            if count == 0 && self.now() >= deadline {
                return Ok(None);
            }
        }
    }

    /// The same for an answer that is due.
    pub(crate) fn due_frame(&mut self, timeout: Duration) -> io::Result<Option<Vec<u8>>> {
        self.read_frame(timeout * self.patience)
    }

    /// Takes one received byte; true if it completes a frame.
    fn take(&mut self, byte: u8) -> bool {
        match self.decoder.push(byte) {
            Some(Piece::Byte(byte)) if self.frame.len() < LONGEST_FRAME => self.frame.push(byte),
            Some(Piece::Byte(_)) => self.print_frame(),
            Some(Piece::Outside(byte)) => self.print(&[byte]),
            Some(Piece::Broken(_)) => self.print_frame(),
            Some(Piece::End) => return true,
            None => {}
        }
        false
    }

    /// What looked like a frame was none.
    fn print_frame(&mut self) {
        let frame = std::mem::take(&mut self.frame);
        self.print(&frame);
    }

    fn print(&mut self, bytes: &[u8]) {
        if self.printed.len() > LONGEST_PRINTED {
            self.printed.drain(..LONGEST_PRINTED / 2);
        }
        self.printed.extend_from_slice(bytes);
    }

    /// Waits for the response to `opcode`.
    pub(crate) fn response(&mut self, opcode: u8, timeout: Duration) -> io::Result<Option<Answer>> {
        let deadline = self.now() + timeout * self.patience;
        while let Some(frame) = self.read_frame(deadline.saturating_sub(self.now()))? {
            match Response::parse(&frame) {
                Ok(response) if response.opcode == opcode => {
                    return Ok(Some(Answer { value: response.value, body: response.body.to_vec() }));
                }
                Ok(_) => {}
                Err(_) => self.print(&frame),
            }
        }
        Ok(None)
    }

    /// Sends a command and returns its answer, whatever its status.
    pub(crate) fn exchange(&mut self, command: &Command<'_>, timeout: Duration) -> Result<Answer, Error> {
        self.send(command)?;
        let opcode = command.opcode();
        self.response(opcode as u8, timeout)?.ok_or_else(|| Error::silent(opcode))
    }

    /// Sends a command; returns the head's value and `data_len` bytes of data if the chip says success.
    pub(crate) fn command(
        &mut self,
        command: &Command<'_>,
        data_len: usize,
        timeout: Duration,
    ) -> Result<(u32, Vec<u8>), Error> {
        let answer = self.exchange(command, timeout)?;
        let opcode = command.opcode();
        let response = Response { opcode: opcode as u8, value: answer.value, body: &answer.body };
        match response.data(data_len) {
            Ok(data) => Ok((answer.value, data.to_vec())),
            Err(error) => Err(Error::refused(opcode, error)),
        }
    }
}
