//! For programs without std: standard input, output and error, without an allocator.
//!
//! Text is formatted with the macros of `core`, `write!` and `writeln!`:
//!
//! ```
//! use rsyscall::sys::stdio::Stdio;
//! use rsyscall::{Errno, EventFd, EventfdFlags};
//!
//! fn run(stdio: Stdio) -> Result<(), Errno> {
//!     let bell = EventFd::new(5, EventfdFlags::empty())?;
//!     writeln!(stdio.output(), "{}", bell.read()?)
//! }
//! ```
//!
//! A process can be started with any of the three closed. The next file descriptor that it opens would then be 0, 1 or
//! 2, and text would be written into that file. Therefore only [`start!`](crate::start!) passes a [`Stdio`] to `main`,
//! after it has opened `/dev/null` for each of the three that was closed.
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::STDIO`].

use crate::Errno;
use crate::near::{self, FileDescriptor};
use crate::nr;
use crate::sysif::{Arg, Local, SyscallInterface};
use crate::task::Current;
use core::fmt;
use core::mem::MaybeUninit;

/// Standard input, output and error of this process: file descriptors 0, 1 and 2, which stay open.
///
/// `main` takes it as a parameter: see [`start!`](crate::start!).
#[derive(Debug, Clone, Copy)]
pub struct Stdio {
    // Created only by the unsafe function.
    _private: (),
}

impl Stdio {
    /// Creates the value in a program that does not begin with [`start!`](crate::start!), such as one with std, which
    /// opens closed standard file descriptors before `main`.
    ///
    /// ```
    /// use rsyscall::sys::stdio::Stdio;
    ///
    /// // SAFETY: std opened them before `main` if they were closed.
    /// let stdio = unsafe { Stdio::assume_open() };
    /// writeln!(stdio.error(), "{} of {}", 3, 4)?;
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Safety
    ///
    /// File descriptors 0, 1 and 2 have been open since the program began, and nothing in it owns or closes them.
    #[inline(always)]
    pub const unsafe fn assume_open() -> Self {
        Self { _private: () }
    }

    /// Returns standard input.
    #[inline(always)]
    #[doc(alias = "stdin")]
    pub const fn input(self) -> Input {
        Input { _private: () }
    }

    /// Returns standard output.
    #[inline(always)]
    #[doc(alias = "stdout")]
    pub const fn output(self) -> Output {
        Output { fd: FileDescriptor(1) }
    }

    /// Returns standard error.
    #[inline(always)]
    #[doc(alias = "stderr")]
    pub const fn error(self) -> Output {
        Output { fd: FileDescriptor(2) }
    }
}

/// Standard input.
#[derive(Debug, Clone, Copy)]
pub struct Input {
    _private: (),
}

impl Input {
    /// Reads into `buffer` by one call. Returns the number of bytes read: 0 at the end of the file, or, as in std, if
    /// standard input is not open for reading (`EBADF`).
    ///
    /// System calls: `read`.
    ///
    /// # Errors
    ///
    /// `EINTR`, `EAGAIN`, `EIO`, `EISDIR` and other errors of the file.
    ///
    /// # Source
    ///
    /// [read(2)](https://man7.org/linux/man-pages/man2/read.2.html).
    #[inline]
    pub fn read(self, buffer: &mut [u8]) -> Result<usize, Errno> {
        let bytes = core::ptr::from_mut(buffer) as *mut [MaybeUninit<u8>];
        // SAFETY: the same memory, of which `read` writes only initialised bytes.
        let bytes = unsafe { &mut *bytes };
        // SAFETY: open for as long as the program runs.
        match unsafe { near::read(&Local, FileDescriptor(0), bytes) } {
            Err(Errno::EBADF) => Ok(0),
            result => result.map(|read| read.len()),
        }
    }

    /// Returns the file descriptor.
    #[inline(always)]
    pub const fn near(self) -> FileDescriptor {
        FileDescriptor(0)
    }
}

/// Standard output or standard error.
///
/// A file descriptor that is not open for writing (`EBADF`) discards everything, as in std.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    fd: FileDescriptor,
}

impl Output {
    /// Writes all of `bytes`, and continues after a signal handler.
    ///
    /// System calls: `write`.
    ///
    /// # Errors
    ///
    /// `EAGAIN`: it is nonblocking and there is no room; some of the bytes may have been written. `EPIPE`, `ENOSPC`,
    /// `EIO` and other errors of the file.
    ///
    /// # Source
    ///
    /// [write(2)](https://man7.org/linux/man-pages/man2/write.2.html).
    #[inline]
    pub fn write_all(self, mut bytes: &[u8]) -> Result<(), Errno> {
        while !bytes.is_empty() {
            // SAFETY: open for as long as the program runs.
            match unsafe { near::write(&Local, self.fd, bytes) } {
                Ok(0) => return Err(Errno::EIO),
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(Errno::EINTR) => {}
                Err(Errno::EBADF) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes formatted text; `write!` and `writeln!` call it. Up to 512 bytes are written by one system call, so that
    /// lines of several processes do not interleave.
    ///
    /// System calls: `write`.
    ///
    /// # Errors
    ///
    /// Those of [`write_all`](Self::write_all). `EIO`: a value's formatting failed without an error of a write.
    #[inline]
    pub fn write_fmt(self, text: fmt::Arguments<'_>) -> Result<(), Errno> {
        let mut buffer = Buffer { output: self, bytes: [0; 512], filled: 0, error: None };
        let formatted = fmt::write(&mut buffer, text);
        match (buffer.error, formatted) {
            (Some(error), _) => Err(error),
            (None, Err(fmt::Error)) => Err(Errno::EIO),
            (None, Ok(())) => buffer.flush(),
        }
    }

    /// Returns the file descriptor.
    #[inline(always)]
    pub const fn near(self) -> FileDescriptor {
        self.fd
    }
}

/// For code that writes to any [`fmt::Write`], which loses the errno.
impl fmt::Write for Output {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// Collects the parts of a formatted text.
struct Buffer {
    output: Output,
    bytes: [u8; 512],
    filled: usize,
    error: Option<Errno>,
}

impl Buffer {
    #[inline]
    fn flush(&mut self) -> Result<(), Errno> {
        let bytes = self.bytes.get(..self.filled).unwrap_or_default();
        self.filled = 0;
        self.output.write_all(bytes)
    }
}

impl fmt::Write for Buffer {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.filled == self.bytes.len() {
                self.flush().map_err(|error| {
                    self.error = Some(error);
                    fmt::Error
                })?;
            }
            if let Some(free) = self.bytes.get_mut(self.filled) {
                *free = byte;
                self.filled = self.filled.wrapping_add(1);
            }
        }
        Ok(())
    }
}

/// Opens `/dev/null` for each of the file descriptors 0, 1 and 2 that is closed. If there is no `/dev/null`, as in an
/// initramfs, it opens `/` with `O_PATH` instead: the file descriptor is then in use, and reads and writes fail with
/// `EBADF` as before. If that fails too, the process exits with status 101.
///
/// # Safety
///
/// Nothing in the process owns one of the three file descriptors, and there is only this thread.
#[inline]
pub(crate) unsafe fn open_missing() {
    const O_RDWR: u32 = 2;
    // `include/uapi/asm-generic/fcntl.h`.
    const O_PATH: u32 = 0o10000000;
    const AT_FDCWD: i32 = -100;
    let open = |path: &[u8], flags: u32| {
        let args = [AT_FDCWD.into(), Arg::In(path), flags.into(), Arg::Word(0)];
        // SAFETY: the path ends with a zero, and the call only opens a new file descriptor.
        unsafe { Local.syscall(nr::OPENAT, args) }
    };
    for fd in 0..=2 {
        // SAFETY: it only reads a flag.
        if unsafe { near::is_cloexec(&Local, FileDescriptor(fd)) } == Err(Errno::EBADF) {
            // The kernel returns the lowest file descriptor that is closed.
            let opened = open(b"/dev/null\0", O_RDWR).or_else(|_| open(b"/\0", O_PATH));
            if opened.ok().and_then(|opened| i32::try_from(opened).ok()) != Some(fd) {
                Current.exit(101);
            }
        }
    }
}
