//! The memory functions of architectures without an implementation in assembly.
//!
//! They access words where both addresses are aligned alike, and bytes elsewhere. Every access is volatile: an
//! optimiser recognises such a loop and replaces it by a call of the function itself, but not for volatile accesses.
//! Link-time optimisation may drop functions of these names before the compiler emits the calls of them. So the
//! functions have other names, and the names that are called are jumps in assembly, which is opaque to the optimiser.
//!
//! Bytes and words are `MaybeUninit`, as the data may be padding or contain pointers.

use core::ffi::c_int;
use core::mem::MaybeUninit;

type Byte = MaybeUninit<u8>;
type Word = MaybeUninit<usize>;
const WORD: usize = size_of::<usize>();

#[inline(always)]
fn is_aligned(place: *const u8) -> bool {
    place.addr() & (WORD - 1) == 0
}

/// Returns whether two addresses have the same offset from word alignment.
#[inline(always)]
fn are_alike(a: *const u8, b: *const u8) -> bool {
    (a.addr() ^ b.addr()) & (WORD - 1) == 0
}

/// # Safety
///
/// A `T` can be read at `from` and written at `to`, each `at` bytes further, and is aligned there.
#[inline(always)]
unsafe fn copy_one<T>(to: *mut u8, from: *const u8, at: usize) {
    // SAFETY: guaranteed by the caller.
    let value = unsafe { from.wrapping_add(at).cast::<T>().read_volatile() };
    // SAFETY: guaranteed by the caller.
    unsafe { to.wrapping_add(at).cast::<T>().write_volatile(value) };
}

/// # Safety
///
/// `memmove`'s: `count` bytes can be read at `from` and written at `to`. They may overlap.
#[inline(always)]
pub unsafe fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    let alike = are_alike(to, from);
    if to.addr().wrapping_sub(from.addr()) >= count {
        // Upwards, no byte is overwritten before it is read.
        let mut done = 0_usize;
        while alike && done < count && !is_aligned(to.wrapping_add(done)) {
            // SAFETY: below `count`.
            unsafe { copy_one::<Byte>(to, from, done) };
            done = done.wrapping_add(1);
        }
        while alike && count.wrapping_sub(done) >= WORD {
            // SAFETY: a word below `count`, aligned at both places.
            unsafe { copy_one::<Word>(to, from, done) };
            done = done.wrapping_add(WORD);
        }
        while done < count {
            // SAFETY: below `count`.
            unsafe { copy_one::<Byte>(to, from, done) };
            done = done.wrapping_add(1);
        }
    } else {
        // Downwards, no byte is overwritten before it is read.
        let mut left = count;
        while alike && left > 0 && !is_aligned(to.wrapping_add(left)) {
            left = left.wrapping_sub(1);
            // SAFETY: below `count`.
            unsafe { copy_one::<Byte>(to, from, left) };
        }
        while alike && left >= WORD {
            left = left.wrapping_sub(WORD);
            // SAFETY: a word below `count`, aligned at both places.
            unsafe { copy_one::<Word>(to, from, left) };
        }
        while left > 0 {
            left = left.wrapping_sub(1);
            // SAFETY: below `count`.
            unsafe { copy_one::<Byte>(to, from, left) };
        }
    }
    to
}

/// # Safety
///
/// `memset`'s: `count` bytes can be written at `to`.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "memset takes the lowest byte")]
pub unsafe fn memset(to: *mut u8, byte: c_int, count: usize) -> *mut u8 {
    let byte = byte as u8;
    let word = usize::from_ne_bytes([byte; WORD]);
    let mut done = 0_usize;
    while done < count && !is_aligned(to.wrapping_add(done)) {
        // SAFETY: below `count`.
        unsafe { to.wrapping_add(done).write_volatile(byte) };
        done = done.wrapping_add(1);
    }
    while count.wrapping_sub(done) >= WORD {
        // SAFETY: a word below `count`, aligned.
        unsafe { to.wrapping_add(done).cast::<usize>().write_volatile(word) };
        done = done.wrapping_add(WORD);
    }
    while done < count {
        // SAFETY: below `count`.
        unsafe { to.wrapping_add(done).write_volatile(byte) };
        done = done.wrapping_add(1);
    }
    to
}

/// # Safety
///
/// `memcmp`'s: `count` bytes can be read at both places.
#[inline(always)]
pub unsafe fn memcmp(a: *const u8, b: *const u8, count: usize) -> c_int {
    let mut same = 0_usize;
    while are_alike(a, b) && count.wrapping_sub(same) >= WORD && is_aligned(a) {
        let at = |place: *const u8| place.wrapping_add(same).cast::<usize>();
        // SAFETY: a word below `count`, aligned as the beginning is.
        let one = unsafe { at(a).read_volatile() };
        // SAFETY: a word below `count`, aligned as the beginning is.
        let other = unsafe { at(b).read_volatile() };
        if one != other {
            break;
        }
        same = same.wrapping_add(WORD);
    }
    while same < count {
        // SAFETY: below `count`.
        let one = unsafe { a.wrapping_add(same).read_volatile() };
        // SAFETY: below `count`.
        let other = unsafe { b.wrapping_add(same).read_volatile() };
        if one != other {
            return c_int::from(one).wrapping_sub(c_int::from(other));
        }
        same = same.wrapping_add(1);
    }
    0
}

/// # Safety
///
/// `strlen`'s: the bytes at `string` can be read up to a NUL.
#[inline(always)]
pub unsafe fn strlen(string: *const u8) -> usize {
    let mut length = 0_usize;
    // SAFETY: no NUL has been read yet, so this byte belongs to the string.
    while unsafe { string.wrapping_add(length).read_volatile() } != 0 {
        length = length.wrapping_add(1);
    }
    length
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(target_arch = "x86_64"))]
macro_rules! __start_memory {
    () => {
        unsafe extern "C" fn __rsyscall_memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
            // SAFETY: the caller guarantees the same.
            unsafe { $crate::start::memory::memmove(to, from, count) }
        }
        unsafe extern "C" fn __rsyscall_memset(to: *mut u8, byte: ::core::ffi::c_int, count: usize) -> *mut u8 {
            // SAFETY: the caller guarantees the same.
            unsafe { $crate::start::memory::memset(to, byte, count) }
        }
        unsafe extern "C" fn __rsyscall_memcmp(a: *const u8, b: *const u8, count: usize) -> ::core::ffi::c_int {
            // SAFETY: the caller guarantees the same.
            unsafe { $crate::start::memory::memcmp(a, b, count) }
        }
        unsafe extern "C" fn __rsyscall_strlen(string: *const u8) -> usize {
            // SAFETY: the caller guarantees the same.
            unsafe { $crate::start::memory::strlen(string) }
        }
        $crate::__start_jump!("memcpy", __rsyscall_memmove);
        $crate::__start_jump!("memmove", __rsyscall_memmove);
        $crate::__start_jump!("memset", __rsyscall_memset);
        $crate::__start_jump!("memcmp", __rsyscall_memcmp);
        $crate::__start_jump!("bcmp", __rsyscall_memcmp);
        $crate::__start_jump!("strlen", __rsyscall_strlen);
    };
}

/// A weak function of this name that jumps to another one.
#[doc(hidden)]
#[macro_export]
#[cfg(not(target_arch = "x86_64"))]
macro_rules! __start_jump {
    ($name:literal, $function:path) => {
        ::core::arch::global_asm!(
            $crate::__start_arch!(mode),
            concat!(".pushsection .text.", $name, ",\"ax\",%progbits"),
            concat!(".weak ", $name),
            concat!(".type ", $name, ",%function"),
            concat!($name, ":"),
            concat!($crate::__start_arch!(jump), " {function}"),
            ".popsection",
            function = sym $function,
        );
    };
}
