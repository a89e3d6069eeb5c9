//! Error numbers of system calls: names, messages, and decoding of return values.
//!
//! ```
//! use rsyscall::{Errno, EventFd, EventfdFlags};
//!
//! let bell = EventFd::new(0, EventfdFlags::NONBLOCK)?;
//! assert_eq!(bell.read(), Err(Errno::EAGAIN));
//! # Ok::<(), Errno>(())
//! ```

use core::fmt;
use core::num::NonZero;

/// An error number of the kernel, 1..=4095.
///
/// `Debug` prints the name (`EAGAIN`), `Display` the message and the name.
///
/// ```
/// use rsyscall::Errno;
///
/// assert_eq!(Errno::EAGAIN.raw(), 11);
/// assert_eq!(format!("{:?}", Errno::EAGAIN), "EAGAIN");
/// assert_eq!(Errno::EAGAIN.to_string(), "Resource temporarily unavailable (EAGAIN)");
/// ```
///
/// # Source
///
/// [errno(3)](https://man7.org/linux/man-pages/man3/errno.3.html); `include/uapi/asm-generic/errno.h`.
// As wide as a file descriptor, so that a `Result` of the two is returned in a pair of registers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Errno(NonZero<i32>);

/// The largest error number, the kernel's `MAX_ERRNO`.
const MAX: i32 = 4095;

impl Errno {
    /// Decodes the raw return value of a system call: −4095..=−1 are errors.
    ///
    /// ```
    /// use rsyscall::Errno;
    ///
    /// assert_eq!(Errno::from_ret(8), Ok(8));
    /// assert_eq!(Errno::from_ret(-11_isize as usize), Err(Errno::EAGAIN));
    /// assert!(Errno::from_ret(-4095_isize as usize).is_err());
    /// assert!(Errno::from_ret(-4096_isize as usize).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// The error that the value encodes.
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "an error's negation is at most 4095"
    )]
    pub const fn from_ret(ret: usize) -> Result<usize, Self> {
        /// As unsigned integers, the errors are the highest values.
        const LOWEST: usize = Errno::constant(MAX).into_ret();
        if ret < LOWEST {
            return Ok(ret);
        }
        // SAFETY: the word is −4095..=−1 here, so its negation is 1..=4095: not zero.
        Err(Self(unsafe { NonZero::new_unchecked(ret.wrapping_neg() as i32) }))
    }

    /// Returns the raw return value of a system call that fails with this error; the inverse of
    /// [`from_ret`](Self::from_ret).
    ///
    /// ```
    /// use rsyscall::Errno;
    ///
    /// assert_eq!(Errno::EINVAL.into_ret(), -22_isize as usize);
    /// ```
    #[inline(always)]
    #[expect(clippy::cast_sign_loss, reason = "sign extension is what makes it an error")]
    pub const fn into_ret(self) -> usize {
        self.0.get().wrapping_neg() as usize
    }

    /// Creates a named error; all numbers in the table below are above zero.
    const fn constant(raw: i32) -> Self {
        match NonZero::new(raw) {
            Some(raw) => Self(raw),
            None => Self(NonZero::<i32>::MIN),
        }
    }

    /// Returns the error with this number, or `None` if it is not in 1..=4095.
    ///
    /// ```
    /// use rsyscall::Errno;
    ///
    /// assert_eq!(Errno::from_raw(11), Some(Errno::EAGAIN));
    /// assert_eq!(Errno::from_raw(0), None);
    /// assert_eq!(Errno::from_raw(4096), None);
    /// ```
    #[inline]
    pub const fn from_raw(raw: i32) -> Option<Self> {
        match NonZero::new(raw) {
            Some(number) if raw > 0 && raw <= MAX => Some(Self(number)),
            _ => None,
        }
    }

    /// Returns the number, 1..=4095, the value of `errno` in C.
    #[inline]
    #[doc(alias = "raw_os_error")]
    pub const fn raw(self) -> i32 {
        self.0.get()
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => f.debug_tuple("Errno").field(&self.raw()).finish(),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.message(), self.name()) {
            (Some(message), Some(name)) => write!(f, "{message} ({name})"),
            _ => write!(f, "Unknown error {}", self.raw()),
        }
    }
}

impl core::error::Error for Errno {}

macro_rules! errnos {
    ($($name:ident = $raw:literal, $message:literal;)*) => {
        impl Errno {
            $(
                #[doc = $message]
                pub const $name: Self = Self::constant($raw);
            )*

            /// Returns the C name, or `None` for a number without a name.
            ///
            /// ```
            /// assert_eq!(rsyscall::Errno::EBADF.name(), Some("EBADF"));
            /// ```
            #[doc(alias = "strerrorname_np")]
            pub const fn name(self) -> Option<&'static str> {
                self.text(0)
            }

            /// Returns the message of `strerror`, or `None` for a number without a name.
            ///
            /// ```
            /// assert_eq!(rsyscall::Errno::EBADF.message(), Some("Bad file descriptor"));
            /// ```
            #[doc(alias = "strerror")]
            pub const fn message(self) -> Option<&'static str> {
                self.text(1)
            }
        }

        /// The numbers, and in the same order their names and messages. A table of pointers would need relocations in
        /// every program that prints an error, and a `match` is 1.7 KiB of code.
        const NUMBERS: &[u8] = &[$($raw),*];
        const TEXTS: &str = concat!($(stringify!($name), "\0", $message, "\0",)*);
    };
}

impl Errno {
    /// Returns the name (0) or the message (1). It is optimised for size.
    #[cold]
    #[inline(never)]
    const fn text(self, which: usize) -> Option<&'static str> {
        let (mut numbers, mut before) = (NUMBERS, which);
        loop {
            match numbers {
                [number, ..] if *number as i32 == self.0.get() => break,
                [_, rest @ ..] => numbers = rest,
                [] => return None,
            }
            before = before.wrapping_add(2);
        }
        let mut texts = TEXTS.as_bytes();
        while before > 0 {
            match texts {
                [byte, rest @ ..] => {
                    texts = rest;
                    before = before.wrapping_sub((*byte == 0) as usize);
                }
                [] => return None,
            }
        }
        let mut length: usize = 0;
        let mut rest = texts;
        while let [byte, more @ ..] = rest {
            if *byte == 0 {
                break;
            }
            length = length.wrapping_add(1);
            rest = more;
        }
        let (text, _) = texts.split_at(length);
        // SAFETY: part of a string, delimited by NUL bytes, which are character boundaries.
        Some(unsafe { core::str::from_utf8_unchecked(text) })
    }

    /// An alias of [`EAGAIN`](Self::EAGAIN).
    pub const EWOULDBLOCK: Self = Self::EAGAIN;
    /// An alias of [`EDEADLK`](Self::EDEADLK).
    pub const EDEADLOCK: Self = Self::EDEADLK;
    /// An alias of [`EOPNOTSUPP`](Self::EOPNOTSUPP).
    pub const ENOTSUP: Self = Self::EOPNOTSUPP;
}

// The numbers of `asm-generic`, which all architectures of this crate use.
errnos! {
    EPERM = 1, "Operation not permitted";
    ENOENT = 2, "No such file or directory";
    ESRCH = 3, "No such process";
    EINTR = 4, "Interrupted system call";
    EIO = 5, "Input/output error";
    ENXIO = 6, "No such device or address";
    E2BIG = 7, "Argument list too long";
    ENOEXEC = 8, "Exec format error";
    EBADF = 9, "Bad file descriptor";
    ECHILD = 10, "No child processes";
    EAGAIN = 11, "Resource temporarily unavailable";
    ENOMEM = 12, "Cannot allocate memory";
    EACCES = 13, "Permission denied";
    EFAULT = 14, "Bad address";
    ENOTBLK = 15, "Block device required";
    EBUSY = 16, "Device or resource busy";
    EEXIST = 17, "File exists";
    EXDEV = 18, "Invalid cross-device link";
    ENODEV = 19, "No such device";
    ENOTDIR = 20, "Not a directory";
    EISDIR = 21, "Is a directory";
    EINVAL = 22, "Invalid argument";
    ENFILE = 23, "Too many open files in system";
    EMFILE = 24, "Too many open files";
    ENOTTY = 25, "Inappropriate ioctl for device";
    ETXTBSY = 26, "Text file busy";
    EFBIG = 27, "File too large";
    ENOSPC = 28, "No space left on device";
    ESPIPE = 29, "Illegal seek";
    EROFS = 30, "Read-only file system";
    EMLINK = 31, "Too many links";
    EPIPE = 32, "Broken pipe";
    EDOM = 33, "Numerical argument out of domain";
    ERANGE = 34, "Numerical result out of range";
    EDEADLK = 35, "Resource deadlock avoided";
    ENAMETOOLONG = 36, "File name too long";
    ENOLCK = 37, "No locks available";
    ENOSYS = 38, "Function not implemented";
    ENOTEMPTY = 39, "Directory not empty";
    ELOOP = 40, "Too many levels of symbolic links";
    ENOMSG = 42, "No message of desired type";
    EIDRM = 43, "Identifier removed";
    ECHRNG = 44, "Channel number out of range";
    EL2NSYNC = 45, "Level 2 not synchronized";
    EL3HLT = 46, "Level 3 halted";
    EL3RST = 47, "Level 3 reset";
    ELNRNG = 48, "Link number out of range";
    EUNATCH = 49, "Protocol driver not attached";
    ENOCSI = 50, "No CSI structure available";
    EL2HLT = 51, "Level 2 halted";
    EBADE = 52, "Invalid exchange";
    EBADR = 53, "Invalid request descriptor";
    EXFULL = 54, "Exchange full";
    ENOANO = 55, "No anode";
    EBADRQC = 56, "Invalid request code";
    EBADSLT = 57, "Invalid slot";
    EBFONT = 59, "Bad font file format";
    ENOSTR = 60, "Device not a stream";
    ENODATA = 61, "No data available";
    ETIME = 62, "Timer expired";
    ENOSR = 63, "Out of streams resources";
    ENONET = 64, "Machine is not on the network";
    ENOPKG = 65, "Package not installed";
    EREMOTE = 66, "Object is remote";
    ENOLINK = 67, "Link has been severed";
    EADV = 68, "Advertise error";
    ESRMNT = 69, "Srmount error";
    ECOMM = 70, "Communication error on send";
    EPROTO = 71, "Protocol error";
    EMULTIHOP = 72, "Multihop attempted";
    EDOTDOT = 73, "RFS specific error";
    EBADMSG = 74, "Bad message";
    EOVERFLOW = 75, "Value too large for defined data type";
    ENOTUNIQ = 76, "Name not unique on network";
    EBADFD = 77, "File descriptor in bad state";
    EREMCHG = 78, "Remote address changed";
    ELIBACC = 79, "Can not access a needed shared library";
    ELIBBAD = 80, "Accessing a corrupted shared library";
    ELIBSCN = 81, ".lib section in a.out corrupted";
    ELIBMAX = 82, "Attempting to link in too many shared libraries";
    ELIBEXEC = 83, "Cannot exec a shared library directly";
    EILSEQ = 84, "Invalid or incomplete multibyte or wide character";
    ERESTART = 85, "Interrupted system call should be restarted";
    ESTRPIPE = 86, "Streams pipe error";
    EUSERS = 87, "Too many users";
    ENOTSOCK = 88, "Socket operation on non-socket";
    EDESTADDRREQ = 89, "Destination address required";
    EMSGSIZE = 90, "Message too long";
    EPROTOTYPE = 91, "Protocol wrong type for socket";
    ENOPROTOOPT = 92, "Protocol not available";
    EPROTONOSUPPORT = 93, "Protocol not supported";
    ESOCKTNOSUPPORT = 94, "Socket type not supported";
    EOPNOTSUPP = 95, "Operation not supported";
    EPFNOSUPPORT = 96, "Protocol family not supported";
    EAFNOSUPPORT = 97, "Address family not supported by protocol";
    EADDRINUSE = 98, "Address already in use";
    EADDRNOTAVAIL = 99, "Cannot assign requested address";
    ENETDOWN = 100, "Network is down";
    ENETUNREACH = 101, "Network is unreachable";
    ENETRESET = 102, "Network dropped connection on reset";
    ECONNABORTED = 103, "Software caused connection abort";
    ECONNRESET = 104, "Connection reset by peer";
    ENOBUFS = 105, "No buffer space available";
    EISCONN = 106, "Transport endpoint is already connected";
    ENOTCONN = 107, "Transport endpoint is not connected";
    ESHUTDOWN = 108, "Cannot send after transport endpoint shutdown";
    ETOOMANYREFS = 109, "Too many references: cannot splice";
    ETIMEDOUT = 110, "Connection timed out";
    ECONNREFUSED = 111, "Connection refused";
    EHOSTDOWN = 112, "Host is down";
    EHOSTUNREACH = 113, "No route to host";
    EALREADY = 114, "Operation already in progress";
    EINPROGRESS = 115, "Operation now in progress";
    ESTALE = 116, "Stale file handle";
    EUCLEAN = 117, "Structure needs cleaning";
    ENOTNAM = 118, "Not a XENIX named type file";
    ENAVAIL = 119, "No XENIX semaphores available";
    EISNAM = 120, "Is a named type file";
    EREMOTEIO = 121, "Remote I/O error";
    EDQUOT = 122, "Disk quota exceeded";
    ENOMEDIUM = 123, "No medium found";
    EMEDIUMTYPE = 124, "Wrong medium type";
    ECANCELED = 125, "Operation canceled";
    ENOKEY = 126, "Required key not available";
    EKEYEXPIRED = 127, "Key has expired";
    EKEYREVOKED = 128, "Key has been revoked";
    EKEYREJECTED = 129, "Key was rejected by service";
    EOWNERDEAD = 130, "Owner died";
    ENOTRECOVERABLE = 131, "State not recoverable";
    ERFKILL = 132, "Operation not possible due to RF-kill";
    EHWPOISON = 133, "Memory page has hardware error";
}
