//! The format: the encoding of requests and responses.

/// The length of a request in bytes: a system call number and six arguments, as 64-bit words in native byte order.
pub const REQUEST: usize = 56;
/// The length of a response in bytes: the raw return value.
pub const RESPONSE: usize = 8;

/// A request: the system call number and the arguments; unused ones are 0.
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
    /// The system call number of this architecture.
    pub nr: usize,
    /// The arguments.
    pub args: [usize; 6],
}

const WORD: usize = 8;

/// Extends a 32-bit word with its sign, so that an error stays an error.
#[inline]
#[expect(clippy::cast_possible_wrap, reason = "the same bits, and the upper half is the sign")]
const fn widen(word: usize) -> [u8; WORD] {
    (word as isize as i64).to_ne_bytes()
}

/// Truncates to the lower half where a word has 32 bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a system call takes words only")]
const fn narrow(bytes: [u8; WORD]) -> usize {
    u64::from_ne_bytes(bytes) as usize
}

impl Request {
    /// Decodes a request. Any 56 bytes are valid.
    #[inline]
    pub const fn from_bytes(bytes: [u8; REQUEST]) -> Self {
        // SAFETY: the same size, and all are bytes.
        let [nr, a, b, c, d, e, f] = unsafe { core::mem::transmute::<[u8; REQUEST], [[u8; WORD]; 7]>(bytes) };
        Self { nr: narrow(nr), args: [narrow(a), narrow(b), narrow(c), narrow(d), narrow(e), narrow(f)] }
    }

    /// Encodes the request.
    #[inline]
    pub const fn to_bytes(self) -> [u8; REQUEST] {
        let [a, b, c, d, e, f] = self.args;
        let words = [widen(self.nr), widen(a), widen(b), widen(c), widen(d), widen(e), widen(f)];
        // SAFETY: the same size, and all are bytes.
        unsafe { core::mem::transmute::<[[u8; WORD]; 7], [u8; REQUEST]>(words) }
    }
}

/// Decodes a response to the raw return value; [`Errno::from_ret`](crate::Errno::from_ret) separates errors from
/// results.
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

/// Encodes a raw return value as a response.
#[inline]
pub const fn response_to_bytes(ret: usize) -> [u8; RESPONSE] {
    widen(ret)
}
