//! What the program says, one line each: never longer than a line, and never blocked, signalled or ended by it.

use crate::options::Style;
use core::ffi::CStr;
use rsyscall::Errno;
use rsyscall::sys::signal::Signal;
use rsyscall::sys::stdio::{Output, Stdio};
use rsyscall_init::output::try_write;

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    Warning,
    Info,
}

/// Where lines go, and which.
#[derive(Clone, Copy)]
pub(crate) struct Log<'a> {
    output: Output,
    style: Style,
    level: Level,
    /// The program that is started.
    program: &'a CStr,
}

macro_rules! messages {
    ($($name:ident $level:ident $text:literal)*) => {
        #[derive(Clone, Copy)]
        pub(crate) enum Message {
            $($name),*
        }

        const LEVELS: &[Level] = &[$(Level::$level),*];
        // One string, and no table of pointers, which would have to be relocated.
        const TEXTS: &str = concat!($($text, "\n"),*);
    };
}

// `%d` stands for the next number, `%s` for the signal of that number, `%e` for name and message of the error of that
// number, `%m` for its message, `%p` for the program.
messages! {
    CannotBegin Error "cannot begin: %e"
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
    GaveUp Error "gave up after %d quick ends in a row"
    Again Info "starting it again in %d ms"
}

impl<'a> Log<'a> {
    pub(crate) fn new(stdio: Stdio, style: Style, level: Level, program: &'a CStr) -> Self {
        Self { output: stdio.error(), style, level, program }
    }

    pub(crate) fn say(&self, message: Message) {
        self.two(message, 0, 0);
    }

    pub(crate) fn number(&self, message: Message, number: u32) {
        self.two(message, number, 0);
    }

    pub(crate) fn signal(&self, message: Message, signal: Signal) {
        self.two(message, signal.raw(), 0);
    }

    pub(crate) fn errno(&self, message: Message, errno: Errno) {
        self.two(message, errno.raw().unsigned_abs(), 0);
    }

    /// Prints a line with up to two numbers in it. Ignored, whatever comes of it: that nobody reads it must not matter.
    #[inline(never)]
    pub(crate) fn two(&self, message: Message, first: u32, second: u32) {
        if LEVELS.get(message as usize).is_none_or(|level| *level > self.level) {
            return;
        }
        let mut line = Line { text: [0; Line::SIZE], length: 0 };
        line.bytes(match self.style {
            Style::Init => b"init: ",
            Style::Tini => b"[tini] ",
            Style::DumbInit => b"[dumb-init] ",
        });
        let mut number = first;
        let mut rest = TEXTS.as_bytes();
        let mut before = message as u32;
        while let [byte, behind @ ..] = rest {
            rest = behind;
            if before > 0 {
                before = before.wrapping_sub(u32::from(*byte == b'\n'));
                continue;
            }
            if *byte != b'%' {
                line.byte(*byte);
                if *byte == b'\n' {
                    break;
                }
                continue;
            }
            let [kind, behind @ ..] = rest else { break };
            rest = behind;
            if *kind == b'p' {
                self.program.to_bytes().iter().for_each(|byte| line.plain(*byte));
                continue;
            }
            line.part(*kind, number);
            number = second;
        }
        let _ignored = try_write(self.output, line.text.get(..line.length).unwrap_or_default());
    }
}

/// A line, collected so that lines of several processes do not mix. What does not fit is left out.
struct Line {
    text: [u8; Line::SIZE],
    length: usize,
}

impl Line {
    const SIZE: usize = 256;

    /// The last place is the line's end.
    #[inline(never)]
    fn byte(&mut self, byte: u8) {
        let last = Self::SIZE.wrapping_sub(usize::from(byte != b'\n'));
        if let Some(place) = self.text.get_mut(..last).and_then(|text| text.get_mut(self.length)) {
            *place = byte;
            self.length = self.length.wrapping_add(1);
        }
    }

    /// No byte of a text of elsewhere steers a terminal.
    fn plain(&mut self, byte: u8) {
        self.byte(if byte < b' ' || byte == 0x7f { b'?' } else { byte });
    }

    #[inline(never)]
    fn bytes(&mut self, text: &[u8]) {
        text.iter().for_each(|byte| self.byte(*byte));
    }

    fn part(&mut self, kind: u8, number: u32) {
        let errno = Errno::from_raw(i32::from_ne_bytes(number.to_ne_bytes()));
        let text = match kind {
            b's' => Signal::from_raw(number).and_then(Signal::name),
            b'd' => None,
            _ => {
                if kind == b'e' {
                    self.bytes(errno.and_then(Errno::name).unwrap_or("error").as_bytes());
                    self.byte(b' ');
                }
                errno.and_then(Errno::message)
            }
        };
        match text {
            Some(text) => self.bytes(text.as_bytes()),
            None => {
                if kind == b's' {
                    self.bytes(b"signal ");
                }
                self.number(number);
            }
        }
    }

    fn number(&mut self, number: u32) {
        if number > 9 {
            self.number(number / 10);
        }
        self.byte(b'0'.wrapping_add((number % 10) as u8));
    }
}
