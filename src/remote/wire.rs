//! The format: what a request and a response are, as bytes.
//!
//! Uses nothing of the crate.

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
#[repr(C)]
pub struct Request {
    /// The number of the call, as this architecture has it.
    pub nr: usize,
    /// The arguments.
    pub args: [usize; 6],
}

static_assertions::assert_eq_size!(Request, [u8; REQUEST]);
static_assertions::assert_eq_size!(usize, [u8; RESPONSE]);

impl Request {
    /// The request that these bytes are. Every 56 bytes are one.
    #[inline]
    pub const fn from_bytes(bytes: [u8; REQUEST]) -> Self {
        // SAFETY: the same size, and any bytes are seven integers.
        unsafe { core::mem::transmute::<[u8; REQUEST], Self>(bytes) }
    }

    /// The bytes that this request is.
    #[inline]
    pub const fn to_bytes(self) -> [u8; REQUEST] {
        // SAFETY: the same size: seven integers and no padding, all initialised.
        unsafe { core::mem::transmute::<Self, [u8; REQUEST]>(self) }
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
    usize::from_ne_bytes(bytes)
}

/// The bytes of the response for this word of the kernel.
#[inline]
pub const fn response_to_bytes(ret: usize) -> [u8; RESPONSE] {
    ret.to_ne_bytes()
}
