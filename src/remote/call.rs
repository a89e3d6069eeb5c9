//! One call: its memory, its request, its answer.

use super::connection::{Connection, Deadline, Gone, Scratch};
use super::inbox::Inbox;
use super::layout::{ARGS, Layout, Piece, VECTOR_ENTRY, align, place};
use super::wire::{REQUEST, RESPONSE, Request};
use crate::Errno;
use crate::near::{self, MSG_DONTWAIT, MSG_WAITALL};
use crate::nr;
use crate::sysif::{Arg, Error, Features, SyscallInterface};
use core::mem::MaybeUninit;

/// What is asked for at first; a page of the smallest kind.
const SCRATCH: usize = 4096;

// SAFETY: the other process's kernel answers, and its server was vouched for when the connection was made. Of memory that a
// call writes all bytes are copied before the call returns, and nothing touches it afterwards. The stream orders what
// happened before a request before what the request does, and that before what follows its answer.
unsafe impl SyscallInterface for Connection {
    type Error = Error;

    #[inline]
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Error> {
        const { assert!(N <= ARGS, "a system call has at most six arguments") };
        let mut args = args;
        self.call(nr, &mut args)
    }

    #[inline]
    fn features(&self) -> Option<&Features> {
        Some(self.features())
    }
}

impl Connection {
    #[inline]
    fn call(&self, nr: usize, args: &mut [Arg<'_>]) -> Result<usize, Error> {
        let Some(mut inbox) = self.inbox().filter(|_| self.is_open()) else { return Err(Error::NotSent) };
        if inbox.len() > self.owed.get() {
            // Nobody asked for these bytes: whatever comes next would not be an answer to what is asked.
            self.break_off(Gone::OutOfStep);
            return Err(Error::NotSent);
        }
        let deadline = self.deadline();
        let (layout, posted) = {
            let mut pieces = [Piece::Word(0); ARGS];
            for (piece, arg) in pieces.iter_mut().zip(args.iter()) {
                *piece = Piece::of(arg);
            }
            let layout = Layout::new(&pieces);
            self.reserve(&mut inbox, layout.len(), deadline)?;
            let base = self.scratch.get().address;
            let posted = self.post(&mut inbox, nr, &pieces, &layout, base, deadline);
            (layout, posted)
        };
        let (sent, end) = posted?;
        self.answer(&mut inbox, nr, args, &layout, deadline).map_or_else(|why| Err(self.lost(why, sent, end)), from_ret)
    }

    /// Sends a call and what moves its memory. Answers how many bytes were sent, and at which of them the call's request ended.
    #[inline]
    pub(super) fn post(
        &self,
        inbox: &mut Inbox,
        nr: usize,
        pieces: &[Piece<'_>; ARGS],
        layout: &Layout,
        base: usize,
        deadline: Deadline,
    ) -> Result<(usize, usize), Error> {
        let moving = if layout.in_len == 0 { 0 } else { REQUEST.saturating_add(layout.in_len) };
        let end = REQUEST.saturating_add(moving);
        let mut letter = Letter::new(self, inbox, deadline);
        let posted = letter.write_all(nr, pieces, layout, base);
        let sent = letter.sent;
        posted.map(|()| (sent, end)).map_err(|why| self.lost(why, sent, end))
    }

    /// Receives what [`post`](Self::post) asked for.
    #[inline]
    fn answer(
        &self,
        inbox: &mut Inbox,
        nr: usize,
        args: &mut [Arg<'_>],
        layout: &Layout,
        deadline: Deadline,
    ) -> Result<usize, Gone> {
        // Each request is answered with a word, whatever becomes of the memory.
        let words = [true, layout.in_len != 0, layout.out_len != 0].into_iter().filter(|asked| *asked).count();
        if words > 1 {
            self.gather(inbox, words.saturating_mul(RESPONSE), deadline)?;
        }
        if layout.in_len != 0 && self.own_word(inbox, deadline)? != layout.in_len {
            return Err(Gone::OutOfStep);
        }
        let ret = self.own_word(inbox, deadline)?;
        if layout.out_len == 0 {
            return Ok(ret);
        }
        // What the call left alone stays as it is here too, as far as that can be told: the scratch space holds something else.
        let mut written = match Errno::from_ret(ret) {
            Ok(count) if answers_bytes(nr) => count,
            Ok(_) => usize::MAX,
            Err(_) => 0,
        };
        let mut bytes = Incoming { connection: self, inbox, deadline, at: layout.out_start };
        for arg in args.iter_mut() {
            if let Arg::InOut(memory) = arg {
                let memory = core::ptr::slice_from_raw_parts_mut(memory.as_mut_ptr().cast(), memory.len());
                // SAFETY: the same memory for the same borrow; only initialised bytes are written there.
                bytes.receive(unsafe { &mut *memory }, &mut { usize::MAX })?;
            }
        }
        for arg in args.iter_mut() {
            match arg {
                Arg::Out(memory) => bytes.receive(memory, &mut written)?,
                Arg::OutVec(vector) => {
                    for slice in vector.iter_mut() {
                        bytes.receive(slice.as_mut_slice(), &mut written)?;
                    }
                }
                _ => {}
            }
        }
        if self.own_word(inbox, deadline)? != layout.out_len {
            return Err(Gone::OutOfStep);
        }
        Ok(ret)
    }

    /// Makes sure of scratch space for so many bytes, and that the server moves them when asked.
    #[inline]
    pub(super) fn reserve(&self, inbox: &mut Inbox, len: usize, deadline: Deadline) -> Result<(), Error> {
        if self.has_scratch(len) { Ok(()) } else { self.reserve_now(inbox, len, deadline) }
    }

    #[cold]
    #[inline]
    fn reserve_now(&self, inbox: &mut Inbox, len: usize, deadline: Deadline) -> Result<(), Error> {
        let old = self.scratch.get();
        if len > old.len {
            let len = len.max(SCRATCH).checked_next_multiple_of(SCRATCH).ok_or(Errno::ENOMEM)?;
            let address = self.words(inbox, nr::MMAP, near::fresh_memory(len), deadline)?;
            self.scratch.set(Scratch { address, len, mapped: true, proved: old.proved });
            if old.mapped {
                // Its answer says nothing: it was ours, and is whole pages.
                let args = [Arg::Word(old.address), Arg::Word(old.len)];
                self.words(inbox, nr::MUNMAP, args, deadline)?;
            }
        }
        if !old.proved {
            self.prove(inbox, deadline)?;
        }
        Ok(())
    }

    /// Asks for a transfer of nothing in either direction, before any byte depends on it: were a server to refuse only the
    /// transfer and not its bytes, it would take those bytes for requests.
    #[inline]
    fn prove(&self, inbox: &mut Inbox, deadline: Deadline) -> Result<(), Error> {
        let mut scratch = self.scratch.get();
        let (server, here, none) = (|| Arg::from(self.server()), || Arg::Word(scratch.address), || Arg::Word(0));
        self.words(inbox, nr::SENDTO, [server(), here(), none(), none(), none(), none()], deadline)?;
        // A stream on which nothing waits: it would have to wait, and is asked not to.
        let receive = [server(), here(), Arg::Word(1), MSG_DONTWAIT.into(), none(), none()];
        match self.words(inbox, nr::RECVFROM, receive, deadline) {
            Err(Error::Os(Errno::EAGAIN)) => {}
            Err(error) => return Err(error),
            Ok(_) => {
                self.break_off(Gone::OutOfStep);
                return Err(Error::NotSent);
            }
        }
        scratch.proved = true;
        self.scratch.set(scratch);
        Ok(())
    }

    /// A call of the client's own, without memory, in preparation of another: whatever goes wrong, that other was not sent.
    #[inline]
    fn words<const N: usize>(
        &self,
        inbox: &mut Inbox,
        nr: usize,
        args: [Arg<'_>; N],
        deadline: Deadline,
    ) -> Result<usize, Error> {
        let mut pieces = [Piece::Word(0); ARGS];
        for (piece, arg) in pieces.iter_mut().zip(&args) {
            *piece = Piece::of(arg);
        }
        let layout = Layout::new(&pieces);
        self.post(inbox, nr, &pieces, &layout, 0, deadline).map_err(|_| Error::NotSent)?;
        match self.own_word(inbox, deadline) {
            Ok(ret) => from_ret(ret),
            Err(why) => {
                self.break_off(why);
                Err(Error::NotSent)
            }
        }
    }

    /// Obtains scratch space for calls whose memory is at most `len` bytes, so that no later call has to.
    ///
    /// System calls: there, `mmap` (and `munmap` of smaller scratch space), `sendto`, `recvfrom`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EPERM` where a [`Policy`](super::Policy) does not allow them. [`Error::NotSent`].
    #[inline]
    pub fn reserve_scratch(&self, len: usize) -> Result<(), Error> {
        let Some(mut inbox) = self.inbox().filter(|_| self.is_open()) else { return Err(Error::NotSent) };
        self.reserve(&mut inbox, len.max(1), self.deadline())
    }
}

#[inline]
fn from_ret(ret: usize) -> Result<usize, Error> {
    Errno::from_ret(ret).map_err(Error::Os)
}

/// Whether a call answers how many bytes it wrote. Of others it is not known, and all of their memory is taken as written.
#[inline]
const fn answers_bytes(nr: usize) -> bool {
    matches!(nr, nr::READ | nr::PREAD64 | nr::READV | nr::PREADV | nr::PREADV2 | nr::RECVFROM | nr::GETRANDOM)
}

/// The bytes of a call's memory as they come back.
struct Incoming<'a> {
    connection: &'a Connection,
    inbox: &'a mut Inbox,
    deadline: Deadline,
    /// The place of the next byte.
    at: usize,
}

impl Incoming<'_> {
    /// Receives what came of this memory, of which the first `written` bytes count: those of the memory are subtracted.
    #[inline]
    fn receive(&mut self, to: &mut [MaybeUninit<u8>], written: &mut usize) -> Result<(), Gone> {
        self.skip(align(self.at).saturating_sub(self.at))?;
        let len = to.len();
        let wanted = len.min(*written);
        *written = written.saturating_sub(wanted);
        self.connection.own_bytes(self.inbox, to.get_mut(..wanted).unwrap_or_default(), self.deadline)?;
        self.skip(len.saturating_sub(wanted))?;
        place(&mut self.at, len);
        Ok(())
    }

    #[inline]
    fn skip(&mut self, mut count: usize) -> Result<(), Gone> {
        let mut nowhere = [MaybeUninit::uninit(); 128];
        while count != 0 {
            let now = count.min(nowhere.len());
            self.connection.own_bytes(self.inbox, nowhere.get_mut(..now).unwrap_or_default(), self.deadline)?;
            count = count.saturating_sub(now);
        }
        Ok(())
    }
}

/// What is about to be sent: small parts are gathered, so that most calls are one `sendto`.
pub(super) struct Letter<'a> {
    connection: &'a Connection,
    inbox: &'a mut Inbox,
    deadline: Deadline,
    bytes: [u8; LETTER],
    len: usize,
    /// How many bytes the kernel has taken.
    pub(super) sent: usize,
}

/// Three requests and a few small structures.
const LETTER: usize = 256;

impl<'a> Letter<'a> {
    #[inline]
    pub(super) fn new(connection: &'a Connection, inbox: &'a mut Inbox, deadline: Deadline) -> Self {
        Self { connection, inbox, deadline, bytes: [0; LETTER], len: 0, sent: 0 }
    }

    #[inline]
    fn write_all(&mut self, nr: usize, pieces: &[Piece<'_>; ARGS], layout: &Layout, base: usize) -> Result<(), Gone> {
        let server = word(self.connection.server());
        if layout.in_len != 0 {
            self.request(nr::RECVFROM, [server, base, layout.in_len, MSG_WAITALL as usize, 0, 0])?;
            self.memory(pieces, layout, base)?;
        }
        self.request(nr, layout.words(base))?;
        if layout.out_len != 0 {
            self.request(nr::SENDTO, [server, base.wrapping_add(layout.out_start), layout.out_len, 0, 0, 0])?;
        }
        self.flush()
    }

    /// The memory that the call reads, in the order of its places.
    #[inline]
    fn memory(&mut self, pieces: &[Piece<'_>; ARGS], layout: &Layout, base: usize) -> Result<(), Gone> {
        let mut at = 0;
        for (piece, target) in pieces.iter().zip(layout.targets) {
            match piece {
                Piece::In(memory) => self.part(&mut at, memory)?,
                Piece::OutVec(vector) => {
                    let mut target = base.wrapping_add(target);
                    for slice in *vector {
                        // The vector of the other process: the same lengths, its addresses.
                        let here = place(&mut target, slice.len());
                        self.part(&mut at, &entry(here, slice.len()))?;
                    }
                }
                _ => {}
            }
        }
        for piece in pieces {
            if let Piece::InOut(memory) = piece {
                self.part(&mut at, memory)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn part(&mut self, at: &mut usize, bytes: &[u8]) -> Result<(), Gone> {
        let padding = align(*at).saturating_sub(*at);
        self.write([0; 8].get(..padding).unwrap_or_default())?;
        place(at, bytes.len());
        self.write(bytes)
    }

    #[inline]
    pub(super) fn request(&mut self, nr: usize, args: [usize; ARGS]) -> Result<(), Gone> {
        self.write(&Request { nr, args }.to_bytes())
    }

    #[inline]
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let end = self.len.saturating_add(bytes.len());
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
            self.len = end;
            return Ok(());
        }
        self.flush()?;
        match self.bytes.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len = bytes.len();
                Ok(())
            }
            None => self.connection.send(self.inbox, bytes, self.deadline, &mut self.sent),
        }
    }

    #[inline]
    pub(super) fn flush(&mut self) -> Result<(), Gone> {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        self.len = 0;
        self.connection.send(self.inbox, bytes, self.deadline, &mut self.sent)
    }
}

/// `struct iovec`.
#[inline]
fn entry(base: usize, len: usize) -> [u8; VECTOR_ENTRY] {
    // SAFETY: the same size: two integers and no padding, all initialised.
    unsafe { core::mem::transmute::<[usize; 2], [u8; VECTOR_ENTRY]>([base, len]) }
}

/// A descriptor as a word.
#[inline]
pub(super) fn word(fd: near::FileDescriptor) -> usize {
    Arg::from(fd).word()
}
