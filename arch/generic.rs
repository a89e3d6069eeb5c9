//! Items that most architectures share. The file of an architecture imports all of them, and redefines those that
//! differ.

/// A call whose result is in the register of the first argument: an in-out operand, or an output if there is no
/// argument. `call!` gets the number and the operands.
macro_rules! first_is_result {
    ($ret:ident = $nr:ident; $result:tt $($absent:tt)*) => { call!($nr, lateout($result) $ret,) };
    ($ret:ident = $nr:ident, $result:tt $a0:ident $(, $register:tt $arg:ident)*; $($absent:tt)*) => {
        call!($nr, inlateout($result) $a0 => $ret, $(in($register) $arg,)*)
    };
}

/// `include/uapi/asm-generic/fcntl.h`.
pub(crate) const O_DIRECT: u32 = 0o40000;

/// One past the highest address of user space, with four-level page tables.
pub(crate) const END_OF_USER_SPACE: usize = 1 << (usize::BITS - 17);

/// `include/uapi/asm-generic/ioctls.h`.
pub(crate) const FIONBIO: u32 = 0x5421;
pub(crate) const FIONREAD: u32 = 0x541b;
pub(crate) const FIOCLEX: u32 = 0x5451;
pub(crate) const FIONCLEX: u32 = 0x5450;

/// Whether `clone` takes the stack before the flags.
pub(crate) const CLONE_STACK_FIRST: bool = false;
/// Whether `mmap` takes one pointer to its six arguments.
pub(crate) const MMAP_BY_POINTER: bool = false;

/// The data of an `epoll_event`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct EpollData(pub(crate) u64);

/// Flags of each signal handler.
pub(crate) const HANDLER_FLAGS: usize = 0;
/// `sa_restorer` of `struct sigaction`, if it has that field.
pub(crate) type Restorer = usize;
pub(crate) const NO_RESTORER: Restorer = 0;
/// Returns the address to which a signal handler returns: none, as the vDSO has the code.
pub(crate) const fn signal_return() -> Restorer {
    NO_RESTORER
}
