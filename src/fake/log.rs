//! The log of calls.

use crate::Errno;
use crate::nr::name;
use crate::sysif::Arg;
use core::cell::Cell;
use core::fmt;

/// One register of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// The call has no argument in it.
    Unset,
    /// An integer, all bits of the register: a `u32` is zero-extended, an `i32` is sign-extended.
    Word(usize),
    /// The address and the length of memory that the caller has named.
    Memory {
        /// Where it begins.
        address: usize,
        /// Its length in bytes.
        len: usize,
    },
}

impl Register {
    pub(super) fn new(arg: &mut Arg<'_>) -> Self {
        let address = arg.word();
        let len = match arg {
            Arg::Word(word) => return Self::Word(*word),
            Arg::In(memory) => memory.len(),
            Arg::Out(memory) => memory.len(),
            Arg::InOut(memory) => memory.len(),
            Arg::OutVec(vector) => size_of_val(*vector),
        };
        Self::Memory { address, len }
    }

    /// Returns the value of the register.
    #[must_use]
    pub const fn word(self) -> Option<usize> {
        match self {
            Self::Unset => None,
            Self::Word(word) | Self::Memory { address: word, .. } => Some(word),
        }
    }
}

/// A system call: its number, its registers, its result. Displayed as a line of `strace`.
///
/// ```
/// use rsyscall::fake::{Kernel, Register, Storage};
/// use rsyscall::{EventfdFlags, near};
///
/// let mut storage = <Storage>::new();
/// let kernel = Kernel::new(&mut storage);
/// let fd = near::eventfd(&kernel, u32::MAX, EventfdFlags::SEMAPHORE)?;
/// let call = kernel.calls().last().unwrap();
/// assert_eq!(call.args[0], Register::Word(0xffff_ffff)); // zero-extended
/// assert_eq!(call.args[2], Register::Unset);
/// assert_eq!(call.result, Some(Ok(fd.0 as usize)));
/// assert_eq!(call.to_string(), "eventfd2(0xffffffff, 1) = 0");
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The number of the system call on this architecture.
    pub nr: usize,
    /// The six registers, from the first.
    pub args: [Register; 6],
    /// The result; `None` until the call returns.
    pub result: Option<Result<usize, Errno>>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name(self.nr) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "syscall_{}", self.nr)?,
        }
        f.write_str("(")?;
        for (position, arg) in self.args.iter().take_while(|arg| **arg != Register::Unset).enumerate() {
            f.write_str(if position == 0 { "" } else { ", " })?;
            match arg {
                Register::Unset => {}
                Register::Word(word @ 0..=9) => write!(f, "{word}")?,
                Register::Word(word) => write!(f, "{word:#x}")?,
                Register::Memory { len, .. } => write!(f, "[{len} bytes]")?,
            }
        }
        match self.result {
            None => f.write_str(") = ?"),
            Some(Ok(value)) => write!(f, ") = {value}"),
            Some(Err(errno)) => write!(f, ") = -1 {errno:?}"),
        }
    }
}

/// The last calls, in a ring buffer.
pub(super) struct Log<'a> {
    calls: &'a [Cell<Option<Call>>],
    made: Cell<usize>,
}

impl<'a> Log<'a> {
    pub(super) fn new(calls: &'a [Cell<Option<Call>>]) -> Self {
        calls.iter().for_each(|call| call.set(None));
        Self { calls, made: Cell::new(0) }
    }

    pub(super) fn made(&self) -> usize {
        self.made.get()
    }

    /// Removes all calls. The result of a call in progress is then not recorded.
    pub(super) fn clear(&self) {
        self.calls.iter().for_each(|call| call.set(None));
    }

    fn cell(&self, call: usize) -> Option<&'a Cell<Option<Call>>> {
        self.calls.get(call.checked_rem(self.calls.len())?)
    }

    /// Records the start of a call, and returns its sequence number.
    pub(super) fn begin(&self, nr: usize, args: [Register; 6]) -> usize {
        let call = self.made.get();
        self.made.set(call.wrapping_add(1));
        if let Some(cell) = self.cell(call) {
            cell.set(Some(Call { nr, args, result: None }));
        }
        call
    }

    /// Records the result, unless later calls have overwritten the entry.
    pub(super) fn end(&self, call: usize, result: Result<usize, Errno>) {
        if self.made().wrapping_sub(call) > self.calls.len() {
            return;
        }
        if let Some(cell) = self.cell(call) {
            cell.set(cell.get().map(|call| Call { result: Some(result), ..call }));
        }
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = Call> + use<'_, 'a> {
        let oldest = self.made().saturating_sub(self.calls.len());
        (oldest..self.made()).filter_map(|call| self.cell(call).and_then(Cell::get))
    }
}
