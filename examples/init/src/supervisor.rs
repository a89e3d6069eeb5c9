//! The loop: one epoll over the signals, the service's end, and the bell that says "stop".

use crate::log::Line;
use crate::service::{Next, Restart, Service};
use crate::sys::{self, ALL, SIGCHLD, SIGCONT, SIGINT, SIGKILL, SIGTERM};
use core::mem::MaybeUninit;
use core::time::Duration;
use rsyscall::fd::OwnedFd;
use rsyscall::near::{SignalSet, Timespec, clock_monotonic};
use rsyscall::sys::epoll::{Epoll, EpollEvents};
use rsyscall::sysif::Local;
use rsyscall::{Errno, EventFd, EventfdFlags};

/// What was asked for.
pub struct Rules {
    /// Whether to say what goes on.
    pub talk: bool,
    pub restart: Restart,
    /// Seconds between asking everyone to end and making them.
    pub grace: u32,
}

/// How it ended.
pub struct End {
    /// The service's last status.
    pub status: i32,
    /// How many processes were taken leave of.
    pub reaped: u32,
    /// Whether the kernel says that there is no child any more, running or zombie.
    pub no_child_left: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// Everyone was asked to end.
    Stopping,
    /// Everyone was made to.
    Killing,
}

pub struct Supervisor {
    rules: Rules,
    service: Service,
    epoll: Epoll,
    signals: OwnedFd,
    /// Rung to stop, by whatever part of the program wants that: the loop then does it when it is safe to.
    bell: EventFd,
    phase: Phase,
    /// When to start the service again, or to lose patience.
    alarm: Option<Timespec>,
    reaped: u32,
}

// Whose event it is.
const SIGNALS: u64 = 0;
const BELL: u64 = 1;
const SERVICE: u64 = 2;

impl Supervisor {
    pub fn new(rules: Rules, service: Service) -> Result<Self, Errno> {
        // A blocked signal is kept for the signalfd, even for PID 1, to which the kernel delivers no signal that has no handler.
        sys::block(SignalSet::ALL);
        let signals = sys::signalfd(SignalSet::ALL)?;
        let bell = EventFd::new(0, EventfdFlags::empty())?;
        let epoll = Epoll::new()?;
        epoll.add(&signals, EpollEvents::IN, SIGNALS)?;
        epoll.add(&bell, EpollEvents::IN, BELL)?;
        Ok(Self { rules, service, epoll, signals, bell, phase: Phase::Running, alarm: None, reaped: 0 })
    }

    pub fn run(mut self) -> Result<End, Errno> {
        self.start()?;
        let mut memory = [const { MaybeUninit::uninit() }; 4];
        loop {
            let time = self.alarm.map(time_until).transpose()?;
            let events = match self.epoll.pwait(&mut memory, time, None) {
                // No handler ever runs, but being stopped and continued is an interruption too.
                Err(Errno::EINTR) => &[],
                events => events?,
            };
            for event in events {
                match event.data() {
                    BELL => {
                        self.bell.read()?;
                        self.stop()?;
                    }
                    SIGNALS => {
                        while let Some(signal) = sys::next_signal(&self.signals) {
                            self.signal(signal)?;
                        }
                    }
                    // The service has ended.
                    _ => self.reap()?,
                }
            }
            if self.alarm.is_some_and(|alarm| matches!(time_until(alarm), Ok(Duration::ZERO))) {
                self.alarm = None;
                match self.phase {
                    Phase::Running => self.start()?,
                    // A subreaper does not reach everyone: who is left is left to the next one.
                    Phase::Killing if sys::getpid() != 1 => return Ok(self.end(false)),
                    _ => self.kill()?,
                }
            }
            // Everyone's parent in the end is this process: no child left is no one left.
            if self.phase != Phase::Running && self.reap_all()? {
                self.say(b"init: all have ended, processes taken leave of: ", self.reaped);
                return Ok(self.end(true));
            }
        }
    }

    fn end(&self, no_child_left: bool) -> End {
        End { status: self.service.status, reaped: self.reaped, no_child_left }
    }

    fn start(&mut self) -> Result<(), Errno> {
        self.service.start(clock_monotonic(&Local)?)?;
        if let Some(pidfd) = &self.service.pidfd {
            self.epoll.add(pidfd, EpollEvents::IN, SERVICE)?;
        }
        self.say(b"init: the service runs as process ", self.service.process as u32);
        Ok(())
    }

    fn signal(&mut self, signal: u32) -> Result<(), Errno> {
        match signal {
            SIGCHLD => self.reap(),
            SIGTERM | SIGINT => {
                self.say(b"init: told to stop, by signal ", signal);
                match self.phase {
                    Phase::Running => self.bell.write(1),
                    // Told twice: no more patience.
                    _ => self.kill(),
                }
            }
            _ => {
                if self.service.process != 0 {
                    self.say(b"init: the service is told of signal ", signal);
                    // It may just have ended; until it is reaped the number is nobody else's.
                    let _ended = sys::kill(self.service.process, signal);
                }
                Ok(())
            }
        }
    }

    fn reap(&mut self) -> Result<(), Errno> {
        self.reap_all().map(drop)
    }

    /// Takes leave of everyone who has ended: whether there is no child left.
    fn reap_all(&mut self) -> Result<bool, Errno> {
        loop {
            match sys::reap() {
                Ok(None) => return Ok(false),
                Err(Errno::ECHILD) => return Ok(true),
                Err(error) => return Err(error),
                Ok(Some((process, status))) => {
                    self.reaped += 1;
                    if process == self.service.process {
                        self.service_ended(status)?;
                    }
                }
            }
        }
    }

    fn service_ended(&mut self, status: sys::Status) -> Result<(), Errno> {
        let now = clock_monotonic(&Local)?;
        let next = self.service.ended(status, now, self.rules.restart);
        self.say(b"init: the service has ended with status ", self.service.status as u32);
        if self.phase != Phase::Running {
            return Ok(());
        }
        match next {
            Next::Stop => self.bell.write(1),
            Next::Start => self.start(),
            Next::StartLater => {
                self.say(b"init: it is started again in a second, after status ", self.service.status as u32);
                self.alarm_in(1)
            }
        }
    }

    /// Asks everyone to end.
    fn stop(&mut self) -> Result<(), Errno> {
        if self.phase != Phase::Running {
            return Ok(());
        }
        self.phase = Phase::Stopping;
        self.say(b"init: everyone is asked to end, within seconds: ", self.rules.grace);
        self.send(SIGTERM);
        // Who is stopped cannot end.
        self.send(SIGCONT);
        self.alarm_in(self.rules.grace)
    }

    /// Makes everyone end.
    fn kill(&mut self) -> Result<(), Errno> {
        self.phase = Phase::Killing;
        self.say(b"init: everyone is made to end, by signal ", SIGKILL);
        self.send(SIGKILL);
        // Someone who was just being started when the signal went round is met the next time.
        self.alarm_in(1)
    }

    /// To everyone, if this is PID 1. A subreaper must not: "everyone" would be the whole session of its user. It reaches the
    /// service's group; who has left that is taken leave of when it ends by itself, or left to the next reaper.
    fn send(&self, signal: u32) {
        let whom = if sys::getpid() == 1 { ALL } else { -self.service.process };
        if whom != 0 {
            // ESRCH: nobody is left, which is what is wanted.
            let _nobody = sys::kill(whom, signal);
        }
    }

    fn alarm_in(&mut self, seconds: u32) -> Result<(), Errno> {
        let time = Timespec { seconds: seconds.into(), nanoseconds: 0 };
        self.alarm = Some(clock_monotonic(&Local)?.saturating_add(time));
        Ok(())
    }

    fn say(&self, text: &[u8], number: u32) {
        if self.rules.talk {
            Line::new(text).number(number).print(2);
        }
    }
}

/// What is left until then, in whole milliseconds.
fn time_until(alarm: Timespec) -> Result<Duration, Errno> {
    Ok(match alarm.checked_sub(clock_monotonic(&Local)?) {
        Some(left) => Duration::from_millis(left.seconds as u64 * 1000 + left.nanoseconds as u64 / 1_000_000 + 1),
        None => Duration::ZERO,
    })
}
