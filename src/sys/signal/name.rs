//! Names of signals.

use super::Signal;
use core::fmt;

macro_rules! signals {
    ($($name:ident $number:literal $doc:literal)*) => {
        impl Signal {
            $(
                #[doc = concat!("`SIG", stringify!($name), "`: ", $doc)]
                pub const $name: Self = Self::constant($number);
            )*
        }

        /// The names of 1..=31 in this order, with `SIG`.
        const NAMES: [&str; 31] = [$(concat!("SIG", stringify!($name))),*];
    };
}

signals! {
    HUP 1 "the terminal was closed; for a daemon, reload the configuration."
    INT 2 "interrupt from the keyboard (Ctrl-C)."
    QUIT 3 "quit from the keyboard (Ctrl-\\), with a core dump."
    ILL 4 "illegal instruction."
    TRAP 5 "a breakpoint."
    ABRT 6 "`abort`."
    BUS 7 "a bus error."
    FPE 8 "an arithmetic error."
    KILL 9 "ends the process; it cannot be blocked, ignored or handled."
    USR1 10 "user-defined."
    SEGV 11 "an invalid access to memory."
    USR2 12 "user-defined."
    PIPE 13 "a write to a pipe or socket without a reader."
    ALRM 14 "`alarm` has expired."
    TERM 15 "termination."
    STKFLT 16 "not sent by Linux."
    CHLD 17 "a child ended, stopped or continued."
    CONT 18 "continues a stopped process, blocked or not."
    STOP 19 "stops the process; it cannot be blocked, ignored or handled."
    TSTP 20 "stop from the keyboard (Ctrl-Z)."
    TTIN 21 "a read from the terminal in the background."
    TTOU 22 "a write to the terminal in the background."
    URG 23 "urgent data on a socket."
    XCPU 24 "the limit of processor time is exceeded."
    XFSZ 25 "the limit of a file's size is exceeded."
    VTALRM 26 "a virtual timer has expired."
    PROF 27 "a profiling timer has expired."
    WINCH 28 "the size of the terminal has changed."
    IO 29 "a file descriptor is ready (`SIGPOLL`)."
    PWR 30 "power failure."
    SYS 31 "a bad system call."
}

/// `SIGRTMIN` of libc, which uses 32 and 33 internally.
const RTMIN: u32 = 34;
/// `SIGRTMAX`.
const RTMAX: u32 = 64;

impl Signal {
    /// Returns a real-time signal as libc numbers them: `SIGRTMIN` + `n`, or `None` above `SIGRTMAX`.
    ///
    /// ```
    /// use rsyscall::sys::signal::Signal;
    ///
    /// assert_eq!(Signal::rt(3), Signal::from_name(b"RTMIN+3"));
    /// assert_eq!(Signal::rt(30), Signal::from_raw(64));
    /// assert_eq!(Signal::rt(31), None);
    /// ```
    #[inline]
    pub const fn rt(n: u32) -> Option<Self> {
        Self::from_raw(RTMIN.saturating_add(n))
    }

    /// Returns the name, such as `SIGTERM`, or `None` for 32..=64.
    #[inline]
    pub fn name(self) -> Option<&'static str> {
        NAMES.get(usize::from(self.0.get()).wrapping_sub(1)).copied()
    }

    /// Returns the signal of a name or a number, ignoring case: `TERM`, `SIGTERM`, `15`, `RTMIN+3`, `SIGRTMAX-1`.
    ///
    /// ```
    /// use rsyscall::sys::signal::Signal;
    ///
    /// for name in ["TERM", "SIGTERM", "sigterm", "15"] {
    ///     assert_eq!(Signal::from_name(name.as_bytes()), Some(Signal::TERM));
    /// }
    /// assert_eq!(Signal::from_name(b"cld"), Some(Signal::CHLD));
    /// assert_eq!(Signal::from_name(b"SIGIT"), None);
    /// assert_eq!(Signal::from_name(b"0"), None);
    /// ```
    #[inline]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        if name.first()?.is_ascii_digit() {
            return Self::from_raw(number(name)?);
        }
        let name = strip_prefix(name, b"SIG").unwrap_or(name);
        if let Some(rest) = strip_prefix(name, b"RTM") {
            return real_time(rest).and_then(Self::from_raw);
        }
        let known = NAMES.iter().map(|name| name.as_bytes().get(3..).unwrap_or_default());
        let mut all = (1..).zip(known);
        if let Some((number, _)) = all.find(|(_, known)| is(name, known)) {
            return Self::from_raw(number);
        }
        // Other names in C for the same numbers.
        let others: &[(&[u8], Self)] = &[(b"CLD", Self::CHLD), (b"POLL", Self::IO), (b"IOT", Self::ABRT)];
        others.iter().find(|(known, _)| is(name, known)).map(|(_, signal)| *signal)
    }
}

/// Returns whether text is this word of capital letters, ignoring case.
#[inline(never)]
fn is(text: &[u8], word: &[u8]) -> bool {
    strip_prefix(text, word).is_some_and(<[u8]>::is_empty)
}

/// Returns what follows a prefix of capital letters and digits, ignoring case.
#[inline(never)]
fn strip_prefix<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (front, rest) = text.split_at_checked(prefix.len())?;
    let same = front.iter().zip(prefix).all(|(byte, capital)| byte.to_ascii_uppercase() == *capital);
    same.then_some(rest)
}

/// Returns the number of a real-time signal, given its name after `RTM`.
fn real_time(rest: &[u8]) -> Option<u32> {
    let (base, sign, offset) = match strip_prefix(rest, b"IN") {
        Some(offset) => (RTMIN, b'+', offset),
        None => (RTMAX, b'-', strip_prefix(rest, b"AX")?),
    };
    let offset = match offset {
        [] => 0,
        [first, digits @ ..] if *first == sign => number(digits)?,
        _ => return None,
    };
    let number = if sign == b'+' { base.wrapping_add(offset) } else { base.wrapping_sub(offset) };
    Some(number).filter(|number| (RTMIN..=RTMAX).contains(number))
}

/// Parses a decimal number of at most three digits.
#[inline(never)]
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 3 {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.wrapping_sub(b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit.into()))
    })
}

/// Formats the name as `kill -l` does. 32 and 33, which libc uses internally, have no name and are shown as numbers.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// From here on bash counts from `SIGRTMAX` down.
        const MIDDLE: u32 = 50;
        match (self.name(), self.raw()) {
            (Some(name), _) => f.write_str(name),
            (None, RTMIN) => f.write_str("SIGRTMIN"),
            (None, RTMAX) => f.write_str("SIGRTMAX"),
            (None, raw) if raw < RTMIN => write!(f, "{raw}"),
            (None, raw) if raw < MIDDLE => write!(f, "SIGRTMIN+{}", raw.saturating_sub(RTMIN)),
            (None, raw) => write!(f, "SIGRTMAX-{}", RTMAX.saturating_sub(raw)),
        }
    }
}

/// Formats as [`Display`](fmt::Display) does.
impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
