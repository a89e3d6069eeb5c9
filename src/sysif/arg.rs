//! Arguments of system calls: a word, or memory and how the call accesses it.

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::slice_from_raw_parts_mut;

/// One argument of a system call.
///
/// The variant says how the call accesses the memory, so that an interface to another address space can transfer it and
/// a fake kernel can access it. No caller casts a pointer to an integer.
///
/// The width of an argument is determined here: `From<u32>` zero-extends and `From<i32>` sign-extends, so that all bits
/// of a 64-bit register are what a C caller would pass.
///
/// ```
/// use rsyscall::sysif::Arg;
///
/// assert!(matches!(Arg::from(u32::MAX), Arg::Word(0xffff_ffff)));
/// assert!(matches!(Arg::from(-1_i32), Arg::Word(usize::MAX)));
/// ```
#[derive(Debug)]
pub enum Arg<'a> {
    /// An integer, passed unchanged.
    Word(usize),
    /// Memory that the call reads.
    In(&'a [u8]),
    /// Memory that the call writes: as many bytes as it returns, or all of it where the call's contract says so.
    Out(&'a mut [MaybeUninit<u8>]),
    /// Memory that the call reads and writes.
    InOut(&'a mut [u8]),
    /// A vector of memory that the call writes (`struct iovec *` of `readv` and related calls); its length is a
    /// separate argument.
    OutVec(&'a mut [OutSlice<'a>]),
}

impl From<u32> for Arg<'_> {
    #[inline(always)]
    fn from(word: u32) -> Self {
        Self::Word(word as usize)
    }
}

impl From<i32> for Arg<'_> {
    #[inline(always)]
    #[expect(clippy::cast_sign_loss, reason = "sign extension to the full register is intended")]
    fn from(word: i32) -> Self {
        Self::Word(word as usize)
    }
}

/// Converts memory for one value, which the call writes.
///
/// ```
/// use core::mem::MaybeUninit;
/// use rsyscall::near::Timespec;
/// use rsyscall::nr;
/// use rsyscall::sysif::{Local, SyscallInterface};
///
/// let mut now = MaybeUninit::<Timespec>::uninit();
/// // SAFETY: `CLOCK_MONOTONIC` is 1; the call writes one `struct timespec`, which a `Timespec` is.
/// unsafe { Local.syscall(nr::CLOCK_GETTIME, [1_u32.into(), (&mut now).into()]) }?;
/// // SAFETY: the call succeeded.
/// assert!(unsafe { now.assume_init() }.seconds > 0);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
impl<'a, T> From<&'a mut MaybeUninit<T>> for Arg<'a> {
    #[inline(always)]
    fn from(value: &'a mut MaybeUninit<T>) -> Self {
        let bytes = slice_from_raw_parts_mut(value.as_mut_ptr().cast::<MaybeUninit<u8>>(), size_of::<T>());
        // SAFETY: the same memory for the same borrow; any bytes written there are valid `MaybeUninit`.
        Self::Out(unsafe { &mut *bytes })
    }
}

impl<'a> Arg<'a> {
    /// Returns memory that the call reads, or a null pointer.
    #[inline(always)]
    pub(crate) fn in_or_null<const N: usize>(memory: Option<&'a [u8; N]>) -> Self {
        memory.map_or(Self::Word(0), |memory| Self::In(memory))
    }

    /// Returns the word that is passed to the kernel of this address space.
    #[inline(always)]
    pub(crate) fn word(&mut self) -> usize {
        match self {
            Self::Word(word) => *word,
            Self::In(memory) => memory.as_ptr().expose_provenance(),
            Self::Out(memory) => memory.as_mut_ptr().expose_provenance(),
            Self::InOut(memory) => memory.as_mut_ptr().expose_provenance(),
            Self::OutVec(vector) => vector.as_mut_ptr().expose_provenance(),
        }
    }
}

/// Memory that a vectored call writes: a `struct iovec` with the borrow of its memory.
///
/// ```
/// use core::mem::MaybeUninit;
/// use rsyscall::sysif::OutSlice;
///
/// let mut memory = [MaybeUninit::uninit(); 8];
/// let mut slice = OutSlice::new(&mut memory);
/// assert_eq!(slice.as_mut_slice().len(), 8);
/// ```
///
/// # Source
///
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html).
#[repr(C)]
pub struct OutSlice<'a> {
    base: *mut MaybeUninit<u8>,
    len: usize,
    memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

static_assertions::assert_eq_size!(OutSlice<'_>, [usize; 2]);

impl<'a> OutSlice<'a> {
    /// Creates a vector element from memory.
    #[inline(always)]
    pub fn new(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        let base = memory.as_mut_ptr();
        // The kernel reads this address from memory, not from a register, so it is exposed here, where the pointer is
        // available.
        base.expose_provenance();
        Self { base, len: memory.len(), memory: PhantomData }
    }

    /// Returns the length in bytes.
    #[inline(always)]
    #[expect(clippy::len_without_is_empty, reason = "no caller needs to know whether memory for a call is empty")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns the memory.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: created from an exclusive borrow that lasts for 'a, and borrowed again only through `&mut self`.
        unsafe { &mut *slice_from_raw_parts_mut(self.base, self.len) }
    }
}

// SAFETY: it represents the exclusive borrow from which it was created, and such a borrow of bytes is `Send`.
unsafe impl Send for OutSlice<'_> {}
// SAFETY: a shared reference gives no access to the memory.
unsafe impl Sync for OutSlice<'_> {}

impl fmt::Debug for OutSlice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutSlice").field("len", &self.len).finish_non_exhaustive()
    }
}
