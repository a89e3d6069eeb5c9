//! The functions that compiled code may call without being asked: without a libc, nobody else has them.
//!
//! Volatile, so that the compiler does not see what each loop does and put a call of the same function in its place. Slow,
//! which does not matter here.

/// # Safety
///
/// As C's `memcpy`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    for at in 0..len {
        // SAFETY: the caller's promise covers every byte below `len`.
        let byte = unsafe { from.add(at).read_volatile() };
        // SAFETY: as above.
        unsafe { to.add(at).write_volatile(byte) };
    }
    to
}

/// # Safety
///
/// As C's `memmove`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    if to.cast_const() <= from {
        // SAFETY: upwards, no byte is overwritten before it was read.
        return unsafe { memcpy(to, from, len) };
    }
    for at in (0..len).rev() {
        // SAFETY: the caller's promise covers every byte below `len`; downwards, none is overwritten before it was read.
        let byte = unsafe { from.add(at).read_volatile() };
        // SAFETY: as above.
        unsafe { to.add(at).write_volatile(byte) };
    }
    to
}

/// # Safety
///
/// As C's `memset`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    for at in 0..len {
        // SAFETY: the caller's promise covers every byte below `len`.
        unsafe { to.add(at).write_volatile(byte as u8) };
    }
    to
}

/// # Safety
///
/// As C's `memcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, len: usize) -> i32 {
    for at in 0..len {
        // SAFETY: the caller's promise covers every byte below `len`.
        let a = unsafe { one.add(at).read_volatile() };
        // SAFETY: as above.
        let b = unsafe { other.add(at).read_volatile() };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

/// # Safety
///
/// As C's `bcmp`.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, len: usize) -> i32 {
    // SAFETY: handed on as it came.
    unsafe { memcmp(one, other, len) }
}
