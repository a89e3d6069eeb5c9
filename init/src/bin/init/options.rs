//! What was asked for: arguments, environment, and the name under which the program was called.

use core::ffi::CStr;
use rsyscall::start::{Arguments, Strings};
use rsyscall::sys::signal::{Signal, SignalSet};
use rsyscall::sys::stdio::Stdio;
use rsyscall_init::reboot::End;

use crate::end;
use crate::log::{Level, Log};

/// Whose options and defaults are in force.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Init,
    Tini,
    DumbInit,
}

/// When the service is started again after its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    Never,
    OnFailure,
    Always,
}

/// What stops a job.
pub(crate) const STOP_JOB: SignalSet = SignalSet::of(&[Signal::TSTP, Signal::TTIN, Signal::TTOU]);

/// Quick ends in a row after which it is not started again, unless told otherwise.
const QUICK_ENDS: i32 = 5;

pub(crate) struct Options {
    pub(crate) style: Style,
    /// Whether this is process 1 of a machine.
    pub(crate) machine: bool,
    pub(crate) level: Level,
    pub(crate) restart: Restart,
    /// Quick ends in a row after which it is not started again; 0: never given up.
    pub(crate) quick_ends: i32,
    /// Seconds from the first SIGTERM to SIGKILL, as they were given.
    pub(crate) grace: Option<i32>,
    /// Whether signals go to the service's process group.
    pub(crate) to_group: bool,
    /// Whether the service has a session of its own.
    pub(crate) session: bool,
    pub(crate) subreaper: bool,
    pub(crate) parent_death: Option<Signal>,
    /// What a signal is forwarded as, by exclusive or; where that is 0: not at all.
    rewrite: [u8; 65],
    /// Statuses that are told as 0.
    success: [u64; 4],
    pub(crate) warn_on_reap: bool,
    #[cfg(feature = "selftest")]
    pub(crate) selftest: bool,
}

impl Options {
    /// The defaults of the name that the program was called by.
    pub(crate) fn new(name: Option<&CStr>, machine: bool) -> Self {
        let style = style(name);
        Self {
            style,
            machine,
            level: match style {
                _ if machine => Level::Info,
                Style::Tini => Level::Warning,
                Style::Init | Style::DumbInit => Level::Error,
            },
            // A machine without its service is of no use; a container whose service has ended is over.
            restart: if machine { Restart::OnFailure } else { Restart::Never },
            quick_ends: if machine { 0 } else { QUICK_ENDS },
            grace: None,
            to_group: style == Style::DumbInit,
            session: style == Style::DumbInit,
            subreaper: style == Style::Init,
            parent_death: None,
            rewrite: [0; 65],
            success: [0; 4],
            warn_on_reap: false,
            #[cfg(feature = "selftest")]
            selftest: false,
        }
    }

    #[cfg(feature = "selftest")]
    fn for_selftest(&mut self) {
        (self.selftest, self.level, self.restart) = (true, Level::Info, Restart::OnFailure);
    }

    /// What a signal is forwarded as.
    pub(crate) fn rewritten(&self, signal: Signal) -> Option<Signal> {
        match self.rewrite.get(signal.raw() as usize)? {
            // What dumb-init does with signals that stop a job, unless they are rewritten.
            0 if self.session && STOP_JOB.has(signal) => Some(Signal::STOP),
            changed => Signal::from_raw(signal.raw() ^ u32::from(*changed)),
        }
    }

    /// The status that is told for this one.
    pub(crate) fn told(&self, status: i32) -> i32 {
        let status = status.unsigned_abs() & 0xff;
        let word = self.success.get(status as usize / 64).copied().unwrap_or(0);
        if word >> (status % 64) & 1 == 1 { 0 } else { i32::from_ne_bytes(status.to_ne_bytes()) }
    }

    /// Signals that end the restarts.
    pub(crate) fn stops(&self) -> SignalSet {
        match self.style {
            Style::Init if self.machine => const { SignalSet::of(&[Signal::TERM, Signal::INT, Signal::PWR]) },
            Style::Init => const { SignalSet::of(&[Signal::TERM, Signal::INT]) },
            Style::Tini | Style::DumbInit => SignalSet::EMPTY,
        }
    }

    /// Takes one option. `None`: the style does not have it, or its value is wrong.
    #[inline(never)]
    fn set(&mut self, letter: u8, value: Option<&[u8]>) -> Option<()> {
        if takes_value(self.style, letter)? != value.is_some() {
            return None;
        }
        let value = value.unwrap_or_default();
        match letter {
            b'v' => self.level = Level::Info,
            b's' => self.subreaper = true,
            b'g' if self.style == Style::Init => self.grace = Some(number(value)?),
            b'G' | b'g' => self.to_group = true,
            b'w' => self.warn_on_reap = true,
            b'c' => (self.to_group, self.session) = (false, false),
            b'n' => self.quick_ends = number(value)?,
            b'p' => self.parent_death = Some(Signal::from_name(value)?),
            b'e' => {
                let status = number(value)?;
                *self.success.get_mut(usize::try_from(status).ok()? / 64)? |= 1 << (status % 64);
            }
            _ => {
                if self.style == Style::Init {
                    let rules = [Restart::Never, Restart::OnFailure, Restart::Always];
                    if let Some(rule) = word(value, b"never failure always").and_then(|index| rules.get(index)) {
                        self.restart = *rule;
                        return Some(());
                    }
                }
                let colon = value.iter().position(|byte| *byte == b':')?;
                let (from, to) = (value.get(..colon)?, value.get(colon.wrapping_add(1)..)?);
                let from = number_of(Signal::from_name(from)?);
                let to = if is(to, b"0") { 0 } else { number_of(Signal::from_name(to)?) };
                // dumb-init knows no others.
                if self.style == Style::DumbInit && from.max(to) > 31 {
                    return None;
                }
                *self.rewrite.get_mut(usize::from(from))? = from ^ to;
            }
        }
        Some(())
    }
}

/// The number, 1..=64.
fn number_of(signal: Signal) -> u8 {
    u8::try_from(signal.raw()).unwrap_or(0)
}

/// Whether an option takes a value, or `None` if the style does not have it.
#[inline(never)]
fn takes_value(style: Style, letter: u8) -> Option<bool> {
    const INIT: u8 = 1 << Style::Init as u8;
    const TINI: u8 = 1 << Style::Tini as u8;
    const DUMB_INIT: u8 = 1 << Style::DumbInit as u8;
    const VALUE: u8 = 1 << 7;
    const KNOWN: [(u8, u8); 11] = [
        (b'v', INIT | TINI | DUMB_INIT),
        (b's', INIT | TINI),
        (b'w', INIT | TINI),
        (b'G', INIT),
        (b'g', INIT | VALUE),
        (b'g', TINI),
        (b'c', DUMB_INIT),
        (b'n', INIT | VALUE),
        (b'p', INIT | TINI | VALUE),
        (b'e', INIT | TINI | VALUE),
        (b'r', INIT | DUMB_INIT | VALUE),
    ];
    let mut all = KNOWN.iter();
    all.find(|(known, how)| *known == letter && how & 1 << style as u8 != 0).map(|(_, how)| how & VALUE != 0)
}

/// The letter of a long option, or one that no style has.
fn letter(style: Style, name: &[u8]) -> &'static [u8] {
    // Those of dumb-init, and some of them our own.
    let count = match style {
        Style::Tini => 2,
        Style::Init => 4,
        Style::DumbInit => 5,
    };
    let index = word(name, b"help version verbose rewrite single-child").filter(|index| *index < count).unwrap_or(5);
    b"hVvrc?".get(index..=index).unwrap_or_default()
}

/// Which of the words, between which there are blanks, this is.
#[inline(never)]
fn word(word: &[u8], words: &[u8]) -> Option<usize> {
    words.split(|byte| *byte == b' ').position(|known| is(word, known))
}

/// Whether two words are the same. Not `==`, which brings in `memcmp`.
#[inline(never)]
pub(crate) fn is(word: &[u8], other: &[u8]) -> bool {
    word.len() == other.len() && word.iter().zip(other).all(|(a, b)| a == b)
}

/// A number of at most six digits.
fn number(digits: &[u8]) -> Option<i32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| i32::from(digit.wrapping_sub(b'0')))?;
        Some(i32::wrapping_add(i32::wrapping_mul(number, 10), digit))
    })
}

/// Whose name the program was called by.
fn style(name: Option<&CStr>) -> Style {
    let name = name.unwrap_or_default().to_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match word(name, b"dumb-init tini tini-static docker-init") {
        Some(0) => Style::DumbInit,
        Some(_) => Style::Tini,
        None => Style::Init,
    }
}

/// The value of an environment variable.
#[inline(never)]
pub(crate) fn var(arguments: Arguments, name: &[u8]) -> Option<&'static [u8]> {
    arguments.vars().find_map(|entry| {
        let (front, rest) = entry.to_bytes().split_at_checked(name.len())?;
        match rest {
            [b'=', value @ ..] if is(front, name) => Some(value),
            _ => None,
        }
    })
}

/// Whether an environment variable has this value.
#[inline(never)]
fn var_is(arguments: Arguments, name: &[u8], value: &[u8]) -> bool {
    var(arguments, name).is_some_and(|found| is(found, value))
}

/// Reads the arguments, and what of the environment is an option too. Returns what is left: the program, if there is
/// one, and its arguments.
pub(crate) fn parse(options: &mut Options, arguments: Arguments, stdio: Stdio) -> Strings {
    let mut strings = arguments.args();
    strings.next();
    let style = options.style;
    if style == Style::Tini {
        options.subreaper = var(arguments, b"TINI_SUBREAPER").is_some();
        options.to_group = var(arguments, b"TINI_KILL_PROCESS_GROUP").is_some();
        options.level = match var(arguments, b"TINI_VERBOSITY").map(|value| number(value).unwrap_or(0)) {
            None | Some(1) => Level::Warning,
            Some(0) => Level::Error,
            Some(_) => Level::Info,
        };
    }
    #[cfg(feature = "selftest")]
    if options.machine && var_is(arguments, b"selftest", b"1") {
        options.for_selftest();
        return arguments.args();
    }
    loop {
        let mut ahead = strings.clone();
        let Some([b'-', letters @ ..]) = ahead.next().map(CStr::to_bytes) else { break };
        // Several letters in one word, or a long option.
        let (mut letters, mut after) = (letters, None);
        #[cfg(feature = "selftest")]
        if letters == b"-selftest" {
            options.for_selftest();
            return arguments.args();
        }
        match letters {
            [] => break,
            [b'-'] => {
                strings = ahead;
                break;
            }
            [b'-', long @ ..] => {
                let end = long.iter().position(|byte| *byte == b'=').unwrap_or(long.len());
                letters = letter(style, long.get(..end).unwrap_or_default());
                after = long.get(end.wrapping_add(1)..);
            }
            _ => {}
        }
        while let [letter, behind @ ..] = letters {
            letters = behind;
            // The value of the last is behind the `=`, the rest of the word, or the next word.
            if after.is_none() && takes_value(style, *letter) == Some(true) {
                after = if behind.is_empty() { ahead.next().map(CStr::to_bytes) } else { Some(behind) };
                letters = &[];
            }
            if options.set(*letter, after).is_none() {
                quit(options, stdio, *letter);
            }
        }
        strings = ahead;
    }
    if style == Style::DumbInit {
        if var_is(arguments, b"DUMB_INIT_DEBUG", b"1") {
            options.level = Level::Info;
        }
        if var_is(arguments, b"DUMB_INIT_SETSID", b"0") {
            (options.to_group, options.session) = (false, false);
        }
    }
    // Process 1 of a machine has something to do without a program, too.
    if strings.clone().next().is_none() && !options.machine {
        quit(options, stdio, b'?');
    }
    strings
}

/// Prints what an option asks for that is no option of the service, or else how the program is called, and ends.
#[cold]
#[inline(never)]
fn quit(options: &Options, stdio: Stdio, letter: u8) -> ! {
    let style = options.style;
    let (text, status) = match letter {
        b'h' => (usage(style), 0),
        b'V' => (version(style), 0),
        b'l' if style == Style::Tini => ("MIT OR Apache-2.0\n", 0),
        _ if style == Style::DumbInit => {
            ("Usage: dumb-init [option] program [args]\nTry dumb-init --help for full usage.\n", 1)
        }
        _ => (usage(style), if style == Style::Init { 125 } else { 1 }),
    };
    let output = if status != 0 || style == Style::DumbInit { stdio.error() } else { stdio.output() };
    // Nobody reads it: nothing else was asked for.
    let _ignored = output.write_all(text.as_bytes());
    end(options, &Log::new(stdio, style, Level::Info, c""), End::PowerOff, status)
}

fn version(style: Style) -> &'static str {
    match style {
        Style::Init => concat!("init ", env!("CARGO_PKG_VERSION"), " (rsyscall-init)\n"),
        Style::Tini => concat!("tini version 0.19.0 - rsyscall-init ", env!("CARGO_PKG_VERSION"), "\n"),
        Style::DumbInit => concat!("dumb-init v1.2.5 (rsyscall-init ", env!("CARGO_PKG_VERSION"), ")\n"),
    }
}

fn usage(style: Style) -> &'static str {
    match style {
        Style::Init => {
            "Usage: init [OPTION]... [--] PROGRAM [ARGUMENT]...
Starts PROGRAM, forwards signals to it, reaps every orphan, and ends with its status.

  -G         forward signals to the program's process group
  -g SECONDS SIGKILL so long after the first SIGTERM; also for what the program leaves behind (30)
  -r RULE    start it again: never, failure, always
  -n COUNT   give up after so many quick ends in a row (5); 0: never
  -r 15:3    forward signal 15 as signal 3; to 0: not at all
  -e STATUS  end with 0 instead of this status
  -p SIGNAL  be sent this signal when the parent ends
  -w         say which orphans are reaped
  -v         say what goes on
  -h, -V     this help, the version
Exit status: the program's; 128 and the signal that ended it; 127 not found, 126 not executable,
125 wrong usage or init's own failure.
"
        }
        Style::Tini => {
            "tini (rsyscall-init)
Usage: tini [OPTIONS] PROGRAM -- [ARGS] | --version

  --version: Show version and exit.
  -h: Show this help message and exit.
  -s: Register as a process subreaper (requires Linux >= 3.4).
  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. \"-p SIGKILL\".
  -v: Generate more verbose output.
  -w: Print a warning when processes are getting reaped.
  -g: Send signals to the child's process group.
  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0.
  -l: Show license and exit.

Environment variables: TINI_SUBREAPER, TINI_VERBOSITY (default: 1), TINI_KILL_PROCESS_GROUP
"
        }
        Style::DumbInit => {
            "dumb-init v1.2.5 (rsyscall-init)
Usage: dumb-init [option] command [[arg] ...]

   -c, --single-child   signals to the direct child only, which has no session of its own
   -r, --rewrite s:r    forward signal s as signal r; to 0: not at all
   -v, --verbose        print debugging information to stderr
   -h, --help           print this help message and exit
   -V, --version        print the current version and exit
"
        }
    }
}
