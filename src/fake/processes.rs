//! Signals and children: what a supervisor waits for, without processes.
//!
//! The kernel's one process is process 1. A test raises signals at it and changes the state of its children. Signals
//! that the process sends to its children are only logged ([`Kernel::calls`]); the test decides their effect.

use super::Kernel;
use super::memory::Arguments;
use super::sleep::{Blocked, Wake};
use super::table::{Kind, Open};
use crate::Errno;
use crate::near::{PollFd, Process};
use crate::sys::signal::{Signal, SignalSet};
use crate::sys::wait::ExitStatus;
use core::cell::Cell;

/// The pid of the kernel's own process.
const SELF: i32 = 1;
/// The number of children that the process can have.
const CHILDREN: usize = 16;

// `include/uapi/asm-generic/siginfo.h`, `include/uapi/linux/wait.h`.
const SI_KERNEL: i32 = 0x80;
const CLD_EXITED: i32 = 1;
const CLD_KILLED: i32 = 2;
const CLD_DUMPED: i32 = 3;
const CLD_STOPPED: i32 = 5;
const CLD_CONTINUED: i32 = 6;
const WNOHANG: u32 = 1;
const WSTOPPED: u32 = 2;
const WEXITED: u32 = 4;
const WCONTINUED: u32 = 8;
const WNOWAIT: u32 = 0x0100_0000;
const WAIT_FLAGS: u32 = WNOHANG | WSTOPPED | WEXITED | WCONTINUED | WNOWAIT | 0xe000_0000;

/// Signals and children of the kernel's process.
pub(super) struct Processes {
    blocked: Cell<u64>,
    pending: Cell<u64>,
    /// The sender's pid of each signal: 0 is the kernel.
    senders: [Cell<i32>; 64],
    /// `sa_handler` of each signal.
    handlers: [Cell<usize>; 64],
    children: [Cell<Option<Child>>; CHILDREN],
}

#[derive(Clone, Copy)]
struct Child {
    process: i32,
    group: i32,
    /// `si_code` and `si_status` of a change that was not waited for yet.
    change: Option<(i32, i32)>,
    ended: bool,
}

impl Processes {
    pub(super) const fn new() -> Self {
        Self {
            blocked: Cell::new(0),
            pending: Cell::new(0),
            senders: [const { Cell::new(0) }; 64],
            handlers: [const { Cell::new(0) }; 64],
            children: [const { Cell::new(None) }; CHILDREN],
        }
    }

    fn find(&self, process: i32) -> Option<&Cell<Option<Child>>> {
        self.children.iter().find(|cell| cell.get().is_some_and(|child| child.process == process))
    }

    fn any(&self, test: impl Fn(Child) -> bool) -> bool {
        self.children.iter().filter_map(Cell::get).any(test)
    }

    /// Returns whether a pidfd is readable: the process has ended, or was reaped.
    pub(super) fn has_ended(&self, process: i32) -> bool {
        process != SELF && self.find(process).and_then(Cell::get).is_none_or(|child| child.ended)
    }

    /// Returns whether a signal of the set is pending.
    pub(super) fn has_signal(&self, set: u64) -> bool {
        self.pending.get() & set != 0
    }
}

impl Kernel<'_> {
    /// Sends a signal to the kernel's process, from another process or, with `None`, from the kernel.
    ///
    /// A blocked signal stays pending; an unblocked one is discarded, as no handler can run here. A signal that is
    /// pending already is not queued again, real-time signals included.
    ///
    /// ```
    /// use rsyscall::fake::{Kernel, Storage};
    /// use rsyscall::near::Process;
    /// use rsyscall::sys::signal::{Signal, SignalSet, SignalTask};
    /// use rsyscall::sys::signalfd::SignalfdTask;
    ///
    /// let mut storage = <Storage>::new();
    /// let task = Kernel::new(&mut storage).into_task();
    /// let _blocked = (&task).block_signals(SignalSet::ALL)?;
    /// let signals = task.signalfd(SignalSet::ALL)?;
    /// task.sysif().raise(Signal::TERM, Some(Process(7)));
    /// let info = signals.read()?;
    /// assert_eq!((info.signal(), info.sender()), (Signal::TERM, Some((Process(7), 0))));
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    pub fn raise(&self, signal: Signal, sender: Option<Process>) {
        let bit = SignalSet::of(&[signal]).bits();
        let processes = &self.processes;
        if processes.blocked.get() & bit == 0 || processes.pending.get() & bit != 0 {
            return;
        }
        processes.pending.set(processes.pending.get() | bit);
        if let Some(cell) = slot(&processes.senders, signal.raw()) {
            cell.set(sender.map_or(0, |sender| sender.0));
        }
        self.wake_all(|kind| matches!(kind, Kind::Signalfd(set) if set & bit != 0));
    }

    /// Adds a child to the kernel's process, in this process group.
    ///
    /// # Errors
    ///
    /// `EAGAIN`: the process has sixteen children already. `EEXIST`: the pid is in use. `EINVAL`: the pid is not above
    /// 0.
    pub fn add_child(&self, process: Process, group: Process) -> Result<(), Errno> {
        if process.0 < 1 {
            return Err(Errno::EINVAL);
        }
        if process.0 == SELF || self.processes.find(process.0).is_some() {
            return Err(Errno::EEXIST);
        }
        let free = self.processes.children.iter().find(|cell| cell.get().is_none()).ok_or(Errno::EAGAIN)?;
        free.set(Some(Child { process: process.0, group: group.0, change: None, ended: false }));
        Ok(())
    }

    /// Ends a child: it is a zombie until it is reaped, and `SIGCHLD` is raised.
    ///
    /// ```
    /// use rsyscall::fake::{Kernel, Storage};
    /// use rsyscall::near::Process;
    /// use rsyscall::sys::wait::{Changes, Children, ExitStatus, WaitTask};
    /// use rsyscall::Errno;
    ///
    /// let mut storage = <Storage>::new();
    /// let task = Kernel::new(&mut storage).into_task();
    /// let child = Process(2);
    /// task.sysif().add_child(child, child)?;
    /// assert_eq!((&task).try_wait(Children::Any, Changes::ENDED)?, None);
    /// task.sysif().end_child(child, ExitStatus::Exited(3))?;
    /// assert_eq!((&task).try_wait(Children::Any, Changes::ENDED)?.unwrap().process, child);
    /// assert_eq!((&task).try_wait(Children::Any, Changes::ENDED), Err(Errno::ECHILD));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ESRCH`: there is no such child, or it has ended.
    pub fn end_child(&self, process: Process, status: ExitStatus) -> Result<(), Errno> {
        let change = match status {
            ExitStatus::Exited(status) => (CLD_EXITED, status & 0xff),
            ExitStatus::Killed { signal, core_dumped } => {
                (if core_dumped { CLD_DUMPED } else { CLD_KILLED }, number(signal))
            }
        };
        self.change_child(process, change, true)?;
        // With `SIGCHLD` ignored the child does not become a zombie.
        if slot(&self.processes.handlers, Signal::CHLD.raw()).is_some_and(|handler| handler.get() == 1) {
            if let Some(cell) = self.processes.find(process.0) {
                cell.set(None);
            }
        }
        self.wake_all(|kind| matches!(kind, Kind::Pidfd(of) if *of == process.0));
        Ok(())
    }

    /// Stops a child, as this signal does.
    ///
    /// # Errors
    ///
    /// `ESRCH`: there is no such child, or it has ended.
    pub fn stop_child(&self, process: Process, signal: Signal) -> Result<(), Errno> {
        self.change_child(process, (CLD_STOPPED, number(signal)), false)
    }

    /// Continues a stopped child, as `SIGCONT` does.
    ///
    /// # Errors
    ///
    /// `ESRCH`: there is no such child, or it has ended.
    pub fn continue_child(&self, process: Process) -> Result<(), Errno> {
        self.change_child(process, (CLD_CONTINUED, number(Signal::CONT)), false)
    }

    fn change_child(&self, process: Process, change: (i32, i32), ended: bool) -> Result<(), Errno> {
        let cell = self.processes.find(process.0).ok_or(Errno::ESRCH)?;
        let child = cell.get().filter(|child| !child.ended).ok_or(Errno::ESRCH)?;
        cell.set(Some(Child { change: Some(change), ended, ..child }));
        self.raise(Signal::CHLD, Some(process));
        Ok(())
    }

    fn wake_all(&self, affected: impl Fn(&Kind) -> bool) {
        for index in 0..self.table.descriptions() {
            if self.table.description(index).is_some_and(|description| affected(&description.kind)) {
                self.wake(index, PollFd::IN);
            }
        }
    }

    pub(super) fn getpid(&self) -> Result<usize, Errno> {
        Ok(SELF.unsigned_abs() as usize)
    }

    pub(super) fn rt_sigprocmask(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        if args.word(3) != 8 {
            return Err(Errno::EINVAL);
        }
        let old = self.processes.blocked.get();
        if args.word(1) != 0 {
            let set = u64::from_ne_bytes(args.read(1)?);
            let new = match args.int(0) {
                0 => old | set,
                1 => old & !set,
                2 => set,
                _ => return Err(Errno::EINVAL),
            };
            let never = SignalSet::of(&[Signal::KILL, Signal::STOP]).bits();
            self.processes.blocked.set(new & !never);
            // Signals that are no longer blocked are delivered, and no handler can run here.
            self.processes.pending.set(self.processes.pending.get() & self.processes.blocked.get());
        }
        if args.word(2) != 0 {
            args.write(2, &old.to_ne_bytes())?;
        }
        Ok(0)
    }

    pub(super) fn rt_sigaction(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        /// `struct sigaction` of this architecture: the handler is its first word.
        const SIZE: usize = size_of::<crate::near::SignalAction>();
        const WORD: usize = size_of::<usize>();
        let signal = args.int(0);
        if args.word(3) != 8 {
            return Err(Errno::EINVAL);
        }
        let handler = slot(&self.processes.handlers, signal).ok_or(Errno::EINVAL)?;
        let old = handler.get();
        if args.word(1) != 0 {
            if matches!(signal, 9 | 19) {
                return Err(Errno::EINVAL);
            }
            let action: [u8; SIZE] = args.read(1)?;
            handler.set(action.first_chunk::<WORD>().map_or(0, |word| usize::from_ne_bytes(*word)));
        }
        if args.word(2) != 0 {
            let mut action = [0; SIZE];
            action.iter_mut().zip(old.to_ne_bytes()).for_each(|(to, from)| *to = from);
            args.write(2, &action)?;
        }
        Ok(0)
    }

    pub(super) fn signalfd4(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        const NONBLOCK: u32 = 0o4000;
        const CLOEXEC: u32 = 0o2_000_000;
        let flags = args.int(3);
        if flags & !(NONBLOCK | CLOEXEC) != 0 || args.word(2) != 8 {
            return Err(Errno::EINVAL);
        }
        let never = SignalSet::of(&[Signal::KILL, Signal::STOP]).bits();
        let set = u64::from_ne_bytes(args.read(1)?) & !never;
        if args.signed(0) == -1 {
            return self.table.create(Kind::Signalfd(set), flags & NONBLOCK, flags & CLOEXEC != 0);
        }
        let open = self.table.open(args.fd(0))?;
        if !matches!(open.description.kind, Kind::Signalfd(_)) {
            return Err(Errno::EINVAL);
        }
        let index = open.slot.description;
        let _found = self.table.change(index, |description| description.kind = Kind::Signalfd(set));
        self.wake(index, PollFd::IN);
        Ok(open.index)
    }

    /// Reads as many signals from a signalfd as are pending and fit.
    pub(super) fn read_signals(&self, open: Open, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        /// `struct signalfd_siginfo`.
        const INFO: usize = 128;
        let room = args.word(2) / INFO;
        if room == 0 {
            return Err(Errno::EINVAL);
        }
        let index = open.slot.description;
        let mut count: usize = 0;
        while count < room {
            let set = match self.table.description(index).map(|description| description.kind) {
                Some(Kind::Signalfd(set)) => set,
                _ => return Err(Errno::EBADF),
            };
            let found = self.processes.pending.get() & set;
            if found == 0 {
                if count > 0 {
                    break;
                }
                if open.description.is_nonblocking() {
                    return Err(Errno::EAGAIN);
                }
                match self.sleep(Blocked::Read(open.fd())) {
                    Wake::Retry => continue,
                    Wake::Interrupt => return Err(Errno::EINTR),
                    Wake::Nothing => return Err(Errno::EDEADLK),
                }
            }
            let lowest = found.trailing_zeros();
            self.processes.pending.set(self.processes.pending.get() & !(1 << lowest));
            let signal = lowest.saturating_add(1);
            let sender = slot(&self.processes.senders, signal).map_or(0, Cell::get);
            let mut info = [0_u8; INFO];
            let code = if sender == 0 { SI_KERNEL } else { 0 };
            let words = [signal, 0, u32::from_ne_bytes(code.to_ne_bytes()), u32::from_ne_bytes(sender.to_ne_bytes())];
            let bytes = words.into_iter().flat_map(u32::to_ne_bytes);
            info.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
            args.write_at(1, count.saturating_mul(INFO), &info)?;
            count = count.saturating_add(1);
        }
        Ok(count.saturating_mul(INFO))
    }

    pub(super) fn kill(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let (target, signal) = (args.signed(0), args.int(1));
        let signal = match signal {
            0 => None,
            raw => Some(Signal::from_raw(raw).ok_or(Errno::EINVAL)?),
        };
        let group = target.checked_neg().unwrap_or(0);
        let exists = match target {
            SELF => true,
            2.. => self.processes.find(target).is_some(),
            // All processes but process 1 and the caller, which are the same here.
            -1 => self.processes.any(|_| true),
            0 => true,
            _ => self.processes.any(|child| child.group == group),
        };
        if !exists {
            return Err(Errno::ESRCH);
        }
        if let (SELF, Some(signal)) = (target, signal) {
            self.raise(signal, Some(Process(SELF)));
        }
        Ok(0)
    }

    /// Sends a signal to a thread: the process has one, whose tid is its pid.
    pub(super) fn tgkill(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let signal = Signal::from_raw(args.int(2));
        if args.signed(0) != SELF || args.signed(1) != SELF {
            return Err(Errno::ESRCH);
        }
        self.raise(signal.ok_or(Errno::EINVAL)?, Some(Process(SELF)));
        Ok(0)
    }

    pub(super) fn pidfd_open(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let process = args.signed(0);
        if args.int(1) & !0o4000 != 0 || process < 1 {
            return Err(Errno::EINVAL);
        }
        if process != SELF && self.processes.find(process).is_none() {
            return Err(Errno::ESRCH);
        }
        self.table.create(Kind::Pidfd(process), args.int(1), true)
    }

    pub(super) fn pidfd_send_signal(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        const GROUP: u32 = 4;
        let flags = args.int(3);
        if flags != 0 && !(flags == GROUP && self.is_at_least(6, 9)) {
            return Err(Errno::EINVAL);
        }
        let Kind::Pidfd(process) = self.table.open(args.fd(0))?.description.kind else { return Err(Errno::EBADF) };
        let signal = args.int(1);
        if signal > 64 {
            return Err(Errno::EINVAL);
        }
        let reached = match flags {
            GROUP => self.processes.any(|child| child.group == process),
            _ => process == SELF || self.processes.find(process).is_some(),
        };
        if !reached {
            return Err(Errno::ESRCH);
        }
        if let (SELF, Some(signal)) = (process, Signal::from_raw(signal)) {
            self.raise(signal, Some(Process(SELF)));
        }
        Ok(0)
    }

    pub(super) fn waitid(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let (kind, id, options) = (args.int(0), args.signed(1), args.int(3));
        if options & !WAIT_FLAGS != 0 || options & (WEXITED | WSTOPPED | WCONTINUED) == 0 {
            return Err(Errno::EINVAL);
        }
        let mut nonblocking = options & WNOHANG != 0;
        let mut again = Ok(0);
        let (process, group) = match kind {
            0 => (None, None),
            1 if id > 0 => (Some(id), None),
            2 if id >= 0 => (None, Some(if id == 0 { SELF } else { id })),
            3 if self.is_at_least(5, 4) => {
                let open = self.table.open(args.fd(1))?;
                let Kind::Pidfd(process) = open.description.kind else { return Err(Errno::EBADF) };
                if open.description.is_nonblocking() && !nonblocking {
                    (nonblocking, again) = (true, Err(Errno::EAGAIN));
                }
                (Some(process), None)
            }
            _ => return Err(Errno::EINVAL),
        };
        let selected = |child: Child| {
            process.is_none_or(|process| process == child.process) && group.is_none_or(|group| group == child.group)
        };
        let requested = |code: i32| match code {
            CLD_STOPPED => options & WSTOPPED != 0,
            CLD_CONTINUED => options & WCONTINUED != 0,
            _ => options & WEXITED != 0,
        };
        loop {
            if !self.processes.any(selected) {
                return Err(Errno::ECHILD);
            }
            let cells = self.processes.children.iter().filter_map(|cell| Some((cell, cell.get()?)));
            let mut changed = cells.filter(|(_, child)| selected(*child));
            if let Some((cell, child)) =
                changed.find(|(_, child)| child.change.is_some_and(|(code, _)| requested(code)))
            {
                let (code, status) = child.change.unwrap_or_default();
                self.write_child(args, [17, 0, code], [child.process, 0, status])?;
                if options & WNOWAIT == 0 {
                    cell.set(if child.ended { None } else { Some(Child { change: None, ..child }) });
                }
                return Ok(0);
            }
            if nonblocking {
                if again.is_ok() {
                    self.write_child(args, [0; 3], [0; 3])?;
                }
                return again;
            }
            match self.sleep(Blocked::Child) {
                Wake::Retry => {}
                Wake::Interrupt => return Err(Errno::EINTR),
                Wake::Nothing => return Err(Errno::EDEADLK),
            }
        }
    }

    /// Writes the fields of a `siginfo_t`: signal, error and code, and after them, aligned as a pointer, pid, user and
    /// status.
    fn write_child(&self, args: &mut Arguments<'_, '_>, head: [i32; 3], tail: [i32; 3]) -> Result<(), Errno> {
        const TAIL: usize = if cfg!(target_pointer_width = "64") { 16 } else { 12 };
        if args.word(2) == 0 {
            return Ok(());
        }
        for (start, words) in [(0, head), (TAIL, tail)] {
            let offsets = (0..3_usize).map(|n| n.saturating_mul(4).saturating_add(start));
            for (offset, word) in offsets.zip(words) {
                args.write_at(2, offset, &word.to_ne_bytes())?;
            }
        }
        Ok(())
    }
}

/// Returns the cell of a signal.
fn slot<T>(cells: &[Cell<T>; 64], signal: u32) -> Option<&Cell<T>> {
    usize::try_from(signal).ok().and_then(|signal| cells.get(signal.checked_sub(1)?))
}

fn number(signal: Signal) -> i32 {
    i32::from_ne_bytes(signal.raw().to_ne_bytes())
}
