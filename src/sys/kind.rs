//! Methods of every kind of file descriptor: conversions, ownership, close.
//!
//! The modules of the kinds have `try_clone`, `set_nonblocking` and others that suit only some kinds.

/// Implements them for a struct whose field `fd` is an [`OwnedFd`](crate::fd::OwnedFd).
///
/// `$kind` is the name of the kind, `$uses` and `$new` create one in an example, `$wrong` says what the calls of
/// another kind do, and `$end` what a close does not do although a reader may expect it.
macro_rules! kind {
    (
        $name:ident,
        kind: $kind:literal,
        uses: $uses:literal,
        new: $new:literal,
        wrong: $wrong:literal,
        end: $end:literal
    ) => {
        impl<T: FileDescriptorTask> $name<T> {
            /// Returns the file descriptor. This value still owns it.
            ///
            #[doc = kind!(@example $uses, "let handle = ", $new, ";\nassert_eq!(handle.near().0, handle.as_raw_fd());")]
            #[inline(always)]
            pub fn near(&self) -> FileDescriptor {
                self.fd.near()
            }

            /// Returns the file descriptor as an integer, as std and C use it. This value still owns it.
            ///
            #[doc = kind!(@example $uses, "let handle = ", $new, ";\nassert!(handle.as_raw_fd() >= 0);")]
            #[inline(always)]
            pub fn as_raw_fd(&self) -> i32 {
                self.fd.as_raw_fd()
            }

            /// Consumes the value and returns the file descriptor, which is not closed: the caller owns it.
            ///
            #[doc = kind!(@example $uses,
                "let raw = ", $new, ".into_raw_fd();\n",
                "// SAFETY: released a line above.\n",
                "let handle = unsafe { ", stringify!($name), "::from_raw_fd(raw) };\n# let _ = handle;"
            )]
            #[inline(always)]
            #[must_use = "unused, the file descriptor stays open"]
            pub fn into_raw_fd(self) -> i32 {
                self.fd.into_raw_fd()
            }

            /// Borrows the handle as a file descriptor of any kind.
            ///
            #[doc = kind!(@example $uses,
                "let handle = ", $new, ";\nassert_eq!(handle.as_owned_fd().as_raw_fd(), handle.as_raw_fd());"
            )]
            #[inline(always)]
            pub fn as_owned_fd(&self) -> &OwnedFd<T> {
                &self.fd
            }

            /// Converts the handle into a file descriptor of any kind.
            ///
            #[doc = kind!(@example $uses,
                "let owned = ", $new, ".into_owned_fd();\n",
                "let handle = ", stringify!($name), "::from(owned);\n# let _ = handle;"
            )]
            #[inline(always)]
            pub fn into_owned_fd(self) -> OwnedFd<T> {
                self.fd
            }

            /// Returns the task through which the file descriptor is used.
            ///
            #[doc = kind!(@example $uses, "assert_eq!(", $new, ".task(), rsyscall::Current);")]
            #[inline(always)]
            pub fn task(&self) -> T {
                self.fd.task()
            }

            /// Closes the file descriptor and returns the kernel's result, which a drop ignores.
            ///
            #[doc = $end]
            ///
            /// System calls: `close`.
            ///
            #[doc = kind!(@example $uses, "let handle = ", $new, ";\nhandle.close()?;")]
            ///
            /// # Errors
            ///
            /// None from the kernel. [Errors of the interface](crate::sysif#errors-of-the-interface).
            #[inline(always)]
            pub fn close(self) -> Result<(), T::Error> {
                self.fd.close()
            }

            #[doc = concat!("Takes ownership of a file descriptor of the task's table that is ", $kind, ".")]
            ///
            #[doc = kind!(@example $uses,
                "let fd = rsyscall::near::FileDescriptor(", $new, ".into_raw_fd());\n",
                "// SAFETY: released a line above.\n",
                "let handle = unsafe { ", stringify!($name), "::adopt(rsyscall::Current, fd) };\n# let _ = handle;"
            )]
            ///
            /// # Safety
            ///
            /// As for [`OwnedFd::adopt`].
            #[inline(always)]
            #[must_use = "dropped, it closes the file descriptor at once"]
            pub unsafe fn adopt(task: T, fd: FileDescriptor) -> Self {
                // SAFETY: the same contract.
                Self { fd: unsafe { OwnedFd::adopt(task, fd) } }
            }
        }

        impl $name {
            #[doc = concat!("Takes ownership of a file descriptor of this process that is ", $kind, ".")]
            ///
            #[doc = kind!(@example $uses,
                "let raw = ", $new, ".into_raw_fd();\n",
                "// SAFETY: released a line above.\n",
                "let handle = unsafe { ", stringify!($name), "::from_raw_fd(raw) };\n",
                "assert_eq!(handle.as_raw_fd(), raw);"
            )]
            ///
            /// # Safety
            ///
            /// It is open, and from now on only this value closes it. A wrong kind is no
            #[doc = concat!("memory unsafety: ", $wrong)]
            #[inline(always)]
            #[must_use = "dropped, it closes the file descriptor at once"]
            pub unsafe fn from_raw_fd(fd: i32) -> Self {
                // SAFETY: the same contract.
                Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } }
            }
        }

        impl<T: FileDescriptorTask> From<OwnedFd<T>> for $name<T> {
            #[doc = concat!("Converts a file descriptor that is ", $kind, ". The kind is not checked: ", $wrong)]
            #[inline]
            #[doc(alias = "from_owned_fd")]
            fn from(fd: OwnedFd<T>) -> Self {
                Self { fd }
            }
        }

        impl<T: FileDescriptorTask> From<$name<T>> for OwnedFd<T> {
            #[inline]
            fn from(handle: $name<T>) -> Self {
                handle.fd
            }
        }

        impl<T: FileDescriptorTask> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_raw_fd()).finish()
            }
        }
    };
    (@example $uses:literal, $($code:expr),*) => {
        concat!("```\nuse ", $uses, ";\n\n", $($code,)* "\n# Ok::<(), rsyscall::Errno>(())\n```")
    };
}

pub(super) use kind;
