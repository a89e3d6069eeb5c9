//! The format: what a request and a response are, as bytes.

/// The length of a request: a number and six arguments, in words of 64 bits and in native order.
pub const REQUEST: usize = 56;
/// The length of a response: the kernel's word.
pub const RESPONSE: usize = 8;

/// A request: the call's number and its arguments; those that it does not have are 0.
///
/// ```
/// use rsyscall::remote::{REQUEST, Request};
///
/// let close = Request { nr: rsyscall::nr::CLOSE, args: [7, 0, 0, 0, 0, 0] };
/// let bytes: [u8; REQUEST] = close.to_bytes();
/// assert_eq!(bytes[8..16], 7_u64.to_ne_bytes());
/// assert_eq!(Request::from_bytes(bytes), close);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// The number of the call, as this architecture has it.
    pub nr: usize,
    /// The arguments.
    pub args: [usize; 6],
}

const WORD: usize = 8;

/// Sign-extended where a word has 32 bits, so that an error is one there too.
#[inline]
#[expect(clippy::cast_possible_wrap, reason = "the same bits, and the upper half is the sign")]
const fn widen(word: usize) -> [u8; WORD] {
    (word as isize as i64).to_ne_bytes()
}

/// The lower half is all that there is where a word has 32 bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "what a system call could not take")]
const fn narrow(bytes: [u8; WORD]) -> usize {
    u64::from_ne_bytes(bytes) as usize
}

impl Request {
    /// The request that these bytes are. Every 56 bytes are one.
    #[inline]
    pub const fn from_bytes(bytes: [u8; REQUEST]) -> Self {
        // SAFETY: the same size, and all are bytes.
        let [nr, a, b, c, d, e, f] = unsafe { core::mem::transmute::<[u8; REQUEST], [[u8; WORD]; 7]>(bytes) };
        Self { nr: narrow(nr), args: [narrow(a), narrow(b), narrow(c), narrow(d), narrow(e), narrow(f)] }
    }

    /// The bytes that this request is.
    #[inline]
    pub const fn to_bytes(self) -> [u8; REQUEST] {
        let [a, b, c, d, e, f] = self.args;
        let words = [widen(self.nr), widen(a), widen(b), widen(c), widen(d), widen(e), widen(f)];
        // SAFETY: the same size, and all are bytes.
        unsafe { core::mem::transmute::<[[u8; WORD]; 7], [u8; REQUEST]>(words) }
    }
}

/// The kernel's word that a response is; [`Errno::from_ret`](crate::Errno::from_ret) tells an error from a result.
///
/// ```
/// use rsyscall::{Errno, remote};
///
/// let response = remote::response_to_bytes(Errno::EINVAL.into_ret());
/// assert_eq!(Errno::from_ret(remote::response_from_bytes(response)), Err(Errno::EINVAL));
/// ```
#[inline]
pub const fn response_from_bytes(bytes: [u8; RESPONSE]) -> usize {
    narrow(bytes)
}

/// The bytes of the response for this word of the kernel.
#[inline]
pub const fn response_to_bytes(ret: usize) -> [u8; RESPONSE] {
    widen(ret)
}
