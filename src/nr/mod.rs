//! For calls that the crate does not wrap, and for seccomp filters: the system call numbers of this architecture, by
//! their names in the kernel's headers. Those of x86_64, aarch64 and riscv64 come from the crate `sc`, the others from
//! tables here; a test compares all of them with the kernel's headers.
//!
//! The module has the calls that every architecture of this crate has, so that code with them compiles on all of them.
//! Older calls that only some architectures have (`open`, `pipe`, `poll`, `fork`, …) are missing: each has a successor
//! here.
//!
//! ```
//! use rsyscall::nr;
//! use rsyscall::sysif::{Local, SyscallInterface};
//!
//! // SAFETY: no argument and no effect.
//! let tid = unsafe { Local.syscall(nr::GETTID, []) }?;
//! assert!(tid > 0);
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! # Source
//!
//! [syscalls(2)](https://man7.org/linux/man-pages/man2/syscalls.2.html); `arch/*/entry/syscalls/syscall*.tbl` and
//! `include/uapi/asm-generic/unistd.h`.

pub mod used_by;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))]
use sc::nr as table;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
macro_rules! table {
    ($($name:ident $number:literal,)*) => { $(pub(super) const $name: usize = $number;)* };
}
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
#[cfg_attr(target_arch = "arm", path = "table/arm.rs")]
#[cfg_attr(target_arch = "loongarch64", path = "table/loongarch64.rs")]
#[cfg_attr(target_arch = "powerpc64", path = "table/powerpc64.rs")]
#[cfg_attr(target_arch = "s390x", path = "table/s390x.rs")]
#[cfg_attr(target_arch = "x86", path = "table/x86.rs")]
mod table;

macro_rules! numbers {
    (@ $name:ident) => { table::$name };
    (@ $name:ident $number:literal) => { $number };
    ($($name:ident $call:ident $(= $number:literal)?,)*) => {
        $(
            #[doc = concat!("`", stringify!($call), "`")]
            pub const $name: usize = numbers!(@ $name $($number)?);
        )*

        /// Returns the name of the call with this number, or `None` if this module does not have it.
        ///
        /// ```
        /// use rsyscall::nr;
        ///
        /// assert_eq!(nr::name(nr::EVENTFD2), Some("eventfd2"));
        /// assert_eq!(nr::name(usize::MAX), None);
        /// ```
        pub const fn name(nr: usize) -> Option<&'static str> {
            match nr {
                $($name => Some(stringify!($call)),)*
                _ => None,
            }
        }
    };
}

numbers! {
    // Files and their contents.
    READ read, WRITE write, READV readv, WRITEV writev, PREAD64 pread64, PWRITE64 pwrite64, PREADV preadv,
    PWRITEV pwritev, PREADV2 preadv2, PWRITEV2 pwritev2, LSEEK lseek, OPENAT openat, CLOSE close, DUP dup, DUP3 dup3,
    FCNTL fcntl, IOCTL ioctl, FLOCK flock, FALLOCATE fallocate, FSYNC fsync, FDATASYNC fdatasync, SYNC sync,
    SYNCFS syncfs, COPY_FILE_RANGE copy_file_range, SENDFILE sendfile, SPLICE splice, TEE tee, VMSPLICE vmsplice,
    READAHEAD readahead, NAME_TO_HANDLE_AT name_to_handle_at, OPEN_BY_HANDLE_AT open_by_handle_at,
    MEMFD_CREATE memfd_create, PIPE2 pipe2,
    // Event descriptors and multiplexing.
    EVENTFD2 eventfd2, EPOLL_CREATE1 epoll_create1, EPOLL_CTL epoll_ctl, EPOLL_PWAIT epoll_pwait, PPOLL ppoll,
    PSELECT6 pselect6, SIGNALFD4 signalfd4, TIMERFD_CREATE timerfd_create, TIMERFD_SETTIME timerfd_settime,
    TIMERFD_GETTIME timerfd_gettime, INOTIFY_INIT1 inotify_init1, INOTIFY_ADD_WATCH inotify_add_watch,
    INOTIFY_RM_WATCH inotify_rm_watch, FANOTIFY_INIT fanotify_init, FANOTIFY_MARK fanotify_mark,
    USERFAULTFD userfaultfd, IO_SETUP io_setup, IO_DESTROY io_destroy, IO_SUBMIT io_submit, IO_CANCEL io_cancel,
    // Paths and metadata.
    MKDIRAT mkdirat, MKNODAT mknodat, UNLINKAT unlinkat, LINKAT linkat, SYMLINKAT symlinkat, READLINKAT readlinkat,
    RENAMEAT2 renameat2, FACCESSAT faccessat, FCHMOD fchmod, FCHMODAT fchmodat, FCHOWN fchown, FCHOWNAT fchownat,
    STATX statx, GETDENTS64 getdents64, GETCWD getcwd, CHDIR chdir, FCHDIR fchdir, CHROOT chroot, UMASK umask,
    UTIMENSAT utimensat, SETXATTR setxattr, LSETXATTR lsetxattr, FSETXATTR fsetxattr, GETXATTR getxattr,
    LGETXATTR lgetxattr, FGETXATTR fgetxattr, LISTXATTR listxattr, LLISTXATTR llistxattr, FLISTXATTR flistxattr,
    REMOVEXATTR removexattr, LREMOVEXATTR lremovexattr, FREMOVEXATTR fremovexattr,
    // Mounts and the system.
    MOUNT mount, UMOUNT2 umount2, PIVOT_ROOT pivot_root, QUOTACTL quotactl, SWAPON swapon, SWAPOFF swapoff,
    REBOOT reboot, SETHOSTNAME sethostname, SETDOMAINNAME setdomainname, UNAME uname, SYSINFO sysinfo, SYSLOG syslog,
    ACCT acct, VHANGUP vhangup, INIT_MODULE init_module, FINIT_MODULE finit_module, DELETE_MODULE delete_module,
    KEXEC_LOAD kexec_load, PERSONALITY personality, BPF bpf, PERF_EVENT_OPEN perf_event_open, KEYCTL keyctl,
    ADD_KEY add_key, REQUEST_KEY request_key, GETRANDOM getrandom,
    // Sockets.
    SOCKET socket, SOCKETPAIR socketpair, BIND bind, LISTEN listen, ACCEPT4 accept4, CONNECT connect,
    GETSOCKNAME getsockname, GETPEERNAME getpeername, SENDTO sendto, RECVFROM recvfrom, SENDMSG sendmsg,
    RECVMSG recvmsg, SENDMMSG sendmmsg, RECVMMSG recvmmsg, SETSOCKOPT setsockopt, GETSOCKOPT getsockopt,
    SHUTDOWN shutdown,
    // Processes and threads.
    CLONE clone, EXECVE execve, EXECVEAT execveat, EXIT exit, EXIT_GROUP exit_group, WAITID waitid, WAIT4 wait4,
    GETPID getpid, GETPPID getppid, GETTID gettid, SETPGID setpgid, GETPGID getpgid, SETSID setsid, GETSID getsid,
    UNSHARE unshare, SETNS setns, PRCTL prctl, PRLIMIT64 prlimit64, SECCOMP seccomp, PTRACE ptrace, KCMP kcmp,
    PROCESS_VM_READV process_vm_readv, PROCESS_VM_WRITEV process_vm_writev, GETRUSAGE getrusage, TIMES times,
    GETPRIORITY getpriority, SETPRIORITY setpriority, IOPRIO_GET ioprio_get, IOPRIO_SET ioprio_set, CAPGET capget,
    CAPSET capset, SETUID setuid, SETGID setgid, SETREUID setreuid, SETREGID setregid, SETRESUID setresuid,
    SETRESGID setresgid, GETUID getuid, GETEUID geteuid, GETGID getgid, GETEGID getegid, GETRESUID getresuid,
    GETRESGID getresgid, SETGROUPS setgroups, GETGROUPS getgroups, SETFSUID setfsuid, SETFSGID setfsgid,
    SCHED_YIELD sched_yield, SCHED_SETAFFINITY sched_setaffinity, SCHED_GETAFFINITY sched_getaffinity,
    SCHED_SETSCHEDULER sched_setscheduler, SCHED_GETSCHEDULER sched_getscheduler, SCHED_SETPARAM sched_setparam,
    SCHED_GETPARAM sched_getparam, SCHED_SETATTR sched_setattr, SCHED_GETATTR sched_getattr,
    SCHED_GET_PRIORITY_MAX sched_get_priority_max, SCHED_GET_PRIORITY_MIN sched_get_priority_min,
    SCHED_RR_GET_INTERVAL sched_rr_get_interval, GETCPU getcpu, SET_TID_ADDRESS set_tid_address,
    SET_ROBUST_LIST set_robust_list, GET_ROBUST_LIST get_robust_list, RSEQ rseq, MEMBARRIER membarrier,
    RESTART_SYSCALL restart_syscall,
    // Signals.
    KILL kill, TKILL tkill, TGKILL tgkill, RT_SIGACTION rt_sigaction, RT_SIGPROCMASK rt_sigprocmask,
    RT_SIGPENDING rt_sigpending, RT_SIGTIMEDWAIT rt_sigtimedwait, RT_SIGSUSPEND rt_sigsuspend,
    RT_SIGQUEUEINFO rt_sigqueueinfo, RT_TGSIGQUEUEINFO rt_tgsigqueueinfo, RT_SIGRETURN rt_sigreturn,
    SIGALTSTACK sigaltstack,
    // Memory.
    MMAP mmap, MUNMAP munmap, MREMAP mremap, MPROTECT mprotect, MADVISE madvise, MSYNC msync, MINCORE mincore,
    MLOCK mlock, MLOCK2 mlock2, MLOCKALL mlockall, MUNLOCK munlock, MUNLOCKALL munlockall, BRK brk, MBIND mbind,
    GET_MEMPOLICY get_mempolicy, SET_MEMPOLICY set_mempolicy, MIGRATE_PAGES migrate_pages, MOVE_PAGES move_pages,
    PKEY_ALLOC pkey_alloc, PKEY_FREE pkey_free, PKEY_MPROTECT pkey_mprotect, SHMGET shmget, SHMAT shmat, SHMDT shmdt,
    SHMCTL shmctl, SEMGET semget, SEMCTL semctl, MSGGET msgget, MSGSND msgsnd, MSGRCV msgrcv, MSGCTL msgctl,
    MQ_OPEN mq_open, MQ_UNLINK mq_unlink, MQ_TIMEDSEND mq_timedsend, MQ_TIMEDRECEIVE mq_timedreceive,
    MQ_NOTIFY mq_notify, MQ_GETSETATTR mq_getsetattr,
    // Time and waiting.
    CLOCK_GETTIME clock_gettime, CLOCK_SETTIME clock_settime, CLOCK_GETRES clock_getres,
    CLOCK_NANOSLEEP clock_nanosleep, CLOCK_ADJTIME clock_adjtime, TIMER_CREATE timer_create,
    TIMER_SETTIME timer_settime, TIMER_GETTIME timer_gettime, TIMER_GETOVERRUN timer_getoverrun,
    TIMER_DELETE timer_delete, GETITIMER getitimer, SETITIMER setitimer, FUTEX futex,
    // New calls since Linux 5.1 have the same number on every architecture.
    PIDFD_SEND_SIGNAL pidfd_send_signal = 424, IO_URING_SETUP io_uring_setup = 425, IO_URING_ENTER io_uring_enter = 426,
    IO_URING_REGISTER io_uring_register = 427, OPEN_TREE open_tree = 428, MOVE_MOUNT move_mount = 429,
    FSOPEN fsopen = 430, FSCONFIG fsconfig = 431, FSMOUNT fsmount = 432, FSPICK fspick = 433,
    PIDFD_OPEN pidfd_open = 434, CLONE3 clone3 = 435, CLOSE_RANGE close_range = 436, OPENAT2 openat2 = 437,
    PIDFD_GETFD pidfd_getfd = 438, FACCESSAT2 faccessat2 = 439, PROCESS_MADVISE process_madvise = 440,
    EPOLL_PWAIT2 epoll_pwait2 = 441, MOUNT_SETATTR mount_setattr = 442, QUOTACTL_FD quotactl_fd = 443,
    LANDLOCK_CREATE_RULESET landlock_create_ruleset = 444, LANDLOCK_ADD_RULE landlock_add_rule = 445,
    LANDLOCK_RESTRICT_SELF landlock_restrict_self = 446, PROCESS_MRELEASE process_mrelease = 448,
    FUTEX_WAITV futex_waitv = 449, CACHESTAT cachestat = 451, FCHMODAT2 fchmodat2 = 452, MSEAL mseal = 462,
}

/// `dup2`, or an unused number where there is no such call.
#[cfg(feature = "fake")]
pub(crate) const DUP2_OR_NONE: usize = if cfg!(target_arch = "x86_64") {
    33
} else if cfg!(any(target_arch = "aarch64", target_arch = "loongarch64", target_arch = "riscv64")) {
    usize::MAX
} else {
    63
};
