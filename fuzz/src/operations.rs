//! Sequences of the crate's own calls, against a model.

use crate::bytes::Bytes;
use crate::model::Model;
use rsyscall::fake::{Kernel, Storage, nr};
use rsyscall::near::{self, FileDescriptor};
use rsyscall::sysif::SyscallInterface;
use rsyscall::{Errno, EventfdFlags};
use std::mem::MaybeUninit;

const NUMBERS: usize = 5;

/// The fake kernel returns for every sequence what the model returns, and has the model's counts.
pub fn operations(data: &[u8]) {
    let mut data = Bytes(data);
    // As many descriptions as file descriptors: the model has no limit of them.
    let mut storage = Storage::<NUMBERS, NUMBERS, 4, 0>::new();
    let kernel = Kernel::new(&mut storage);
    let mut model = Model::new(NUMBERS);
    while !data.is_empty() {
        let (operation, index) = (data.byte(), usize::from(data.byte()) % (NUMBERS + 1));
        let fd = FileDescriptor(index as i32);
        let (result, expected) = match operation % 11 {
            0 => {
                let (count, flags) = (data.value() as u32, EventfdFlags::from_bits_truncate(flags(index)));
                let result = near::eventfd(&kernel, count, flags).map(|fd| fd.0 as u64);
                let has = |flag| flags.contains(flag);
                let semaphore = has(EventfdFlags::SEMAPHORE);
                (result, model.eventfd(count, semaphore, has(EventfdFlags::NONBLOCK), has(EventfdFlags::CLOEXEC)))
            }
            1 => (read(&kernel, fd), model.read(index, false)),
            2 => (read_nowait(&kernel, fd), model.read(index, true)),
            3 | 4 => {
                let value = data.value();
                // SAFETY: the file descriptors of a fake kernel have no owner.
                let result = unsafe { near::write(&kernel, fd, &value.to_ne_bytes()) };
                (result.map(|len| len as u64), model.write(index, value))
            }
            5 => {
                // SAFETY: as above.
                (unsafe { near::close(&kernel, fd) }.map(|()| 0), model.close(index))
            }
            6 => {
                // SAFETY: as above.
                (unsafe { near::dup_cloexec(&kernel, fd) }.map(|fd| fd.0 as u64), model.dup(index, true))
            }
            7 => {
                // SAFETY: as above.
                let result = unsafe { kernel.syscall(nr::DUP, [fd.into()]) };
                (result.map(|fd| fd as u64), model.dup(index, false))
            }
            8 => {
                let on = data.byte() % 2 == 0;
                // SAFETY: as above.
                let result = unsafe { near::set_nonblocking(&kernel, fd, on) };
                (result.map(|()| 0), model.set_nonblocking(index, on))
            }
            9 => {
                let on = data.byte() % 2 == 0;
                // SAFETY: as above.
                (unsafe { near::set_cloexec(&kernel, fd, on) }.map(|()| 0), model.set_cloexec(index, on))
            }
            _ => {
                // SAFETY: as above.
                let result = unsafe { near::is_cloexec(&kernel, fd) };
                assert_eq!(result.map(u64::from), model.is_cloexec(index));
                // SAFETY: as above.
                (unsafe { near::is_nonblocking(&kernel, fd) }.map(u64::from), model.is_nonblocking(index))
            }
        };
        assert_eq!(result, expected, "operation {} on {index}", operation % 11);
        for fd in 0..NUMBERS {
            assert_eq!(kernel.count(FileDescriptor(fd as i32)), model.count(fd));
        }
    }
}

fn flags(index: usize) -> u32 {
    [0, 0o4000, 1, 0o4001, 0o2000000, 0o2004000].get(index).copied().unwrap_or(0)
}

fn read(kernel: &Kernel<'_>, fd: FileDescriptor) -> Result<u64, Errno> {
    let mut count = [MaybeUninit::uninit(); 8];
    // SAFETY: the file descriptors of a fake kernel have no owner.
    let read = unsafe { near::read(kernel, fd, &mut count) }?;
    Ok(u64::from_ne_bytes(read.try_into().expect("eight bytes")))
}

fn read_nowait(kernel: &Kernel<'_>, fd: FileDescriptor) -> Result<u64, Errno> {
    let mut count = [MaybeUninit::uninit(); 8];
    // SAFETY: the file descriptors of a fake kernel have no owner.
    let read = unsafe { near::read_nowait(kernel, fd, &mut count) }?;
    Ok(u64::from_ne_bytes(read.try_into().expect("eight bytes")))
}
