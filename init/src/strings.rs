//! Argument and environment lists for `execve`.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};
use core::fmt;
use core::marker::PhantomData;
use core::ptr::null;
use rsyscall::Errno;

/// A null-terminated list of strings for `execve`. Made from a [`StringList`].
#[derive(Clone, Copy)]
pub struct Strings<'a> {
    list: *const *const c_char,
    strings: PhantomData<&'a CStr>,
}

impl<'a> Strings<'a> {
    /// No strings.
    pub const EMPTY: Self = {
        // A pointer is not `Sync`, a null pointer might as well be.
        struct Nothing([*const c_char; 1]);
        // SAFETY: it is null, and never written.
        unsafe impl Sync for Nothing {}
        static NOTHING: Nothing = Nothing([null()]);
        // SAFETY: a null pointer at the end.
        unsafe { Self::from_ptr(NOTHING.0.as_ptr()) }
    };

    /// Creates a list from one that C or the kernel has made: `argv`, `environ`.
    ///
    /// # Safety
    ///
    /// The list ends with a null pointer, and every other pointer of it is a string that ends with a zero; list and
    /// strings are unchanged for `'a`.
    #[inline]
    pub const unsafe fn from_ptr(list: *const *const c_char) -> Self {
        Self { list, strings: PhantomData }
    }

    /// Returns the list itself.
    #[inline]
    pub const fn as_ptr(self) -> *const *const c_char {
        self.list
    }

    /// Returns the strings, in their order.
    // Not public: the text of a placeholder changes, and no reference to it may outlive that.
    #[inline]
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a CStr> + Clone {
        let mut next = self.list;
        core::iter::from_fn(move || {
            // SAFETY: not behind the null pointer at the end.
            let string = unsafe { *next };
            if string.is_null() {
                return None;
            }
            next = next.wrapping_add(1);
            // SAFETY: a string of the list, which stays for 'a.
            Some(unsafe { CStr::from_ptr(string) })
        })
    }
}

/// The arguments or the environment that the kernel has given to a program without libc.
impl From<rsyscall::start::Strings> for Strings<'static> {
    #[inline]
    fn from(strings: rsyscall::start::Strings) -> Self {
        // SAFETY: as the kernel has put them on the stack, where they stay.
        unsafe { Self::from_ptr(strings.as_ptr()) }
    }
}

impl fmt::Debug for Strings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A list of at most `N` − 1 strings, without allocation.
///
/// ```
/// use rsyscall_init::StringList;
///
/// let mut arguments = StringList::<3>::new();
/// arguments.push(c"echo")?;
/// arguments.push(c"hello")?;
/// assert_eq!(arguments.push(c"too many"), Err(rsyscall::Errno::E2BIG));
/// assert_eq!(format!("{arguments:?}"), r#"["echo", "hello"]"#);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
pub struct StringList<'a, const N: usize> {
    list: [*const c_char; N],
    len: usize,
    strings: PhantomData<&'a CStr>,
}

impl<'a, const N: usize> StringList<'a, N> {
    /// Creates an empty list.
    #[inline]
    pub const fn new() -> Self {
        const { assert!(N > 0, "the list ends with a null pointer") };
        Self { list: [null(); N], len: 0, strings: PhantomData }
    }

    /// Adds a string.
    ///
    /// # Errors
    ///
    /// `E2BIG`: the list is full.
    #[inline]
    pub fn push(&mut self, string: &'a CStr) -> Result<(), Errno> {
        self.add(string.as_ptr())
    }

    /// Adds a variable whose value the child writes: see [`Step::OwnPid`](crate::Step::OwnPid).
    ///
    /// # Errors
    ///
    /// `E2BIG`: the list is full.
    #[inline]
    pub fn push_placeholder(&mut self, placeholder: &'a Placeholder) -> Result<(), Errno> {
        self.add(placeholder.text.get().cast_const().cast())
    }

    #[inline]
    fn add(&mut self, string: *const c_char) -> Result<(), Errno> {
        match self.list.get_mut(self.len) {
            // The last place is the null pointer.
            Some(place) if self.len.wrapping_add(1) < N => *place = string,
            _ => return Err(Errno::E2BIG),
        }
        self.len = self.len.wrapping_add(1);
        Ok(())
    }

    /// Returns the strings, for a [`Command`](crate::Command).
    #[inline]
    pub const fn as_strings(&self) -> Strings<'_> {
        // SAFETY: the last pointer is never written, so it is null; the others are strings for 'a, and this is
        // borrowed.
        unsafe { Strings::from_ptr(self.list.as_ptr()) }
    }
}

impl<const N: usize> Default for StringList<'_, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Debug for StringList<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_strings().fmt(f)
    }
}

/// An environment variable whose value is the pid of the started program, such as `LISTEN_PID`: the child writes it
/// into its own copy.
///
/// ```
/// use rsyscall_init::strings::Placeholder;
///
/// assert!(Placeholder::new("LISTEN_PID").is_some());
/// assert!(Placeholder::new("A=B").is_none());
/// ```
pub struct Placeholder {
    text: UnsafeCell<[u8; Placeholder::SIZE]>,
    /// Where the value begins.
    value: usize,
}

impl Placeholder {
    const SIZE: usize = 64;
    /// The digits of `i32::MAX`.
    const DIGITS: usize = 10;

    /// Creates a variable of this name, or returns `None` if the name is invalid or longer than 52 bytes.
    pub fn new(name: &str) -> Option<Self> {
        let mut text = [0; Self::SIZE];
        // The `=`, the digits, and the zero.
        if name.is_empty() || name.len() > Self::SIZE.wrapping_sub(Self::DIGITS).wrapping_sub(2) {
            return None;
        }
        for (to, from) in text.iter_mut().zip(name.bytes()) {
            if matches!(from, 0 | b'=') {
                return None;
            }
            *to = from;
        }
        *text.get_mut(name.len())? = b'=';
        Some(Self { text: UnsafeCell::new(text), value: name.len().wrapping_add(1) })
    }

    /// Writes the pid. Called in the child, whose memory is a copy.
    pub(crate) fn fill(&self, pid: i32) {
        let (mut rest, mut end) = (pid.unsigned_abs(), self.value.wrapping_add(1));
        while rest > 9 {
            rest /= 10;
            end = end.wrapping_add(1);
        }
        // SAFETY: the value is not `Sync`, so no other thread uses the text, and no reference to it is ever made but
        // here.
        let text = unsafe { &mut *self.text.get() };
        let mut rest = pid.unsigned_abs();
        for place in text.iter_mut().take(end).skip(self.value).rev() {
            *place = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
        }
        if let Some(place) = text.get_mut(end) {
            *place = 0;
        }
    }
}

impl fmt::Debug for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placeholder").finish_non_exhaustive()
    }
}
