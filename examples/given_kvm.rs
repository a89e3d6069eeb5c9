//! Eventfds passed to KVM: one that a guest writes by an `out` to a port, and one that interrupts the guest.
//!
//! KVM keeps a reference to the counter of each: the eventfds stay this program's, which closes them.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the kernel's structures, built from words"
)]

use rsyscall::arch::{syscall3, syscall4, syscall6};
use rsyscall::fd::OwnedFd;
use rsyscall::{Errno, EventFd, EventfdFlags, nr};

fn main() -> Result<(), Errno> {
    // SAFETY: the path is a string, and the call creates a new file descriptor.
    let opened = unsafe {
        syscall4(nr::OPENAT, -100_isize as usize, c"/dev/kvm".as_ptr().expose_provenance(), O_RDWR_CLOEXEC, 0)
    };
    let kvm = match Errno::from_ret(opened) {
        Ok(fd) => owned(fd),
        Err(error) => {
            println!("no /dev/kvm here: {error}");
            return Ok(());
        }
    };
    if !cfg!(target_arch = "x86_64") {
        println!("the guest's code is x86_64's");
        return Ok(());
    }
    rung_by_a_guest(&kvm)?;
    interrupts_a_guest(&kvm)
}

fn rung_by_a_guest(kvm: &OwnedFd) -> Result<(), Errno> {
    let machine = owned(ioctl(kvm, KVM_CREATE_VM, 0)?);
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    const KVM_IOEVENTFD_FLAG_PIO: u32 = 2;
    let given = IoEventFd {
        address: 0x10,
        length: 1,
        fd: bell.as_raw_fd(),
        flags: KVM_IOEVENTFD_FLAG_PIO,
        ..IoEventFd::default()
    };
    ioctl(&machine, KVM_IOEVENTFD, (&raw const given).expose_provenance())?;

    // The guest, in real mode: out 0x10, al twice, then hlt, which exits to this program as there is no interrupt
    // controller.
    let memory = map(None, 4096)?;
    let code = [0xe6, 0x10, 0xe6, 0x10, 0xf4];
    // SAFETY: a page of this program's own, longer than the code.
    unsafe { core::ptr::copy_nonoverlapping(code.as_ptr(), memory, code.len()) };
    let region = Region { size: 4096, memory: memory.expose_provenance() as u64, ..Region::default() };
    ioctl(&machine, KVM_SET_USER_MEMORY_REGION, (&raw const region).expose_provenance())?;
    let processor = owned(ioctl(&machine, KVM_CREATE_VCPU, 0)?);
    let shared = map(Some(&processor), ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)?)?;

    // Code at address 0: the base of its segment and its first instruction. `struct kvm_sregs` begins with cs.
    let mut special = [0_u64; 39];
    let address = special.as_mut_ptr().expose_provenance();
    ioctl(&processor, KVM_GET_SREGS, address)?;
    // SAFETY: through the exposed address, as the kernel does.
    let cs = unsafe { &mut *core::ptr::with_exposed_provenance_mut::<[u8; 16]>(address) };
    cs[..8].fill(0); // base
    cs[12..14].fill(0); // selector
    ioctl(&processor, KVM_SET_SREGS, address)?;
    let mut registers = [0_u64; 18];
    registers[17] = 2; // rflags: the bit that is always set; rip is 0
    ioctl(&processor, KVM_SET_REGS, registers.as_mut_ptr().expose_provenance())?;
    ioctl(&processor, KVM_RUN, 0)?;

    // SAFETY: `struct kvm_run` begins there, and the processor is not running.
    let reason = unsafe { shared.wrapping_add(8).cast::<u32>().read_volatile() };
    const KVM_EXIT_HLT: u32 = 5;
    println!(
        "the guest has {}, and rung {:?} times",
        if reason == KVM_EXIT_HLT { "halted" } else { "failed" },
        bell.try_read()?
    );
    Ok(())
}

fn interrupts_a_guest(kvm: &OwnedFd) -> Result<(), Errno> {
    let machine = owned(ioctl(kvm, KVM_CREATE_VM, 0)?);
    ioctl(&machine, KVM_CREATE_IRQCHIP, 0)?;
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    let given = IrqFd { fd: bell.as_raw_fd() as u32, line: 5, ..IrqFd::default() };
    ioctl(&machine, KVM_IRQFD, (&raw const given).expose_provenance())?;

    bell.write(1)?;
    // A worker of the kernel delivers it.
    let requested = (0..1000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(1));
        is_requested(&machine, 5)
    });
    let how = if requested { "" } else { "not " };
    println!("interrupt 5 is {how}requested, and the eventfd holds {:?}", bell.try_read()?);
    Ok(())
}

/// Whether an interrupt is requested at the machine's first interrupt controller.
fn is_requested(machine: &OwnedFd, line: u32) -> bool {
    // `struct kvm_irqchip`: the controller's number, padding, and its registers, of which the second has the requests.
    let mut controller = [0_u8; 520];
    let asked = ioctl(machine, KVM_GET_IRQCHIP, controller.as_mut_ptr().expose_provenance());
    // SAFETY: the kernel has written it through its exposed address.
    let controller = unsafe { (&raw const controller).read_volatile() };
    asked.is_ok() && controller[9] & (1 << line) != 0
}

// `include/uapi/linux/kvm.h`, `arch/x86/include/uapi/asm/kvm.h`.
const KVM_CREATE_VM: usize = 0xae01;
const KVM_GET_VCPU_MMAP_SIZE: usize = 0xae04;
const KVM_CREATE_VCPU: usize = 0xae41;
const KVM_SET_USER_MEMORY_REGION: usize = 0x4020_ae46;
const KVM_CREATE_IRQCHIP: usize = 0xae60;
const KVM_GET_IRQCHIP: usize = 0xc208_ae62;
const KVM_IRQFD: usize = 0x4020_ae76;
const KVM_IOEVENTFD: usize = 0x4040_ae79;
const KVM_RUN: usize = 0xae80;
const KVM_SET_REGS: usize = 0x4090_ae82;
const KVM_GET_SREGS: usize = 0x8138_ae83;
const KVM_SET_SREGS: usize = 0x4138_ae84;
const O_RDWR_CLOEXEC: usize = 0o2000002;

/// `struct kvm_ioeventfd`.
#[repr(C)]
#[derive(Default)]
struct IoEventFd {
    data: u64,
    address: u64,
    length: u32,
    fd: i32,
    flags: u32,
    padding: [u32; 9],
}

/// `struct kvm_irqfd`.
#[repr(C)]
#[derive(Default)]
struct IrqFd {
    fd: u32,
    line: u32,
    flags: u32,
    resample: u32,
    padding: [u32; 4],
}

/// `struct kvm_userspace_memory_region`.
#[repr(C)]
#[derive(Default)]
struct Region {
    slot: u32,
    flags: u32,
    guest: u64,
    size: u64,
    memory: u64,
}

fn owned(fd: usize) -> OwnedFd {
    // SAFETY: the kernel just created it for this program.
    unsafe { OwnedFd::from_raw_fd(fd as i32) }
}

fn ioctl(fd: &OwnedFd, request: usize, argument: usize) -> Result<usize, Errno> {
    // SAFETY: each request is passed the memory that it reads or writes, by address.
    Errno::from_ret(unsafe { syscall3(nr::IOCTL, fd.as_raw_fd() as usize, request, argument) })
}

/// Maps a descriptor's memory, shared, or new memory of this program's own.
fn map(fd: Option<&OwnedFd>, len: usize) -> Result<*mut u8, Errno> {
    const PROT_READ_WRITE: usize = 3;
    const MAP_SHARED: usize = 1;
    const MAP_PRIVATE_ANONYMOUS: usize = 0x22;
    let (flags, fd) = fd.map_or((MAP_PRIVATE_ANONYMOUS, -1), |fd| (MAP_SHARED, fd.as_raw_fd()));
    // SAFETY: no address is requested, so no existing mapping is replaced.
    let address = unsafe { syscall6(nr::MMAP, 0, len, PROT_READ_WRITE, flags, fd as usize, 0) };
    Errno::from_ret(address).map(core::ptr::with_exposed_provenance_mut)
}
