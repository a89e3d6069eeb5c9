//! What goes on, one line each: named, never longer than a line, and never in the way of what it tells about.

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

/// What stands for a `%` of a text.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    Number(u32),
    Signal(Signal),
    /// Its name, and what it says.
    Errno(Errno),
    /// What it says.
    Message(Errno),
    /// Text of elsewhere, of which no byte steers a terminal.
    String(&'a CStr),
    Text(&'static str),
}

/// Where lines go, and which.
#[derive(Clone, Copy)]
pub(crate) struct Log {
    output: Output,
    /// What every line begins with.
    prefix: &'static str,
    level: Level,
}

impl Log {
    pub(crate) fn new(stdio: Stdio, prefix: &'static str, level: Level) -> Self {
        Self { output: stdio.error(), prefix, level }
    }

    /// A line with a number in it.
    #[inline(never)]
    pub(crate) fn number(&self, level: Level, text: &str, number: u32) {
        self.say(level, text, &[Part::Number(number)]);
    }

    /// A line with a signal in it.
    #[inline(never)]
    pub(crate) fn signal(&self, level: Level, text: &str, signal: Signal) {
        self.say(level, text, &[Part::Signal(signal)]);
    }

    /// A line with an error in it.
    #[inline(never)]
    pub(crate) fn errno(&self, level: Level, text: &str, errno: Errno) {
        self.say(level, text, &[Part::Errno(errno)]);
    }

    /// Prints a line in which the parts stand for every `%`. Ignored, whatever comes of it: that nobody reads it must
    /// not matter.
    #[inline(never)]
    pub(crate) fn say(&self, level: Level, text: &str, parts: &[Part<'_>]) {
        if level > self.level {
            return;
        }
        let mut line = Line { text: [0; Line::SIZE], length: 0 };
        line.bytes(self.prefix.as_bytes());
        let mut parts = parts.iter();
        for byte in text.bytes() {
            if byte == b'%' {
                if let Some(part) = parts.next() {
                    line.part(*part);
                }
            } else {
                line.byte(byte);
            }
        }
        if let Some(place) = line.text.get_mut(line.length) {
            *place = b'\n';
            line.length = line.length.wrapping_add(1);
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

    /// All but the last place, which is the line's end.
    #[inline(never)]
    fn byte(&mut self, byte: u8) {
        if let [place, _, ..] = self.text.get_mut(self.length..).unwrap_or_default() {
            *place = byte;
            self.length = self.length.wrapping_add(1);
        }
    }

    fn bytes(&mut self, text: &[u8]) {
        text.iter().for_each(|byte| self.byte(*byte));
    }

    fn part(&mut self, part: Part<'_>) {
        let text = match part {
            Part::Number(number) => return self.number(number),
            Part::Signal(signal) => match signal.name() {
                Some(name) => name,
                None => {
                    self.bytes(b"signal ");
                    return self.number(signal.raw());
                }
            },
            Part::Errno(errno) => {
                self.bytes(errno.name().unwrap_or("error").as_bytes());
                self.byte(b' ');
                return self.part(Part::Message(errno));
            }
            Part::Message(errno) => match errno.message() {
                Some(message) => message,
                None => return self.number(errno.raw().unsigned_abs()),
            },
            Part::String(string) => {
                let plain = |byte: &u8| if *byte < b' ' || *byte == 0x7f { b'?' } else { *byte };
                return string.to_bytes().iter().map(plain).for_each(|byte| self.byte(byte));
            }
            Part::Text(text) => text,
        };
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u32) {
        if number > 9 {
            self.number(number / 10);
        }
        self.byte(b'0'.wrapping_add((number % 10) as u8));
    }
}
