//! The log: one line per message, on standard error. Writing it never blocks, signals or ends the process.

use crate::options::Options;
use crate::texts;
use core::ffi::CStr;
use rsyscall::Errno;
use rsyscall::sys::signal::Signal;
use rsyscall::sys::stdio::{Output, Stdio};
use rsyscall_init::output::try_write;

/// How severe a message is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    Warning,
    Info,
}

/// Where messages are written to, and which of them.
#[derive(Clone, Copy)]
pub(crate) struct Log<'a> {
    output: Output,
    pub(crate) options: &'a Options,
    /// The name of the service's program, for `%p`.
    program: &'a CStr,
}

macro_rules! messages {
    ($($name:ident $level:ident $text:literal)*) => {
        #[derive(Clone, Copy)]
        pub(crate) enum Message {
            $($name),*
        }

        const LEVELS: &[Level] = &[$(Level::$level),*];
        // The first three are the prefixes, by style.
        const TEXTS: &str = concat!("init: \0[tini] \0[dumb-init] \0", $($text, "\0"),*);
    };
}

// `%d` is the number, `%s` the signal of that number, `%e` the error's name and message, `%m` its message, `%p` the
// program.
messages! {
    CannotStart Error "cannot start: %e"
    NoSubreaper Warning "cannot become a subreaper: %e"
    NotFirst Warning "not process 1, and not a subreaper (-s): zombie reaping won't work"
    NoParentDeath Error "cannot set the parent-death signal: %e"
    Reboot Error "reboot: %e"
    Restarting Info "restarting"
    PoweringOff Info "powering off"
    Signalfd Error "signalfd: %e"
    Reaped Info "reaped %d processes"
    GraceExpired Info "grace period expired, sending SIGKILL"
    HandOff Info "Ignoring tty hand-off signal %d."
    Stop Info "received %s, shutting down"
    Forward Info "forwarding %s"
    NotForwarded Warning "signal to process %d: %e"
    TermToAll Info "sending SIGTERM to all processes, SIGKILL in %d s"
    TermToGroup Info "sending SIGTERM to the service's group, SIGKILL in %d s"
    NoProgram Error "no program was given: waiting for SIGTERM or Ctrl-Alt-Del"
    Runs Info "the service runs as process %d"
    Later Error "clone: %e, trying again in %d ms"
    Exec Error "exec %p: %e"
    BeforeExec Error "before exec of %p: %e"
    Clone Error "clone for %p: %e"
    TiniExec Error "exec %p failed: %m"
    DumbInitExec Error "%p: %m"
    Zombie Warning "Reaped zombie process with pid=%d"
    Exited Info "the service exited with status %d"
    Killed Info "the service was killed by %s"
    Dumped Info "the service was killed by %s (core dumped)"
    GaveUp Error "giving up after %d quick exits in a row"
    Again Info "restarting in %d ms"
}

impl<'a> Log<'a> {
    pub(crate) fn new(stdio: Stdio, options: &'a Options, program: &'a CStr) -> Self {
        Self { output: stdio.error(), options, program }
    }

    pub(crate) fn say(&self, message: Message) {
        self.both(message, 0, None);
    }

    pub(crate) fn number(&self, message: Message, number: i32) {
        self.both(message, number, None);
    }

    pub(crate) fn signal(&self, message: Message, signal: Signal) {
        self.number(message, i32::try_from(signal.raw()).unwrap_or(0));
    }

    pub(crate) fn errno(&self, message: Message, errno: Errno) {
        self.both(message, 0, Some(errno));
    }

    /// Writes a message with a number and an error. Write errors are ignored: the service is not to depend on a reader
    /// of the log.
    #[inline(never)]
    pub(crate) fn both(&self, message: Message, number: i32, errno: Option<Errno>) {
        if LEVELS.get(message as usize).is_none_or(|level| *level > self.options.level()) {
            return;
        }
        let mut line = Line { text: [0; 256], length: 0, number, errno, program: self.program };
        line.nth(self.options.style as usize);
        line.nth((message as usize).wrapping_add(3));
        let _ignored = try_write(self.output, line.end());
    }
}

/// A line, written by one call so that lines of several processes do not mix. What does not fit is truncated.
struct Line<'a> {
    text: [u8; 256],
    /// A `u8`, so that no index is out of bounds. The last byte is reserved for the newline.
    length: u8,
    number: i32,
    errno: Option<Errno>,
    program: &'a CStr,
}

impl Line<'_> {
    #[inline(never)]
    fn byte(&mut self, byte: u8) {
        self.put(byte);
        if self.length < u8::MAX {
            self.length = self.length.wrapping_add(1);
        }
    }

    fn put(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(usize::from(self.length)) {
            *place = byte;
        }
    }

    fn end(&mut self) -> &[u8] {
        self.put(b'\n');
        self.text.get(..=usize::from(self.length)).unwrap_or_default()
    }

    /// Appends text, with `?` for control characters: it may contain escape sequences.
    #[inline(never)]
    fn bytes(&mut self, text: &[u8]) {
        text.iter().for_each(|byte| self.byte(if *byte < b' ' || *byte == 0x7f { b'?' } else { *byte }));
    }

    /// Appends the text of this index.
    #[inline(never)]
    fn nth(&mut self, number: usize) {
        let mut percent = false;
        for byte in texts::nth(TEXTS, number) {
            if percent {
                self.part(*byte);
            } else if *byte != b'%' {
                self.byte(*byte);
            }
            percent = *byte == b'%';
        }
    }

    fn part(&mut self, kind: u8) {
        let mut number = self.number;
        let text = match kind {
            b'p' => return self.bytes(self.program.to_bytes()),
            b'd' => None,
            b's' => {
                // An exit status above 128 is 128 and the signal.
                number &= 0x7f;
                Signal::from_raw(number.unsigned_abs()).and_then(Signal::name)
            }
            _ => {
                if let (b'e', Some(name)) = (kind, self.errno.and_then(Errno::name)) {
                    self.bytes(name.as_bytes());
                    self.byte(b' ');
                }
                number = self.errno.map_or(0, Errno::raw);
                self.errno.and_then(Errno::message)
            }
        };
        match text {
            Some(text) => self.bytes(text.as_bytes()),
            None => {
                if kind == b's' {
                    self.bytes(b"signal ");
                }
                self.digits(number.unsigned_abs());
            }
        }
    }

    fn digits(&mut self, number: u32) {
        if number > 9 {
            self.digits(number / 10);
        }
        self.byte(b'0'.wrapping_add((number % 10) as u8));
    }
}
