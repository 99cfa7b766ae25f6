//! The register stack of the virtual machine and the records of its calls.
//!
//! A frame sees its registers through a [`Window`]. Windows are handed out only where 256 slots remain
//! above them, so any byte index stays inside the stack: register access needs no check.

use crate::value::{Ref, Value};

/// The registers of one frame.
#[derive(Clone, Copy)]
pub struct Window {
    pub(crate) base: *mut Value,
}

#[expect(unsafe_code, reason = "the stack is raw memory")]
impl Window {
    /// Register `index`.
    #[inline(always)]
    pub fn get(self, index: u8) -> Value {
        // SAFETY: a window is made only where 256 slots follow its base (`Heap::window`), and the stack outlives it.
        unsafe { *self.base.add(index as usize) }
    }

    /// Sets register `index`.
    #[inline(always)]
    pub fn set(self, index: u8, value: Value) {
        // SAFETY: as in `get`; the machine is single-threaded, so nothing else reads the slot meanwhile.
        unsafe { *self.base.add(index as usize) = value }
    }

    /// The slot below the window: the function that runs in it.
    #[inline(always)]
    pub fn function(self) -> Value {
        // SAFETY: `Heap::window` refuses base 0.
        unsafe { *self.base.sub(1) }
    }
}

/// Why a frame exists, and so what its return means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// Called by an instruction: the result goes to the slot below the frame's window.
    Call,
    /// Called by native code: returning leaves the interpreter loop.
    Entry,
    /// `__init__` of an object under construction, which waits two slots below the window.
    Init,
    /// A class body.
    ClassBody,
    /// A generator resumed by `ForIter`: the yielded value goes to `register` of the caller.
    ForIter,
    /// A generator resumed by `IterNext`, likewise.
    IterNext,
    /// A generator resumed by `YieldFrom` of the caller, whose result goes to `register`.
    YieldFrom,
    /// A generator resumed by native code.
    Resume,
}

/// One call in progress: where its caller goes on.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The next instruction of this frame, valid while it is not the running one: a place inside its code cell.
    pub pc: Ref,
    /// First register, as an index into the stack.
    pub base: u16,
    /// Where the stack ended before this call.
    pub top: u16,
    /// Why it exists.
    pub kind: FrameKind,
    /// A register of the caller, where the kind needs one.
    pub register: u8,
}

impl Frame {
    /// A record that stands for no call.
    pub const EMPTY: Frame = Frame { pc: Ref(0), base: 0, top: 0, kind: FrameKind::Entry, register: 0 };
}

const _: () = assert!(size_of::<Frame>() == 12);
