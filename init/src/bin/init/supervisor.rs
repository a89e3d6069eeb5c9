//! The event loop: it reads signals from one signalfd, and keeps one timeout.
//!
//! | phase | stop signal | other signal | the service ends | the timeout expires | no process is left |
//! |---|---|---|---|---|---|
//! | `Running` | forwarded; `Stopping` | forwarded | by the rule: `Waiting`, else `Leaving` | | |
//! | `Waiting` | `Leaving` | kept for the next run | | started: `Running` | |
//! | `Stopping` | forwarded | forwarded | `Leaving` | SIGKILL: `Killing` | |
//! | `Leaving` | | | | SIGKILL: `Killing` | `Over` |
//! | `Killing` | | | | SIGKILL again; in the end `Over` | `Over` |
//!
//! On entering `Leaving`, SIGTERM is sent to the processes that the service left behind. tini goes to `Over` instead,
//! and so does dumb-init after SIGTERM to the service's group. Stop signals are SIGTERM and SIGINT, on a machine also
//! SIGPWR; tini and dumb-init have none, as they never restart.

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
    /// The command for every restart.
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

/// No timeout.
const NEVER: u64 = u64::MAX;

struct Supervisor<'a> {
    options: &'a Options,
    command: Option<&'a Command<'a>>,
    /// The command for every restart.
    #[cfg(feature = "selftest")]
    again: Option<&'a Command<'a>>,
    log: &'a Log<'a>,
    stdio: Stdio,
    /// Whether this is process 1.
    first: bool,
    me: Process,
    signals: SignalFd,
    terminal: Terminal,
    /// The directory in which the service is started.
    directory: Option<OwnedFd>,
    phase: Phase,
    /// When the timeout of the phase expires.
    until: u64,
    /// When the service was started.
    since: u64,
    /// How many more times SIGKILL is sent.
    rounds: i32,
    child: Option<Child>,
    /// The process group of the last run. Its number is not reused while a child of this process is in it.
    group: Option<Process>,
    stopped: bool,
    status: i32,
    quick_ends: i32,
    /// Milliseconds until the restart after a quick exit.
    backoff: i32,
    kept: SignalSet,
    /// The signals caused by giving up the terminal, which are not forwarded.
    hand_off: SignalSet,
    reaped: i32,
    /// How the machine ends.
    end: End,
}

/// In nanoseconds.
const MILLISECOND: u64 = 1_000_000;
/// An exit no later than this after the start is a quick one.
const QUICK: u64 = 1000 * MILLISECOND;
/// The shortest and the longest delay before a restart, in milliseconds.
const SHORTEST: i32 = 100;
const LONGEST: i32 = 60_000;
/// The default grace period: seconds from SIGTERM to SIGKILL.
const GRACE: i32 = 30;
/// How many times SIGKILL is repeated, a second apart, before remaining processes are abandoned.
const ROUNDS: i32 = 10;

/// Returns the monotonic time in nanoseconds.
#[inline(never)]
fn now() -> u64 {
    // It fails only by a seccomp policy: then the time stands still, and no timeout expires.
    let Timespec { seconds, nanoseconds } = clock_monotonic(&Local).unwrap_or(Timespec::ZERO);
    seconds.unsigned_abs().wrapping_mul(1000 * MILLISECOND).wrapping_add(nanoseconds.unsigned_abs())
}

#[inline(never)]
fn in_milliseconds(milliseconds: i32) -> u64 {
    now().wrapping_add(u64::from(milliseconds.unsigned_abs()).wrapping_mul(MILLISECOND))
}

/// For at most six digits, the most that an option has.
fn in_seconds(seconds: i32) -> u64 {
    in_milliseconds(seconds.wrapping_mul(1000))
}

/// Supervises the service and exits. It returns only if the setup fails.
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
    // While SIGCHLD is ignored, children are reaped by the kernel and their status is lost.
    let child_ignored = Current.disposition(Signal::CHLD) == Ok(Disposition::Ignore);
    Current.set_disposition(Signal::CHLD, Preset::Default)?;
    // A blocked signal stays pending for the signalfd, even in process 1, for which the kernel drops signals that have
    // no handler.
    let mask = Current.block_signals(SignalSet::ALL)?.keep();
    if let Some(Service { command, .. }) = &mut service {
        if options.style == Style::DumbInit {
            // dumb-init handles all signals, so exec resets them to default, and it unblocks all.
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
    // The working directory of a process keeps its file system from being unmounted.
    let directory = match options.style {
        Style::Tini => None,
        Style::Init | Style::DumbInit => process::working_directory().ok(),
    };
    if directory.is_some() {
        // Ignored: without search permission for `/` this process stays where it is.
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
    /// Runs the event loop, and exits.
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
                    // Reading its own signalfd fails only by a seccomp policy.
                    self.log.errno(Message::Signalfd, errno);
                    self.status = 125;
                    break;
                }
            }
        }
        self.terminal.take_back(self.group);
        self.log.number(Message::Reaped, self.reaped);
        let status = self.options.reported_status(self.status);
        #[cfg(feature = "selftest")]
        let status = crate::selftest::verdict(self.options, self.stdio, self.reaped, status);
        end(self.log, self.end, status)
    }

    /// Returns the next signal, or `None` when the timeout expires.
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
            // EINTR and a timeout are handled above.
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
                // Repeated for processes that were being forked meanwhile.
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
            // Children are reaped after every signal; the others are caused by this process's own writes.
            return;
        }
        // If the service has ended, it is reaped first: a signal sent to a zombie would be lost.
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
            // In a container the engine's own grace period applies, unless `-g` is given.
            let grace = self.options.grace.or(self.options.machine.then_some(GRACE));
            self.phase = Phase::Stopping;
            self.until = grace.map_or(NEVER, in_seconds);
        }
        // SIGINT (Ctrl-Alt-Del) and SIGPWR are for init itself; the service gets SIGTERM.
        self.forward(if stop && self.options.machine { Signal::TERM } else { signal });
        if stop && self.stopped {
            self.forward(Signal::CONT);
        }
        if self.options.style == Style::DumbInit && STOP_JOB.has(signal) {
            self.stop_myself();
        }
    }

    /// Forwards a signal to the service, rewritten as the options say.
    #[inline(never)]
    fn forward(&mut self, signal: Signal) {
        let (Some(child), Some(signal)) = (&self.child, self.options.rewritten(signal)) else { return };
        self.log.signal(Message::Forward, signal);
        let continued = signal == Signal::CONT && self.options.style == Style::Init;
        if continued {
            self.stopped = false;
            // A shell may have brought this process to the foreground: the service gets the terminal.
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

    /// Sends a signal to the processes that the service left behind. Process 1 sends it to all processes. A subreaper
    /// sends it to the service's process group, whose number is not reused while a child of this process is in it:
    /// `kill(-1)` would reach all processes of its user.
    fn send_rest(&self, signal: Signal) {
        let target = match self.group {
            _ if self.first => Target::All,
            Some(group) if process::has_child_in(group) => Target::Group(group),
            _ => return,
        };
        // ESRCH: no process is left.
        let _ignored = Current.send_signal(target, signal);
    }

    /// Returns whether the processes that the service left behind have ended.
    fn is_over(&self, childless: bool) -> bool {
        matches!(self.phase, Phase::Leaving | Phase::Killing)
            && self.child.is_none()
            && (childless || !self.first && !self.group.is_some_and(process::has_child_in))
    }

    /// Closes the directory: no restart can follow.
    #[inline(never)]
    fn give_up_directory(&mut self) {
        self.directory = None;
    }

    /// Called when the service has ended and is not restarted.
    fn leave(&mut self) {
        self.give_up_directory();
        self.phase = Phase::Over;
        match self.options.style {
            Style::Tini => {}
            // Without a session of its own the service leads no process group.
            Style::DumbInit if self.options.has(flag::SESSION) => self.send_rest(Signal::TERM),
            Style::DumbInit => {}
            Style::Init => {
                let grace = self.options.grace.unwrap_or(GRACE);
                self.log.number(if self.first { Message::TermToAll } else { Message::TermToGroup }, grace);
                self.send_rest(Signal::TERM);
                // A stopped process does not handle SIGTERM.
                self.send_rest(Signal::CONT);
                self.phase = Phase::Leaving;
                self.until = in_seconds(grace);
            }
        }
    }

    /// Starts the service, or logs why it could not and schedules another attempt.
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
                // Once more, without the terminal.
                Err(SpawnError { at: At::Step(1), .. }) => steps[1] = Step::Nothing,
                started => return started,
            }
        }
    }

    /// Reaps all children that have ended, after what needs their pid. Returns whether no child is left.
    fn reap(&mut self) -> bool {
        loop {
            let found = match Current.try_wait(Children::Any, Changes::ENDED | Changes::STOPPED | Changes::PEEK) {
                Ok(Some(found)) => found,
                Ok(None) => return false,
                Err(errno) => return errno == Errno::ECHILD,
            };
            let ours = self.child.as_ref().is_some_and(|child| child.process() == found.process);
            // An unreaped zombie keeps its pid, and the number of its group.
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

    /// Called when the service was stopped: this process stops too, so that the parent shell takes the terminal back.
    #[inline(never)]
    fn on_stopped(&mut self) {
        self.stopped = true;
        let Some(child) = &self.child else { return };
        if self.options.style != Style::Init {
            return;
        }
        if self.terminal.hand_over(child.process()) {
            // It was stopped because this process had the terminal.
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
