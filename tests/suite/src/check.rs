//! Outcomes of a case, and the checks that end it.

use crate::Text;
use core::fmt;

/// How a case ended.
#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    /// The sentence is true here.
    Passed,
    /// This environment cannot run it, for this reason.
    Skipped(&'static str),
    /// The sentence is false here.
    Failed(Failure),
}

/// Which check failed, and what it saw.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    /// The file of the check.
    pub file: &'static str,
    /// The line of the check.
    pub line: u32,
    /// The expression that was checked.
    pub what: &'static str,
    /// The value that it had.
    pub got: Text,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A line break of the source would end the line of the report.
        for (n, word) in self.what.split_whitespace().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(word)?;
        }
        let file = self.file.rsplit('/').next().unwrap_or(self.file);
        write!(f, ": {} ({file}:{})", self.got, self.line)
    }
}

/// What ends a case early.
pub(crate) enum Stop {
    Skip(&'static str),
    Fail(Failure),
}

/// `?` on a [`Can`](crate::Can) skips the case with its reason.
impl From<&'static str> for Stop {
    fn from(reason: &'static str) -> Self {
        Self::Skip(reason)
    }
}

pub(crate) type Verdict = Result<(), Stop>;

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Ok(()) => Self::Passed,
            Err(Stop::Skip(reason)) => Self::Skipped(reason),
            Err(Stop::Fail(failure)) => Self::Failed(failure),
        }
    }
}

#[cold]
#[inline(never)]
pub(crate) fn failed(file: &'static str, line: u32, what: &'static str, got: fmt::Arguments<'_>) -> Stop {
    Stop::Fail(Failure { file, line, what, got: Text::of(got) })
}

/// The value of a call that must succeed.
macro_rules! ok {
    ($call:expr) => {
        match $call {
            Ok(value) => value,
            Err(error) => {
                return Err($crate::check::failed(file!(), line!(), stringify!($call), format_args!("{error:?}")))
            }
        }
    };
}

/// The value of an option that must be `Some`.
macro_rules! some {
    ($option:expr) => {
        match $option {
            Some(value) => value,
            None => return Err($crate::check::failed(file!(), line!(), stringify!($option), format_args!("None"))),
        }
    };
}

/// Two values that must be equal.
macro_rules! is {
    ($value:expr, $expected:expr) => {{
        let (value, expected) = (&$value, &$expected);
        if value != expected {
            let got = format_args!("{value:?}, not {expected:?}");
            return Err($crate::check::failed(file!(), line!(), stringify!($value), got));
        }
    }};
}

/// A condition that must hold.
macro_rules! holds {
    ($condition:expr) => {
        if !$condition {
            return Err($crate::check::failed(file!(), line!(), stringify!($condition), format_args!("false")));
        }
    };
}

/// A call that the kernel must refuse with this error.
macro_rules! refused {
    ($call:expr, $errno:ident) => {
        match $call {
            Err(error) if rsyscall::sysif::SyscallError::errno(&error) == Some(rsyscall::Errno::$errno) => {}
            Err(error) => {
                let got = format_args!("{error:?}, not {}", stringify!($errno));
                return Err($crate::check::failed(file!(), line!(), stringify!($call), got));
            }
            Ok(_) => {
                let got = format_args!("success, not {}", stringify!($errno));
                return Err($crate::check::failed(file!(), line!(), stringify!($call), got));
            }
        }
    };
}
