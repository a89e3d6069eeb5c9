//! The arguments on the initial stack of a program.

use core::ffi::{CStr, c_char};
use core::iter::FusedIterator;

/// The arguments, the environment and the auxiliary vector of this process.
///
/// They are read in place, without copies.
///
/// # Source
///
/// [execve(2)](https://man7.org/linux/man-pages/man2/execve.2.html), `fs/binfmt_elf.c`, `create_elf_tables`.
// Neither `Send` nor `Sync`, as it holds a pointer: code that changes the strings, as setproctitle(3) does, must be on
// this thread.
#[derive(Debug, Clone, Copy)]
pub struct Arguments {
    stack: *const usize,
}

impl Arguments {
    /// # Safety
    ///
    /// `stack` is the address of argc on the initial stack, which is unchanged from there on.
    #[inline(always)]
    pub(super) unsafe fn new(stack: *const usize) -> Self {
        Self { stack }
    }

    #[inline]
    fn argc(self) -> usize {
        // SAFETY: the pointer is to argc.
        unsafe { *self.stack }
    }

    /// Returns the arguments; the first one, if any, is the program's name.
    ///
    /// ```
    /// use rsyscall::start::Arguments;
    ///
    /// fn run(arguments: Arguments) -> i32 {
    ///     i32::from(arguments.args().skip(1).any(|argument| argument == c"--help"))
    /// }
    /// ```
    #[inline]
    pub fn args(self) -> Strings {
        Strings { next: self.stack.wrapping_add(1).cast() }
    }

    /// Returns the environment, each entry as `NAME=value`.
    #[inline]
    pub fn vars(self) -> Strings {
        // After argc, `argc` pointers and a null pointer.
        Strings { next: self.stack.wrapping_add(self.argc().wrapping_add(2)).cast() }
    }

    /// Returns the value of an environment variable; of the first entry, if there are several.
    ///
    /// ```
    /// use rsyscall::start::Arguments;
    ///
    /// fn run(arguments: Arguments) -> i32 {
    ///     i32::from(arguments.var("PATH").is_none())
    /// }
    /// ```
    #[inline]
    #[doc(alias = "getenv")]
    pub fn var(self, name: &str) -> Option<&'static CStr> {
        if name.is_empty() || name.contains('=') {
            return None;
        }
        self.vars().find_map(|entry| {
            let value = entry.to_bytes_with_nul().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            CStr::from_bytes_with_nul(value).ok()
        })
    }

    /// Returns the auxiliary vector: pairs of a type (`AT_…`) and a value.
    ///
    /// ```
    /// use rsyscall::start::Arguments;
    ///
    /// fn run(arguments: Arguments) -> i32 {
    ///     const AT_PAGESZ: usize = 6;
    ///     let page = arguments.auxiliary().find(|&(kind, _)| kind == AT_PAGESZ);
    ///     i32::from(page.is_none_or(|(_, size)| size < 4096))
    /// }
    /// ```
    ///
    /// # Source
    ///
    /// [getauxval(3)](https://man7.org/linux/man-pages/man3/getauxval.3.html), `include/uapi/linux/auxvec.h`.
    #[doc(alias = "getauxval")]
    #[inline]
    pub fn auxiliary(self) -> Auxiliary {
        let mut next = self.vars().next;
        // SAFETY: the list ends with a null pointer, and is not read beyond it.
        while !unsafe { *next }.is_null() {
            next = next.wrapping_add(1);
        }
        // After the null pointer.
        Auxiliary { next: next.wrapping_add(1).cast() }
    }
}

/// Strings that live as long as the process: see [`Arguments::args`] and [`Arguments::vars`].
#[derive(Debug, Clone)]
pub struct Strings {
    next: *const *const c_char,
}

impl Strings {
    /// Returns the remaining strings as a C array: pointers to the strings, and a terminating null pointer. Array and
    /// strings live as long as the process.
    ///
    /// System calls: none.
    #[inline]
    pub fn as_ptr(&self) -> *const *const c_char {
        self.next
    }
}

impl Iterator for Strings {
    type Item = &'static CStr;

    #[inline]
    fn next(&mut self) -> Option<&'static CStr> {
        // SAFETY: the list ends with a null pointer, and is not read beyond it.
        let string = unsafe { *self.next };
        if string.is_null() {
            return None;
        }
        self.next = self.next.wrapping_add(1);
        // SAFETY: the kernel has terminated each with a NUL, and they live as long as the process.
        Some(unsafe { CStr::from_ptr(string) })
    }
}

impl FusedIterator for Strings {}

/// The auxiliary vector: see [`Arguments::auxiliary`].
#[derive(Debug, Clone)]
pub struct Auxiliary {
    next: *const [usize; 2],
}

impl Iterator for Auxiliary {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        // SAFETY: the vector ends with type 0, and is not read beyond it.
        let [kind, value] = unsafe { *self.next };
        if kind == 0 {
            return None;
        }
        self.next = self.next.wrapping_add(1);
        Some((kind, value))
    }
}

impl FusedIterator for Auxiliary {}
