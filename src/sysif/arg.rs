//! What an argument of a system call is: a word, or memory and what the call does with it.

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::slice_from_raw_parts_mut;

/// One argument of a system call.
///
/// Memory is named as what the call does with it, so that an interface to another address space can move it and a fake
/// kernel can serve it, and no caller casts a pointer to an integer.
///
/// Widths are settled here, once: `From<u32>` zero-extends, `From<i32>` sign-extends, and all 64 bits of every register
/// are what the C caller's would be.
///
/// ```
/// use rsyscall::sysif::Arg;
///
/// assert!(matches!(Arg::from(u32::MAX), Arg::Word(0xffff_ffff)));
/// assert!(matches!(Arg::from(-1_i32), Arg::Word(usize::MAX)));
/// ```
#[derive(Debug)]
pub enum Arg<'a> {
    /// A number, passed as it is.
    Word(usize),
    /// Memory that the call reads.
    In(&'a [u8]),
    /// Memory that the call writes: as many bytes as it returns, or all of it where the call's contract says so.
    Out(&'a mut [MaybeUninit<u8>]),
    /// Memory that the call reads and writes.
    InOut(&'a mut [u8]),
    /// A vector of memory that the call writes (`struct iovec *` of `readv` and its kin); its length is an argument of
    /// its own.
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
    #[expect(clippy::cast_sign_loss, reason = "sign extension to the full register is what is meant")]
    fn from(word: i32) -> Self {
        Self::Word(word as usize)
    }
}

/// Memory that the call writes: a value that it makes.
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
        // SAFETY: the same memory for the same borrow, and whatever is written there, it stays maybe-uninit.
        Self::Out(unsafe { &mut *bytes })
    }
}

impl<'a> Arg<'a> {
    /// Memory that the call reads, or a null pointer.
    #[inline(always)]
    pub(crate) fn in_or_null<const N: usize>(memory: Option<&'a [u8; N]>) -> Self {
        memory.map_or(Self::Word(0), |memory| Self::In(memory))
    }

    /// Returns the word that the kernel of this address space is given.
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

/// Memory that a vectored call writes: a `struct iovec` with an owner.
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
    /// Creates a vector element from this memory.
    #[inline(always)]
    pub fn new(memory: &'a mut [MaybeUninit<u8>]) -> Self {
        let base = memory.as_mut_ptr();
        // The kernel learns this address from memory, not from a register: it is exposed here, where the pointer is at
        // hand.
        base.expose_provenance();
        Self { base, len: memory.len(), memory: PhantomData }
    }

    /// Returns its length in bytes.
    #[inline(always)]
    #[expect(clippy::len_without_is_empty, reason = "no caller wants to know whether memory for a call is empty")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns the memory itself.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: made from an exclusive borrow that lasts for 'a, and lent again only through `&mut self`.
        unsafe { &mut *slice_from_raw_parts_mut(self.base, self.len) }
    }
}

// SAFETY: it stands for the exclusive borrow from which it was made, and such a borrow of bytes may go to another
// thread.
unsafe impl Send for OutSlice<'_> {}
// SAFETY: through a shared reference nothing of it can be reached.
unsafe impl Sync for OutSlice<'_> {}

impl fmt::Debug for OutSlice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutSlice").field("len", &self.len).finish_non_exhaustive()
    }
}
