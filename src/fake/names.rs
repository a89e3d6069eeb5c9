//! The names of the calls that a fake kernel knows, for its log.

use crate::nr;

macro_rules! names {
    ($($(#[$cfg:meta])? $nr:ident $name:literal,)*) => {
        pub(super) const fn name(nr: usize) -> Option<&'static str> {
            match nr {
                $($(#[$cfg])? nr::$nr => Some($name),)*
                _ => None,
            }
        }
    };
}

names! {
    CLOCK_GETTIME "clock_gettime",
    CLOSE "close",
    DUP "dup",
    #[cfg(target_arch = "x86_64")]
    DUP2 "dup2",
    DUP3 "dup3",
    EPOLL_CREATE1 "epoll_create1",
    EPOLL_CTL "epoll_ctl",
    EPOLL_PWAIT "epoll_pwait",
    EVENTFD2 "eventfd2",
    FCNTL "fcntl",
    IOCTL "ioctl",
    LSEEK "lseek",
    PPOLL "ppoll",
    PREAD64 "pread64",
    PREADV2 "preadv2",
    PRLIMIT64 "prlimit64",
    PWRITE64 "pwrite64",
    PWRITEV2 "pwritev2",
    READ "read",
    READV "readv",
    UNAME "uname",
    WRITE "write",
}
