//! The service: what is run, and whether it is run again.

use crate::demo;
use crate::start::Strings;
use crate::sys::{self, Status};
use core::ffi::CStr;
use rsyscall::Errno;
use rsyscall::fd::OwnedFd;
use rsyscall::near::{SignalSet, Timespec};

/// What is run.
#[derive(Clone, Copy)]
pub enum Program {
    /// A program with its arguments; one without a slash is looked for in `PATH`.
    Execute { arguments: Strings, environment: Strings },
    /// The service built in.
    Demo { children: u32 },
}

/// When it is run again after it has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    Never,
    OnFailure,
    Always,
}

/// What is to be done after it has ended.
pub enum Next {
    Stop,
    Start,
    StartLater,
}

/// A service that ends sooner than this, in seconds, has ended quickly.
const QUICKLY: i64 = 1;
/// After as many quick ends in a row it is given up.
const TOO_OFTEN: u32 = 5;

pub struct Service {
    program: Program,
    /// Its number while it runs, else 0.
    pub process: i32,
    /// Readable when it has ended. `None` on a kernel without pidfds, where `SIGCHLD` alone has to do.
    pub pidfd: Option<OwnedFd>,
    /// How it ended the last time.
    pub status: i32,
    starts: u32,
    quick_ends: u32,
    started: Timespec,
}

impl Service {
    pub fn new(program: Program) -> Self {
        Self { program, process: 0, pidfd: None, status: 0, starts: 0, quick_ends: 0, started: Timespec::ZERO }
    }

    pub fn start(&mut self, now: Timespec) -> Result<(), Errno> {
        let (program, starts) = (self.program, self.starts);
        self.process = sys::fork(|| {
            // What init blocks for itself the service must not inherit.
            sys::block(SignalSet::EMPTY);
            sys::setsid();
            match program {
                Program::Execute { arguments, environment } => execute(arguments, environment),
                Program::Demo { children } => demo::service(starts, children),
            }
        })?;
        self.pidfd = sys::pidfd_open(self.process).ok();
        self.started = now;
        self.starts += 1;
        Ok(())
    }

    /// It has ended: what now, by the rule?
    pub fn ended(&mut self, status: Status, now: Timespec, rule: Restart) -> Next {
        self.process = 0;
        self.pidfd = None;
        self.status = status.code();
        let quickly = now.seconds - self.started.seconds <= QUICKLY;
        self.quick_ends = if quickly { self.quick_ends + 1 } else { 0 };
        match rule {
            Restart::Never => Next::Stop,
            Restart::OnFailure if self.status == 0 => Next::Stop,
            _ if self.quick_ends >= TOO_OFTEN => Next::Stop,
            _ if quickly => Next::StartLater,
            _ => Next::Start,
        }
    }
}

/// Becomes the program; the status with which the child ends if that cannot be, as a shell has it.
fn execute(arguments: Strings, environment: Strings) -> i32 {
    let Some(program) = arguments.clone().next() else { return 127 };
    let run = |path: &CStr| {
        // SAFETY: both lists came from the kernel.
        unsafe { sys::execve(path, arguments.as_ptr(), environment.as_ptr()) }
    };
    let mut error = Errno::ENOENT;
    if program.to_bytes().contains(&b'/') {
        error = run(program);
    } else {
        let path = environment.clone().find_map(|entry| entry.to_bytes().strip_prefix(b"PATH="));
        for directory in path.unwrap_or(b"/bin:/usr/bin:/sbin:/usr/sbin").split(|&byte| byte == b':') {
            let mut place = [0; 512];
            if let Some(path) = join(&mut place, directory, program.to_bytes()) {
                match run(path) {
                    Errno::ENOENT | Errno::ENOTDIR => {}
                    other => error = other,
                }
            }
        }
    }
    sys::print(2, b"init: the service cannot be executed\n");
    if error == Errno::ENOENT { 127 } else { 126 }
}

/// `directory/name`, if there is room.
fn join<'place>(place: &'place mut [u8], directory: &[u8], name: &[u8]) -> Option<&'place CStr> {
    let mut length = 0;
    for &byte in directory.iter().chain(b"/").chain(name).chain(b"\0") {
        *place.get_mut(length)? = byte;
        length += 1;
    }
    CStr::from_bytes_until_nul(place).ok()
}
