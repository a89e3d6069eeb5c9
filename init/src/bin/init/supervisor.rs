//! The loop: one signalfd, and a table.
//!
//! | phase | stop signal | other signal | the service ends | the time is up | no process is left |
//! |---|---|---|---|---|---|
//! | `Running` | forwarded; `Stopping` | forwarded | by the rule: `Waiting`, else `Leaving` | | |
//! | `Waiting` | `Leaving` | kept for the next service | | started: `Running` | |
//! | `Stopping` | forwarded | forwarded | `Leaving` | SIGKILL: `Killing` | |
//! | `Leaving` | | | | SIGKILL: `Killing` | `Over` |
//! | `Killing` | | | | SIGKILL again; at last `Over` | `Over` |
//!
//! To leave means: SIGTERM to whom the service leaves behind. As tini it means to end at once, as dumb-init to end at
//! once after SIGTERM to the service's group. A stop signal is SIGTERM or SIGINT, for a machine also SIGPWR; as tini or
//! dumb-init there is none, as nothing is started again.

use crate::end;
use crate::log::{Log, Message};
use crate::options::{Options, Restart, STOP_JOB, Style, flag};
use crate::terminal::Terminal;
use core::convert::Infallible;
use core::time::Duration;
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, PollFd, Process, Timespec, clock_monotonic};
use rsyscall::sys::signal::{Disposition, Preset, Signal, SignalSet, SignalTask, Target};
use rsyscall::sys::signalfd::{SignalFd, SignalInfo};
use rsyscall::sys::stdio::Stdio;
use rsyscall::sys::wait::{Change, Changes, Children, ExitStatus, WaitTask};
use rsyscall::sysif::Local;
use rsyscall::{Current, Errno};
use rsyscall_init::reboot::End;
use rsyscall_init::{At, Child, Command, SpawnError, Step, process, spawn_job, tty};

/// What is started.
pub(crate) struct Service<'a> {
    pub(crate) command: Command<'a>,
    /// The command at every further start.
    #[cfg(feature = "selftest")]
    pub(crate) again: Command<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Waiting,
    Stopping,
    Leaving,
    Killing,
    Over,
}

/// A moment that does not come.
const NEVER: u64 = u64::MAX;

struct Supervisor<'a> {
    options: &'a Options,
    command: Option<&'a Command<'a>>,
    /// The command at every further start.
    #[cfg(feature = "selftest")]
    again: Option<&'a Command<'a>>,
    log: &'a Log<'a>,
    stdio: Stdio,
    /// Whether this is process 1.
    first: bool,
    me: Process,
    signals: SignalFd,
    terminal: Terminal,
    /// Where the service is started.
    directory: Option<OwnedFd>,
    phase: Phase,
    /// When its time is up.
    until: u64,
    /// When the service was started.
    since: u64,
    /// How often SIGKILL is still sent.
    rounds: i32,
    child: Option<Child>,
    /// The group of the last service, which stays its own until no child of ours is in it.
    group: Option<Process>,
    stopped: bool,
    status: i32,
    quick_ends: i32,
    /// Milliseconds until the next start after a quick end.
    backoff: i32,
    kept: SignalSet,
    /// Signals that come of giving up the terminal, and are nobody's.
    hand_off: SignalSet,
    reaped: i32,
    /// How the machine ends.
    end: End,
}

/// In nanoseconds.
const MILLISECOND: u64 = 1_000_000;
/// An end no later than this after the start is a quick one.
const QUICK: u64 = 1000 * MILLISECOND;
/// The first wait after one, and the longest.
const SHORTEST: i32 = 100;
const LONGEST: i32 = 60_000;
/// Seconds from SIGTERM to SIGKILL, unless told otherwise.
const GRACE: i32 = 30;
/// How often SIGKILL is sent, a second apart, before what does not end is left.
const ROUNDS: i32 = 10;

/// The time in nanoseconds.
#[inline(never)]
fn now() -> u64 {
    // It cannot fail, except by a seccomp policy: then every moment is the same, and no time is ever up.
    let Timespec { seconds, nanoseconds } = clock_monotonic(&Local).unwrap_or(Timespec::ZERO);
    seconds.unsigned_abs().wrapping_mul(1000 * MILLISECOND).wrapping_add(nanoseconds.unsigned_abs())
}

#[inline(never)]
fn in_milliseconds(milliseconds: i32) -> u64 {
    now().wrapping_add(u64::from(milliseconds.unsigned_abs()).wrapping_mul(MILLISECOND))
}

/// For at most six digits, which is what an option takes.
fn in_seconds(seconds: i32) -> u64 {
    in_milliseconds(seconds.wrapping_mul(1000))
}

/// Supervises the service until all is over, and ends. It returns only if it cannot begin.
pub(crate) fn supervise(options: &Options, service: Option<Service<'_>>, log: &Log<'_>, stdio: Stdio) -> Errno {
    match begin(options, service, log, stdio) {
        Err(errno) => errno,
        Ok(never) => match never {},
    }
}

fn begin(
    options: &Options,
    mut service: Option<Service<'_>>,
    log: &Log<'_>,
    stdio: Stdio,
) -> Result<Infallible, Errno> {
    let me = process::pid()?;
    // Ignored, children would leave no status behind.
    let child_ignored = Current.disposition(Signal::CHLD) == Ok(Disposition::Ignore);
    Current.set_disposition(Signal::CHLD, Preset::Default)?;
    // A blocked signal is kept for the signalfd, even for process 1, to which the kernel delivers no signal that it
    // does not handle.
    let mask = Current.block_signals(SignalSet::ALL)?.keep();
    if let Some(Service { command, .. }) = &mut service {
        if options.style == Style::DumbInit {
            // It handles them all, and so none stays ignored; and it unblocks them all.
            command.default = SignalSet::from_bits(0x7fff_ffff);
        } else {
            command.mask = mask;
            if child_ignored {
                command.ignore = const { SignalSet::of(&[Signal::CHLD]) };
            }
        }
    }
    let signals = SignalFd::new(SignalSet::ALL)?;
    let mut hand_off = SignalSet::EMPTY;
    if options.has(flag::SESSION) && tty::give_up(stdio.into()).is_ok() && process::session() == Ok(me) {
        hand_off = const { SignalSet::of(&[Signal::HUP, Signal::CONT]) };
    }
    // So that this process keeps no file system from being unmounted.
    let directory = match options.style {
        Style::Tini => None,
        Style::Init | Style::DumbInit => process::working_directory().ok(),
    };
    if directory.is_some() {
        // Ignored: who may not go there stays, and starts the service there.
        let _ignored = process::change_directory(c"/");
    }
    let mut supervisor = Supervisor {
        options,
        command: service.as_ref().map(|service| &service.command),
        #[cfg(feature = "selftest")]
        again: service.as_ref().map(|service| &service.again),
        log,
        stdio,
        first: me == Process(1),
        me,
        signals,
        terminal: Terminal::new(options.style, stdio),
        directory,
        phase: Phase::Waiting,
        until: NEVER,
        since: 0,
        rounds: ROUNDS,
        child: None,
        group: None,
        stopped: false,
        status: 0,
        quick_ends: 0,
        backoff: SHORTEST,
        kept: SignalSet::EMPTY,
        hand_off,
        reaped: 0,
        end: End::PowerOff,
    };
    supervisor.run()
}

impl Supervisor<'_> {
    /// Runs until all is over, and ends.
    #[inline(never)]
    fn run(&mut self) -> ! {
        self.start();
        loop {
            let childless = self.reap();
            if self.phase == Phase::Over || self.is_over(childless) {
                break;
            }
            match self.next() {
                Ok(Some(info)) => self.on_signal(info),
                Ok(None) => self.on_time(),
                Err(errno) => {
                    // The signalfd is this process's own: only a policy can forbid to read it.
                    self.log.errno(Message::Signalfd, errno);
                    self.status = 125;
                    break;
                }
            }
        }
        self.terminal.take_back(self.group);
        self.log.number(Message::Reaped, self.reaped);
        let status = self.options.told(self.status);
        #[cfg(feature = "selftest")]
        let status = crate::selftest::verdict(self.options, self.stdio, self.reaped, status);
        end(self.log, self.end, status)
    }

    /// The next signal, or `None` when the time is up.
    fn next(&self) -> Result<Option<SignalInfo>, Errno> {
        loop {
            let left = self.until.saturating_sub(now());
            match self.signals.try_read() {
                Ok(None) if left == 0 => return Ok(None),
                Ok(None) | Err(Errno::EINTR) => {}
                found => return found,
            }
            let timeout = Timespec::from(Duration::from_nanos(left));
            let mut entry = [PollFd { fd: self.signals.near(), events: PollFd::IN, revents: 0 }];
            // Interrupted, or the time is up: it is seen above.
            let _ready = near::ppoll(&Local, &mut entry, Some(timeout), None);
        }
    }

    #[inline(never)]
    fn on_time(&mut self) {
        match self.phase {
            Phase::Waiting => return self.start(),
            Phase::Stopping | Phase::Leaving => {
                self.log.say(Message::GraceExpired);
                self.phase = Phase::Killing;
            }
            Phase::Killing => {
                // Who was just being started when the signal went round is met the next time.
                if self.rounds == 0 {
                    return self.phase = Phase::Over;
                }
                self.rounds = self.rounds.wrapping_sub(1);
            }
            Phase::Running | Phase::Over => return,
        }
        self.send_rest(Signal::KILL);
        self.until = in_milliseconds(1000);
    }

    fn on_signal(&mut self, info: SignalInfo) {
        let signal = info.signal();
        let own = info.sender().is_some_and(|(process, _)| process == self.me);
        if signal == Signal::CHLD || own && matches!(signal, Signal::PIPE | Signal::XFSZ) {
            // Children are looked after anyway; the others come of what this process has written itself.
            return;
        }
        // The service may have ended before the signal came: a zombie would take it, and it would be lost.
        let _childless = self.reap();
        if self.hand_off.has(signal) {
            self.log.signal(Message::HandOff, signal);
            self.hand_off = self.hand_off.without(signal.raw());
            return;
        }
        let stop = self.options.stops().has(signal);
        if stop && self.options.machine {
            self.end = if signal == Signal::INT { End::Restart } else { End::PowerOff };
        }
        let before = self.phase;
        if stop && matches!(before, Phase::Running | Phase::Waiting) {
            self.log.signal(Message::Stop, signal);
        }
        if before == Phase::Waiting {
            if stop {
                self.leave();
            } else {
                self.kept = self.kept.with(signal.raw());
            }
        }
        if !matches!(before, Phase::Running | Phase::Stopping) {
            return;
        }
        if stop && before == Phase::Running {
            // In a container nobody's patience but the engine's ends, unless it was asked for.
            let grace = self.options.grace.or(self.options.machine.then_some(GRACE));
            self.phase = Phase::Stopping;
            self.until = grace.map_or(NEVER, in_seconds);
        }
        // Of the machine's own signals a service knows nothing.
        self.forward(if stop && self.options.machine { Signal::TERM } else { signal });
        if stop && self.stopped {
            self.forward(Signal::CONT);
        }
        if self.options.style == Style::DumbInit && STOP_JOB.has(signal) {
            self.stop_myself();
        }
    }

    /// Sends a signal to the service, as the options have it.
    #[inline(never)]
    fn forward(&mut self, signal: Signal) {
        let (Some(child), Some(signal)) = (&self.child, self.options.rewritten(signal)) else { return };
        self.log.signal(Message::Forward, signal);
        let continued = signal == Signal::CONT && self.options.style == Style::Init;
        if continued {
            self.stopped = false;
            // A shell has brought this process to the foreground: the service is what it meant.
            self.terminal.hand_over(child.process());
        }
        let sent = if self.options.has(flag::GROUP) || continued {
            child.send_signal_to_group(signal)
        } else {
            child.send_signal(signal)
        };
        if let Err(errno) = sent {
            self.log.both(Message::NotForwarded, child.process().0, Some(errno));
        }
    }

    /// Sends a signal to whom the service leaves behind: to every process, if this is process 1. A subreaper must not,
    /// or all of its user's would be meant. It reaches the service's group, whose number is no other's while a child of
    /// ours is in it.
    fn send_rest(&self, signal: Signal) {
        let target = match self.group {
            _ if self.first => Target::Everyone,
            Some(group) if process::has_child_in(group) => Target::Group(group),
            _ => return,
        };
        // ESRCH: nobody is left, which is what is wanted.
        let _ignored = Current.send_signal(target, signal);
    }

    /// Whether what was left behind has ended.
    fn is_over(&self, childless: bool) -> bool {
        matches!(self.phase, Phase::Leaving | Phase::Killing)
            && self.child.is_none()
            && (childless || !self.first && !self.group.is_some_and(process::has_child_in))
    }

    /// No start can follow.
    #[inline(never)]
    fn give_up_directory(&mut self) {
        self.directory = None;
    }

    /// The service does not run, and never will again.
    fn leave(&mut self) {
        self.give_up_directory();
        self.phase = Phase::Over;
        match self.options.style {
            Style::Tini => {}
            // Without a session of its own the service is in our group, and its number is no group's.
            Style::DumbInit if self.options.has(flag::SESSION) => self.send_rest(Signal::TERM),
            Style::DumbInit => {}
            Style::Init => {
                let grace = self.options.grace.unwrap_or(GRACE);
                self.log.number(if self.first { Message::TermToAll } else { Message::TermToGroup }, grace);
                self.send_rest(Signal::TERM);
                // Who is stopped cannot end.
                self.send_rest(Signal::CONT);
                self.phase = Phase::Leaving;
                self.until = in_seconds(grace);
            }
        }
    }

    /// Starts the service, or says when it will be tried again, or that it never can.
    fn start(&mut self) {
        let Some(command) = self.command else {
            self.log.say(Message::NoProgram);
            self.phase = Phase::Waiting;
            self.until = NEVER;
            return;
        };
        match self.spawn(command) {
            Ok(child) => {
                self.log.number(Message::Runs, child.process().0);
                #[cfg(feature = "selftest")]
                {
                    self.command = self.again;
                }
                self.group = Some(child.process());
                self.child = Some(child);
                self.stopped = false;
                self.phase = Phase::Running;
                (self.since, self.until) = (now(), NEVER);
                if self.options.restart == Restart::Never {
                    self.give_up_directory();
                }
                let kept = core::mem::take(&mut self.kept);
                for signal in (1..65).filter_map(Signal::from_raw).filter(|signal| kept.has(*signal)) {
                    self.forward(signal);
                }
            }
            Err(error) => self.not_started(error),
        }
    }

    #[inline(never)]
    fn not_started(&mut self, error: SpawnError) {
        let SpawnError { at, errno } = error;
        let later = self.options.machine || self.options.restart != Restart::Never;
        if at == At::Clone && later && matches!(errno, Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE) {
            self.log.both(Message::Later, self.backoff, Some(errno));
            return self.later();
        }
        let style = self.options.style;
        let (message, status) = match (style, at, errno) {
            (Style::Init, At::Exec, Errno::ENOENT) => (Message::Exec, 127),
            (Style::Init, At::Exec, _) => (Message::Exec, 126),
            (Style::Init, At::Step(_), _) => (Message::BeforeExec, 126),
            (Style::Init, At::Clone, _) => (Message::Clone, 125),
            (Style::Tini, At::Exec, Errno::ENOENT) => (Message::TiniExec, 127),
            (Style::Tini, At::Exec, Errno::EACCES) => (Message::TiniExec, 126),
            (Style::Tini, _, _) => (Message::TiniExec, 1),
            (Style::DumbInit, At::Exec, _) => (Message::DumbInitExec, 2),
            (Style::DumbInit, _, _) => (Message::DumbInitExec, 1),
        };
        self.status = status;
        self.log.errno(message, errno);
        self.leave();
    }

    fn later(&mut self) {
        self.phase = Phase::Waiting;
        self.until = in_milliseconds(self.backoff);
        self.backoff = self.backoff.wrapping_mul(2).min(LONGEST);
    }

    fn spawn(&self, command: &Command<'_>) -> Result<Child, SpawnError> {
        let (session, style) = (self.options.has(flag::SESSION), self.options.style);
        let terminal = if session { Some(self.stdio.into()) } else { self.terminal.to_give(self.group) };
        let mut steps = [
            match style {
                _ if session => Step::NewSession,
                Style::DumbInit => Step::Nothing,
                Style::Init | Style::Tini => Step::NewGroup,
            },
            match terminal {
                None => Step::Nothing,
                Some(terminal) if session => Step::ControllingTerminal(terminal),
                Some(terminal) => Step::Foreground(terminal),
            },
            self.directory.as_ref().map_or(Step::Nothing, Step::Directory),
        ];
        loop {
            match spawn_job(command, &steps) {
                // Without the terminal, if it cannot be had.
                Err(SpawnError { at: At::Step(1), .. }) => steps[1] = Step::Nothing,
                started => return started,
            }
        }
    }

    /// Looks at every child that has changed, does what needs its pid, and reaps it. Whether no child is left.
    fn reap(&mut self) -> bool {
        loop {
            let found = match Current.try_wait(Children::Any, Changes::ENDED | Changes::STOPPED | Changes::PEEK) {
                Ok(Some(found)) => found,
                Ok(None) => return false,
                Err(errno) => return errno == Errno::ECHILD,
            };
            let ours = self.child.as_ref().is_some_and(|child| child.process() == found.process);
            // The zombie still holds its number, and that of its group.
            if let Change::Ended(status) = found.change {
                self.reaped = self.reaped.wrapping_add(1);
                if ours {
                    self.ended(status);
                } else if self.options.has(flag::WARN) {
                    self.log.number(Message::Zombie, found.process.0);
                }
            }
            let _the_same = process::reap(found.process);
            if ours && matches!(found.change, Change::Stopped(_)) {
                self.on_stopped();
            }
            if self.phase == Phase::Over {
                return false;
            }
        }
    }

    /// The service was stopped: so is this process, for a shell above to have its terminal back.
    #[inline(never)]
    fn on_stopped(&mut self) {
        self.stopped = true;
        let Some(child) = &self.child else { return };
        if self.options.style != Style::Init {
            return;
        }
        if self.terminal.hand_over(child.process()) {
            // It had asked for the terminal, and this process had it.
            self.forward(Signal::CONT);
        } else if !self.first {
            self.stop_myself();
        }
    }

    #[inline(never)]
    fn stop_myself(&self) {
        if !self.first {
            let _ignored = Current.send_signal(Target::Process(self.me), Signal::STOP);
        }
    }

    #[inline(never)]
    fn ended(&mut self, status: ExitStatus) {
        self.child = None;
        self.status = status.shell_status();
        let (message, number) = match status {
            ExitStatus::Exited(code) => (Message::Exited, code),
            ExitStatus::Killed { core_dumped: false, .. } => (Message::Killed, self.status),
            ExitStatus::Killed { .. } => (Message::Dumped, self.status),
        };
        self.log.number(message, number);
        if self.phase == Phase::Killing {
            return;
        }
        let again = self.phase == Phase::Running
            && match self.options.restart {
                Restart::Never => false,
                Restart::OnFailure => !status.success(),
                Restart::Always => true,
            };
        if !again {
            return self.leave();
        }
        if now().wrapping_sub(self.since) > QUICK {
            (self.quick_ends, self.backoff) = (0, SHORTEST);
            (self.phase, self.until) = (Phase::Waiting, 0);
            return;
        }
        self.quick_ends = self.quick_ends.wrapping_add(1);
        if self.options.quick_ends != 0 && self.quick_ends >= self.options.quick_ends {
            self.log.number(Message::GaveUp, self.quick_ends);
            return self.leave();
        }
        self.log.number(Message::Again, self.backoff);
        self.later();
    }
}
