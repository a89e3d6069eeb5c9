//! Any call with any arguments.

use crate::bytes::Bytes;
use rsyscall::Errno;
use rsyscall::fake::{Fault, Kernel, Register, Storage, nr};
use rsyscall::sysif::{Arg, OutSlice, SyscallInterface};
use std::mem::MaybeUninit;
use std::time::Duration;

/// The calls that the fake kernel implements; any other number is like the last of these.
const CALLS: [usize; 22] = [
    nr::EVENTFD2,
    nr::READ,
    nr::WRITE,
    nr::CLOSE,
    nr::DUP,
    nr::DUP3,
    nr::FCNTL,
    nr::IOCTL,
    nr::PPOLL,
    nr::READV,
    nr::PREADV2,
    nr::PREAD64,
    nr::PWRITE64,
    nr::PWRITEV2,
    nr::LSEEK,
    nr::CLOCK_GETTIME,
    nr::EPOLL_CREATE1,
    nr::EPOLL_CTL,
    nr::EPOLL_PWAIT,
    nr::PRLIMIT64,
    nr::UNAME,
    nr::GETPID,
];

const UNTOUCHED: u8 = 0xaa;

/// No argument makes the kernel panic, count to `u64::MAX`, return a file descriptor outside its table, touch memory
/// beyond the result of a `read`, or lose a call from its log.
pub fn calls(data: &[u8]) {
    let mut data = Bytes(data);
    let mut storage = Storage::<6, 4, 8, 4>::new();
    let kernel = Kernel::new(&mut storage).with_version(data.byte().into(), data.byte().into());
    for made in 0.. {
        if data.is_empty() || made == 1_000 {
            break;
        }
        match data.byte() {
            250 => {
                let fault = Fault::error(Errno::from_raw(data.byte().into()).unwrap_or(Errno::EINTR));
                let _full = kernel.inject(fault.at(data.byte().into()));
            }
            251 => {
                let _full = kernel.inject(Fault::short(data.byte().into()).times(data.byte().into()));
            }
            252 => kernel.set_limit(data.value() as usize),
            253 => kernel.advance(Duration::from_nanos(data.value())),
            254 => kernel.forget_calls(),
            255 => kernel.forget_faults(),
            call => one(&kernel, CALLS.get(usize::from(call)).map_or(usize::from(call) << 4, |nr| *nr), &mut data),
        }
        let fds: Vec<_> = kernel.descriptors().collect();
        assert!(fds.len() <= 6 && fds.iter().all(|fd| (0..6).contains(&fd.0)));
        assert!(fds.iter().all(|fd| kernel.count(*fd) != Some(u64::MAX)));
        assert!(kernel.calls().count() <= 8);
    }
}

fn one(kernel: &Kernel<'_>, nr: usize, data: &mut Bytes<'_>) {
    let before = kernel.calls_made();
    let mut memory = [[MaybeUninit::new(UNTOUCHED); 400]; 6];
    let mut words = [0; 6];
    let mut only_written = false;
    let result = {
        let mut vectors: [Vec<OutSlice<'_>>; 6] = Default::default();
        let mut args = [(); 6].map(|()| Arg::Word(0));
        let places = args.iter_mut().zip(&mut memory).zip(&mut vectors).zip(&mut words);
        for (((arg, memory), vector), word) in places {
            let kind = data.byte();
            let len = usize::from(data.byte());
            *arg = match kind % 8 {
                0..=3 => {
                    *word = data.value() as usize;
                    Arg::Word(*word)
                }
                4 => Arg::Out(&mut memory[..len]),
                5 => {
                    let piece = len.clamp(1, 100);
                    vector.extend(memory.chunks_mut(piece).map(OutSlice::new));
                    Arg::OutVec(vector)
                }
                6 => Arg::In(some(&mut memory[..len], data)),
                _ => Arg::InOut(some(&mut memory[..len], data)),
            };
        }
        only_written |= matches!(args[1], Arg::Out(_));
        // SAFETY: a fake kernel reaches no memory that is not an argument.
        unsafe { kernel.syscall(nr, args) }
    };
    assert_eq!(kernel.calls_made(), before + 1);
    let logged = kernel.calls().last().expect("the log has room");
    assert_eq!((logged.nr, logged.result), (nr, Some(result)));
    assert!(logged.args.iter().zip(words).all(|(arg, word)| match arg {
        Register::Word(logged) => *logged == word,
        Register::Memory { len, .. } => *len <= 400 * 16,
        Register::Unset => false,
    }));
    assert!(!logged.to_string().is_empty());
    if let (nr::READ, Ok(len), true) = (nr, result, only_written) {
        // SAFETY: every byte was initialised when the memory was made.
        assert!(memory[1].iter().skip(len).all(|byte| unsafe { byte.assume_init() } == UNTOUCHED));
    }
}

fn some<'m>(memory: &'m mut [MaybeUninit<u8>], data: &mut Bytes<'_>) -> &'m mut [u8] {
    // The first bytes matter: a value, a `timespec`, an entry of a poll.
    for byte in memory.iter_mut().take(16) {
        *byte = MaybeUninit::new(data.byte());
    }
    // SAFETY: every byte was initialised when the memory was made.
    unsafe { &mut *(std::ptr::from_mut(memory) as *mut [u8]) }
}
