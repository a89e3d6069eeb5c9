//! Stops a child at its system calls, one after the other (`ptrace`): to act on it at the n-th stop, and to record the
//! calls that it has made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// What is done to the child at a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// `SIGKILL`.
    Kill,
    /// It stays stopped until [`Tracer::release`], which the caller calls when it has given up.
    Hold,
    /// It stays stopped for a moment.
    Pause,
    /// `SIGURG`, which interrupts a sleeping call.
    Interrupt,
}

/// The n-th stop, counted from 1, and what is done there.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Which stop: each call has one before it and one after it.
    pub nth: usize,
    /// What is done.
    pub act: Act,
}

/// A stop: before a call (`ret` is `None`) or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The call's number.
    pub nr: usize,
    /// Its first two arguments.
    pub args: [u64; 2],
    /// What it returned.
    pub ret: Option<i64>,
}

/// What was recorded.
#[derive(Debug, Clone)]
pub struct Traced {
    /// Whether the step was reached.
    pub reached: bool,
    /// Every stop, also after the step (unless it was [`Act::Kill`]).
    pub stops: Vec<Stop>,
}

impl Traced {
    /// Whether a call of this number returned without an error.
    pub fn made(&self, nr: usize) -> bool {
        self.stops.iter().any(|stop| stop.nr == nr && matches!(stop.ret, Some(ret) if ret >= 0))
    }

    /// How many calls of this number returned without an error.
    pub fn count(&self, nr: usize) -> usize {
        self.stops.iter().filter(|stop| stop.nr == nr && matches!(stop.ret, Some(ret) if ret >= 0)).count()
    }
}

/// A thread that traces a child of this process.
pub struct Tracer {
    thread: JoinHandle<Traced>,
    released: Arc<AtomicBool>,
    finished: Arc<AtomicBool>,
}

// linux/ptrace.h
const CONT_TO_CALL: libc::c_long = 24;
const DETACH: libc::c_long = 17;
const SEIZE: libc::c_long = 0x4206;
const INTERRUPT: libc::c_long = 0x4207;
const GET_SYSCALL_INFO: libc::c_long = 0x420e;
const TRACESYSGOOD: libc::c_long = 1;
const WALL: i32 = 0x4000_0000;

fn ptrace(request: libc::c_long, pid: i32, address: libc::c_long, data: libc::c_long) -> Result<i64, i32> {
    // SAFETY: the requests used here write no memory but the structure of `syscall_info`, which has the given size.
    let ret = unsafe { libc::syscall(libc::SYS_ptrace, request, libc::c_long::from(pid), address, data) };
    if ret < 0 { Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { Ok(ret) }
}

enum State {
    Runs,
    /// With the status that `waitid` returns.
    Stopped(i32),
    Ended,
}

/// Does not reap the child, so that its parent still can.
fn state(pid: i32) -> State {
    // SAFETY: all zeros are a `siginfo_t`.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT | libc::WNOHANG | WALL;
    // SAFETY: it writes the structure.
    let ret = unsafe { libc::waitid(libc::P_PID, pid as libc::id_t, &mut info, options) };
    // SAFETY: the fields of a child's signal, or zeros.
    let (found, status) = unsafe { (info.si_pid(), info.si_status()) };
    match (ret, info.si_code) {
        (0, _) if found == 0 => State::Runs,
        (0, libc::CLD_TRAPPED | libc::CLD_STOPPED) => State::Stopped(status),
        _ => State::Ended,
    }
}

/// `struct ptrace_syscall_info`, as far as it is used: the kind of stop, the number or the result, and the first two
/// arguments.
fn syscall_info(pid: i32) -> Option<(u8, i64, [u64; 2])> {
    let mut info = [0_u64; 16];
    ptrace(GET_SYSCALL_INFO, pid, size_of_val(&info) as libc::c_long, info.as_mut_ptr().expose_provenance() as _)
        .ok()?;
    Some((info[0].to_le_bytes()[0], info[3] as i64, [info[4], info[5]]))
}

fn kill(pid: i32, signal: i32) {
    // SAFETY: an unreaped child, or an error.
    let _gone = unsafe { libc::kill(pid, signal) };
}

impl Tracer {
    /// Starts to trace, and returns when the child will stop at its next system call. The error is that of `ptrace`,
    /// which emulators do not support.
    pub fn start(pid: i32, step: Step) -> Result<Self, i32> {
        let released = Arc::new(AtomicBool::new(false));
        let finished = Arc::new(AtomicBool::new(false));
        let (ready, begun) = channel();
        let (let_go, end) = (Arc::clone(&released), Arc::clone(&finished));
        let thread = spawn(move || {
            let begin = || {
                ptrace(SEIZE, pid, 0, TRACESYSGOOD)?;
                ptrace(INTERRUPT, pid, 0, 0)?;
                while matches!(state(pid), State::Runs) {
                    std::thread::yield_now();
                }
                syscall_info(pid).ok_or(libc::EIO)?;
                ptrace(CONT_TO_CALL, pid, 0, 0)
            };
            let begun = begin();
            ready.send(begun.map(drop)).expect("the starter waits");
            let mut traced = Traced { reached: false, stops: Vec::new() };
            if begun.is_ok() {
                trace(pid, step, &let_go, &end, &mut traced);
            }
            traced
        });
        begun.recv().expect("the thread sends a result")?;
        Ok(Self { thread, released, finished })
    }

    /// Continues the child of [`Act::Hold`].
    pub fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
    }

    /// Ends the tracing, if the child has not ended: it continues untraced.
    pub fn finish(self) -> Traced {
        self.release();
        self.finished.store(true, Ordering::SeqCst);
        self.thread.join().expect("the tracer does not panic")
    }
}

fn trace(pid: i32, step: Step, released: &AtomicBool, finished: &AtomicBool, traced: &mut Traced) {
    const CALL_STOP: i32 = libc::SIGTRAP | 0x80;
    /// An event, such as that of `PTRACE_INTERRUPT`, is in the bits above the signal.
    const EVENT: i32 = 0xff00;
    let mut interrupted = false;
    let mut entered = (0, [0; 2]);
    loop {
        let deliver = match state(pid) {
            State::Ended => return,
            State::Runs => {
                if finished.load(Ordering::SeqCst) && !interrupted {
                    interrupted = true;
                    let _ended = ptrace(INTERRUPT, pid, 0, 0);
                }
                sleep(Duration::from_micros(30));
                continue;
            }
            State::Stopped(CALL_STOP) => {
                let ret = match syscall_info(pid) {
                    Some((1, nr, args)) => {
                        entered = (nr as usize, args);
                        None
                    }
                    Some((_, ret, _)) => Some(ret),
                    None => return,
                };
                traced.stops.push(Stop { nr: entered.0, args: entered.1, ret });
                if !traced.reached && traced.stops.len() == step.nth {
                    traced.reached = true;
                    match step.act {
                        Act::Kill => return kill(pid, libc::SIGKILL),
                        Act::Pause => sleep(Duration::from_millis(1)),
                        Act::Interrupt => kill(pid, libc::SIGURG),
                        Act::Hold => {
                            let start = Instant::now();
                            while !released.load(Ordering::SeqCst) && start.elapsed() < Duration::from_secs(60) {
                                sleep(Duration::from_micros(100));
                            }
                        }
                    }
                }
                0
            }
            State::Stopped(status) if status & EVENT != 0 => 0,
            State::Stopped(signal) => signal,
        };
        if finished.load(Ordering::SeqCst) {
            let _ended = ptrace(DETACH, pid, 0, libc::c_long::from(deliver));
            return;
        }
        let _ended = ptrace(CONT_TO_CALL, pid, 0, libc::c_long::from(deliver));
    }
}
