//! Options: from the command line, the environment, and the name by which the program was called.

use core::ffi::CStr;
use rsyscall::start::{Arguments, Strings};
use rsyscall::sys::signal::{Signal, SignalSet};
use rsyscall::sys::stdio::Stdio;
use rsyscall_init::reboot::End;

use crate::end;
use crate::log::{Level, Log};
use crate::texts::{self, OTHER, STYLES, USAGE, VERSION};

/// Whose options and defaults apply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Init,
    Tini,
    DumbInit,
}

/// When the service is restarted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    Never,
    OnFailure,
    Always,
}

/// The signals that stop a job.
pub(crate) const STOP_JOB: SignalSet = SignalSet::of(&[Signal::TSTP, Signal::TTIN, Signal::TTOU]);

/// The default for how many quick exits in a row are followed by a restart.
const QUICK_ENDS: i32 = 5;

/// Options without a value.
pub(crate) mod flag {
    /// Signals are forwarded to the service's process group.
    pub(crate) const GROUP: u8 = 1;
    /// The service has a session of its own.
    pub(crate) const SESSION: u8 = 1 << 1;
    /// This process becomes a subreaper.
    pub(crate) const SUBREAPER: u8 = 1 << 2;
    /// Every reaped orphan is logged.
    pub(crate) const WARN: u8 = 1 << 3;
    /// Everything is logged.
    pub(crate) const VERBOSE: u8 = 1 << 4;
}

pub(crate) struct Options {
    pub(crate) style: Style,
    /// Whether this is process 1 of a machine.
    pub(crate) machine: bool,
    level: Level,
    flags: u8,
    pub(crate) restart: Restart,
    /// After how many quick exits in a row the service is not restarted; 0: it always is.
    pub(crate) quick_ends: i32,
    /// Seconds from SIGTERM to SIGKILL, if given.
    pub(crate) grace: Option<i32>,
    pub(crate) parent_death: Option<Signal>,
    /// Which signal each one is forwarded as, by exclusive or; if that is 0, it is not forwarded.
    rewrite: [u8; 65],
    /// The exit statuses that are reported as 0.
    success: [u64; 4],
    #[cfg(feature = "selftest")]
    pub(crate) selftest: bool,
}

impl Options {
    /// Returns the defaults for the name by which the program was called.
    pub(crate) fn new(name: Option<&CStr>, machine: bool) -> Self {
        let style = style(name);
        let (level, flags) = match style {
            Style::Init => (Level::Error, flag::SUBREAPER),
            Style::Tini => (Level::Warning, 0),
            Style::DumbInit => (Level::Error, flag::GROUP | flag::SESSION),
        };
        Self {
            style,
            machine,
            level,
            flags: if machine { flags | flag::VERBOSE } else { flags },
            // A machine is of no use without its service; a container ends with it.
            restart: if machine { Restart::OnFailure } else { Restart::Never },
            quick_ends: if machine { 0 } else { QUICK_ENDS },
            grace: None,
            parent_death: None,
            rewrite: [0; 65],
            success: [0; 4],
            #[cfg(feature = "selftest")]
            selftest: false,
        }
    }

    #[cfg(feature = "selftest")]
    fn for_selftest(&mut self) {
        (self.selftest, self.restart) = (true, Restart::OnFailure);
        self.flags |= flag::VERBOSE;
    }

    /// Returns whether one of these flags is set.
    pub(crate) fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Returns the least severe level that is logged.
    pub(crate) fn level(&self) -> Level {
        if self.has(flag::VERBOSE) { Level::Info } else { self.level }
    }

    /// Returns which signal this one is forwarded as, or `None` if it is not forwarded.
    pub(crate) fn rewritten(&self, signal: Signal) -> Option<Signal> {
        match self.rewrite.get(signal.raw() as usize)? {
            // dumb-init stops the service by SIGSTOP: in its own session the others would not stop it.
            0 if self.has(flag::SESSION) && STOP_JOB.has(signal) => Some(Signal::STOP),
            changed => Signal::from_raw(signal.raw() ^ u32::from(*changed)),
        }
    }

    /// Returns the exit status that is reported for this one.
    pub(crate) fn reported_status(&self, status: i32) -> i32 {
        let status = status.unsigned_abs() & 0xff;
        let word = self.success.get(status as usize / 64).copied().unwrap_or(0);
        if word >> (status % 64) & 1 == 1 { 0 } else { i32::from_ne_bytes(status.to_ne_bytes()) }
    }

    /// Returns the signals after which the service is not restarted.
    pub(crate) fn stops(&self) -> SignalSet {
        match self.style {
            Style::Init if self.machine => const { SignalSet::of(&[Signal::TERM, Signal::INT, Signal::PWR]) },
            Style::Init => const { SignalSet::of(&[Signal::TERM, Signal::INT]) },
            Style::Tini | Style::DumbInit => SignalSet::EMPTY,
        }
    }

    /// Sets an option that takes a value, or returns `None` if the value is invalid.
    #[inline(never)]
    fn set(&mut self, letter: u8, value: &[u8]) -> Option<()> {
        match letter {
            b'g' => self.grace = Some(number(value)?),
            b'n' => self.quick_ends = number(value)?,
            b'p' => self.parent_death = Some(Signal::from_name(value)?),
            b'e' => {
                let status = number(value)?;
                *self.success.get_mut(usize::try_from(status).ok()? / 64)? |= 1 << (status % 64);
            }
            _ => {
                if self.style == Style::Init {
                    if let Some(rule) = word(value, b"never\0failure\0always") {
                        self.restart = match rule {
                            0 => Restart::Never,
                            1 => Restart::OnFailure,
                            _ => Restart::Always,
                        };
                        return Some(());
                    }
                }
                let colon = value.iter().position(|byte| *byte == b':')?;
                let (from, to) = (value.get(..colon)?, value.get(colon.wrapping_add(1)..)?);
                let from = number_of(Signal::from_name(from)?);
                let to = if is(to, b"0") { 0 } else { number_of(Signal::from_name(to)?) };
                // dumb-init has no real-time signals.
                if self.style == Style::DumbInit && from.max(to) > 31 {
                    return None;
                }
                *self.rewrite.get_mut(usize::from(from))? = from ^ to;
            }
        }
        Some(())
    }
}

/// Returns the number, 1..=64.
fn number_of(signal: Signal) -> u8 {
    u8::try_from(signal.raw()).unwrap_or(0)
}

const INIT: u8 = 1 << Style::Init as u8;
const TINI: u8 = 1 << Style::Tini as u8;
const DUMB_INIT: u8 = 1 << Style::DumbInit as u8;
/// The option takes a value.
const VALUE: u8 = 1 << 6;
/// The option clears its flags.
const WITHOUT: u8 = 1 << 7;

/// An option: its letter, the styles that have it, and its flags.
struct Known(u8, u8, u8);

/// Returns the option of this letter, if the style has it.
fn known(style: Style, letter: u8) -> Option<&'static Known> {
    const KNOWN: [Known; 11] = [
        Known(b'v', INIT | TINI | DUMB_INIT, flag::VERBOSE),
        Known(b's', INIT | TINI, flag::SUBREAPER),
        Known(b'w', INIT | TINI, flag::WARN),
        Known(b'G', INIT, flag::GROUP),
        Known(b'g', TINI, flag::GROUP),
        Known(b'c', DUMB_INIT | WITHOUT, flag::GROUP | flag::SESSION),
        Known(b'g', INIT | VALUE, 0),
        Known(b'n', INIT | VALUE, 0),
        Known(b'p', INIT | TINI | VALUE, 0),
        Known(b'e', INIT | TINI | VALUE, 0),
        Known(b'r', INIT | DUMB_INIT | VALUE, 0),
    ];
    KNOWN.iter().find(|Known(known, how, _)| *known == letter && how & 1 << style as u8 != 0)
}

/// Returns the letter of a long option, or 0 if the style does not have it.
fn letter(style: Style, name: &[u8]) -> u8 {
    // dumb-init has all of them.
    let count = match style {
        Style::Tini => 2,
        Style::Init => 4,
        Style::DumbInit => 5,
    };
    match word(name, b"help\0version\0verbose\0rewrite\0single-child") {
        Some(index) if index < count => b"hVvrc".get(index).copied().unwrap_or(0),
        _ => 0,
    }
}

/// Returns the text without the prefix, or `None` if it does not start with it.
#[inline(never)]
fn behind<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    // Not `strip_prefix`, which brings in `memcmp`.
    let (front, behind) = text.split_at_checked(prefix.len())?;
    front.iter().zip(prefix).all(|(a, b)| a == b).then_some(behind)
}

/// Returns whether two texts are equal.
pub(crate) fn is(word: &[u8], other: &[u8]) -> bool {
    matches!(behind(word, other), Some([]))
}

/// Returns the index of a word in a list of words that are separated by zeros, which no argument contains.
#[inline(never)]
fn word(word: &[u8], words: &[u8]) -> Option<usize> {
    let (mut index, mut rest) = (0_usize, words);
    while !matches!(behind(rest, word), Some([] | [0, ..])) {
        let end = rest.iter().position(|byte| *byte == 0)?;
        rest = rest.get(end.wrapping_add(1)..)?;
        index = index.wrapping_add(1);
    }
    Some(index)
}

/// Parses a number of at most six digits.
fn number(digits: &[u8]) -> Option<i32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| i32::from(digit.wrapping_sub(b'0')))?;
        Some(i32::wrapping_add(i32::wrapping_mul(number, 10), digit))
    })
}

/// Returns whose name the program was called by.
fn style(name: Option<&CStr>) -> Style {
    let name = name.unwrap_or_default().to_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match word(name, b"dumb-init\0tini\0tini-static\0docker-init") {
        Some(0) => Style::DumbInit,
        Some(_) => Style::Tini,
        None => Style::Init,
    }
}

/// Returns the value of an environment variable, whose name is given with a `=`.
#[inline(never)]
pub(crate) fn var(arguments: Arguments, name: &[u8]) -> Option<&'static [u8]> {
    arguments.vars().find_map(|entry| behind(entry.to_bytes(), name))
}

/// Returns whether the environment contains this variable with this value, given as `NAME=value`.
fn has_var(arguments: Arguments, entry: &[u8]) -> bool {
    var(arguments, entry).is_some_and(<[u8]>::is_empty)
}

/// Parses the command line, and the variables that tini and dumb-init read. Returns the program and its arguments; on a
/// machine there may be none.
pub(crate) fn parse(options: &mut Options, arguments: Arguments, stdio: Stdio) -> Strings {
    let mut strings = arguments.args();
    strings.next();
    let style = options.style;
    if style == Style::Tini {
        if var(arguments, b"TINI_SUBREAPER=").is_some() {
            options.flags |= flag::SUBREAPER;
        }
        if var(arguments, b"TINI_KILL_PROCESS_GROUP=").is_some() {
            options.flags |= flag::GROUP;
        }
        if let Some(value) = var(arguments, b"TINI_VERBOSITY=") {
            options.level = match number(value) {
                None | Some(0) => Level::Error,
                Some(1) => Level::Warning,
                Some(_) => Level::Info,
            };
        }
    }
    #[cfg(feature = "selftest")]
    if options.machine && has_var(arguments, b"selftest=1") {
        options.for_selftest();
        return arguments.args();
    }
    loop {
        let mut ahead = strings.clone();
        let Some([b'-', first, rest @ ..]) = ahead.next().map(CStr::to_bytes) else { break };
        // Short options may be combined in one argument.
        let (mut option, mut rest, mut value) = (*first, rest, None);
        if option == b'-' {
            #[cfg(feature = "selftest")]
            if rest == b"selftest" {
                options.for_selftest();
                return arguments.args();
            }
            if rest.is_empty() {
                strings = ahead;
                break;
            }
            let end = rest.iter().position(|byte| *byte == b'=').unwrap_or(rest.len());
            option = letter(style, rest.get(..end).unwrap_or_default());
            value = rest.get(end.wrapping_add(1)..);
            rest = &[];
        }
        loop {
            let Some(Known(_, how, flags)) = known(style, option) else { quit(options, stdio, option) };
            if how & VALUE != 0 {
                // The value: after the `=`, or the rest of the argument, or the next argument.
                if value.is_none() {
                    value = if rest.is_empty() { ahead.next().map(CStr::to_bytes) } else { Some(rest) };
                }
                let set = value.and_then(|value| options.set(option, value));
                if set.is_none() {
                    quit(options, stdio, 0);
                }
                break;
            }
            if value.is_some() {
                quit(options, stdio, 0);
            }
            options.flags = if how & WITHOUT == 0 { options.flags | flags } else { options.flags & !flags };
            let [next, behind @ ..] = rest else { break };
            (option, rest) = (*next, behind);
        }
        strings = ahead;
    }
    if style == Style::DumbInit {
        if has_var(arguments, b"DUMB_INIT_DEBUG=1") {
            options.flags |= flag::VERBOSE;
        }
        if has_var(arguments, b"DUMB_INIT_SETSID=0") {
            options.flags &= !(flag::GROUP | flag::SESSION);
        }
    }
    // Process 1 of a machine must not exit, and reaps without a program too.
    if strings.clone().next().is_none() && !options.machine {
        quit(options, stdio, 0);
    }
    strings
}

/// Prints help, version or licence if that is the option, otherwise the usage as an error, and exits.
#[cold]
#[inline(never)]
fn quit(options: &Options, stdio: Stdio, option: u8) -> ! {
    let style = options.style;
    let (text, status) = match option {
        b'h' => (USAGE, 0),
        b'V' => (VERSION, 0),
        b'l' if style == Style::Tini => (OTHER, 0),
        _ if style == Style::DumbInit => (OTHER, 1),
        _ => (USAGE, if style == Style::Init { 125 } else { 1 }),
    };
    let output = if status != 0 || style == Style::DumbInit { stdio.error() } else { stdio.output() };
    // A write error is ignored: it cannot be reported.
    let _ignored = output.write_all(texts::nth(STYLES, (style as usize).wrapping_mul(3).wrapping_add(text)));
    end(&Log::new(stdio, options, c""), End::PowerOff, status)
}
