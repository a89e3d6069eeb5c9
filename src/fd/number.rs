//! A file descriptor whose type excludes negative values, so that `Option` of it has the same size.

use crate::near::FileDescriptor;

/// The highest byte of an integer in 0..=`i32::MAX`.
///
/// Stable Rust has no integers with a restricted range except `NonZero`, whose conversion would cost an instruction at
/// each use. An enum of the 128 values of the highest byte costs none.
#[derive(Clone, Copy)]
#[repr(u8)]
#[rustfmt::skip]
enum Highest {
    _00, _01, _02, _03, _04, _05, _06, _07, _08, _09, _0a, _0b, _0c, _0d, _0e, _0f,
    _10, _11, _12, _13, _14, _15, _16, _17, _18, _19, _1a, _1b, _1c, _1d, _1e, _1f,
    _20, _21, _22, _23, _24, _25, _26, _27, _28, _29, _2a, _2b, _2c, _2d, _2e, _2f,
    _30, _31, _32, _33, _34, _35, _36, _37, _38, _39, _3a, _3b, _3c, _3d, _3e, _3f,
    _40, _41, _42, _43, _44, _45, _46, _47, _48, _49, _4a, _4b, _4c, _4d, _4e, _4f,
    _50, _51, _52, _53, _54, _55, _56, _57, _58, _59, _5a, _5b, _5c, _5d, _5e, _5f,
    _60, _61, _62, _63, _64, _65, _66, _67, _68, _69, _6a, _6b, _6c, _6d, _6e, _6f,
    _70, _71, _72, _73, _74, _75, _76, _77, _78, _79, _7a, _7b, _7c, _7d, _7e, _7f,
}

/// 0..=`i32::MAX`.
#[derive(Clone, Copy)]
#[repr(C, align(4))]
pub(super) struct Number {
    #[cfg(target_endian = "little")]
    low: [u8; 3],
    highest: Highest,
    #[cfg(target_endian = "big")]
    low: [u8; 3],
}

static_assertions::assert_eq_size!(Option<Number>, Number, i32);

impl Number {
    /// # Safety
    ///
    /// The file descriptor is not negative.
    #[inline(always)]
    pub(super) const unsafe fn new(fd: FileDescriptor) -> Self {
        // SAFETY: the same size, and as the sign bit is clear, the highest byte is one of the 128.
        unsafe { core::mem::transmute::<i32, Self>(fd.0) }
    }

    #[inline(always)]
    pub(super) const fn get(self) -> FileDescriptor {
        // SAFETY: the same size; all four bytes are initialised, and any four bytes are a valid `i32`.
        FileDescriptor(unsafe { core::mem::transmute::<Self, i32>(self) })
    }
}
