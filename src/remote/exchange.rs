//! One call: its memory, its requests, its answer, and what is known of it if none comes.

use super::answers::{Answers, Receipt};
use super::disconnect::Disconnect;
use super::layout::{ARGS, Layout, Piece, Shape};
use super::memory::{Sink, Source, read_memory, write_memory, written};
use super::peer::Peer;
use super::scratch::{ReserveError, Scratch};
use super::stream::{Deadline, deadline_after};
use super::wire::Request;
use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{FileDescriptor, MSG_NOSIGNAL, MSG_WAITALL, Shutdown};
use crate::nr;
use crate::sysif::{Arg, Error};
use core::mem::MaybeUninit;
use core::time::Duration;

/// All that a client knows of its server.
pub(super) struct Exchange {
    answers: Answers,
    scratch: Scratch,
    /// The server's file descriptor for its end, in its own table.
    server: FileDescriptor,
    /// Whether requests can still be sent.
    open: bool,
    /// Whether a pipeline exists.
    piped: bool,
    /// Why the stream was shut down, if it was.
    disconnect: Option<Disconnect>,
    /// How many requests the server has ever claimed, once the others are revoked.
    claimed: Option<u64>,
    /// Whether a server that shares this process's descriptor table may still be in a call that was given up.
    stray: bool,
}

impl Exchange {
    #[inline]
    pub(super) const fn new(answers: Answers, scratch: Scratch, server: FileDescriptor) -> Self {
        Self { answers, scratch, server, open: true, piped: false, disconnect: None, claimed: None, stray: false }
    }

    #[inline]
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    #[inline]
    pub(super) const fn is_stray(&self) -> bool {
        self.stray
    }

    #[inline]
    pub(super) const fn peer(&self) -> Option<&Peer> {
        self.answers.stream().peer()
    }

    #[inline]
    pub(super) const fn answers(&mut self) -> &mut Answers {
        &mut self.answers
    }

    /// Whether memory of `len` bytes can be moved without another call.
    #[inline]
    pub(super) const fn has_scratch(&self, len: usize) -> bool {
        self.scratch.has(len)
    }

    /// Returns when a call that begins now must be answered.
    #[inline]
    pub(super) fn begin(&mut self, timeout: Option<Duration>) -> Deadline {
        self.answers.stream_mut().begin(timeout)
    }

    /// Prepares for calls with this timeout.
    #[inline]
    pub(super) fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.answers.stream_mut().set_timeout(timeout);
    }

    /// Refuses a call that cannot be made any more.
    #[inline]
    pub(super) fn check(&mut self) -> Result<(), Error> {
        if self.open && self.answers.has_unsolicited() {
            self.abort(Disconnect::OutOfStep);
        }
        if self.open { Ok(()) } else { Err(Error::NotSent) }
    }

    /// Makes a call of words only.
    #[inline]
    pub(super) fn call_words(&mut self, nr: usize, args: [usize; ARGS], deadline: Deadline) -> Result<usize, Error> {
        self.check()?;
        match self.answers.request(Request { nr, args }, deadline) {
            (_, Ok(ret)) => from_ret(ret),
            (receipt, Err(why)) => Err(self.fail(why, receipt)),
        }
    }

    /// Makes a call.
    #[inline]
    pub(super) fn call(&mut self, nr: usize, args: &mut [Arg<'_>], deadline: Deadline) -> Result<usize, Error> {
        self.check()?;
        let (layout, receipt) = {
            let mut pieces = [Piece::Word(0); ARGS];
            for (piece, arg) in pieces.iter_mut().zip(args.iter()) {
                *piece = Piece::of(arg);
            }
            let layout = Layout::new(&pieces);
            if let Some(page) = self.peer().map(Peer::page).filter(|page| page.has(layout.len())) {
                let base = page.memory_address();
                if write_memory(&mut page.cursor(0), &pieces, &layout, base).is_ok() {
                    return self.call_in_page(nr, args, &layout, base, deadline);
                }
            }
            let receipt = self.post(nr, &pieces, &layout, deadline)?;
            (layout, receipt)
        };
        self.answer(nr, args, &layout, deadline).map_or_else(|why| Err(self.fail(why, receipt)), from_ret)
    }

    /// Makes a call whose memory lies in the page that both processes share.
    #[inline]
    fn call_in_page(
        &mut self,
        nr: usize,
        args: &mut [Arg<'_>],
        layout: &Layout,
        base: usize,
        deadline: Deadline,
    ) -> Result<usize, Error> {
        let (receipt, answer) = self.answers.request(Request { nr, args: layout.words(base) }, deadline);
        let answer = answer.and_then(|ret| {
            let Some(page) = self.peer().map(Peer::page).filter(|_| layout.out_len != 0) else { return Ok(ret) };
            read_memory(page.cursor(layout.out_start), args, layout, written(nr, ret)).map(|()| ret)
        });
        answer.map_or_else(|why| Err(self.fail(why, receipt)), from_ret)
    }

    /// Sends a call and what moves its memory.
    #[inline]
    pub(super) fn post(
        &mut self,
        nr: usize,
        pieces: &[Piece<'_>; ARGS],
        layout: &Layout,
        deadline: Deadline,
    ) -> Result<Receipt, Error> {
        self.reserve(layout.len(), deadline)?;
        let base = self.scratch.address();
        let words = layout.words(base);
        let back = (layout.out_len != 0).then(|| (base.wrapping_add(layout.out_start), layout.out_len));
        self.write(
            layout.in_len,
            |outgoing| write_memory(outgoing, pieces, layout, base),
            Request { nr, args: words },
            back,
            deadline,
        )
    }

    /// Sends `len` bytes for the scratch space, which `memory` writes, then a request, and then one for memory that
    /// comes back.
    #[inline]
    fn write(
        &mut self,
        len: usize,
        memory: impl FnOnce(&mut Outgoing<'_>) -> Result<(), Disconnect>,
        request: Request,
        back: Option<(usize, usize)>,
        deadline: Deadline,
    ) -> Result<Receipt, Error> {
        let server = Arg::from(self.server).word();
        let base = self.scratch.address();
        let mut outgoing = Outgoing::new(&mut self.answers, deadline);
        let mut receipt = None;
        let written = (|| {
            if len != 0 {
                let args = [server, base, len, MSG_WAITALL as usize, 0, 0];
                outgoing.request(Request { nr: nr::RECVFROM, args })?;
                memory(&mut outgoing)?;
            }
            receipt = Some(outgoing.request(request)?);
            if let Some((address, len)) = back {
                outgoing.request(Request { nr: nr::SENDTO, args: [server, address, len, 0, 0, 0] })?;
            }
            outgoing.flush()
        })();
        match (written, receipt) {
            (Ok(()), Some(receipt)) => Ok(receipt),
            (Err(why), Some(receipt)) => Err(self.fail(why, receipt)),
            (why, None) => {
                self.abort(why.err().unwrap_or(Disconnect::Ended));
                Err(Error::NotSent)
            }
        }
    }

    /// Makes a call that returns only if it fails, with `len` bytes of memory that `memory` writes: they lie at
    /// [`scratch_address`](Self::scratch_address).
    ///
    /// The end of the stream is its success, unless `executed` knows better of a server that this process forked. Where
    /// that server shares this process's descriptor table the stream does not end with the program: then `executed` is
    /// called from time to time.
    #[inline]
    pub(super) fn call_without_return(
        &mut self,
        len: usize,
        memory: impl FnOnce(&mut Outgoing<'_>) -> Result<(), Disconnect>,
        request: Request,
        deadline: Deadline,
        executed: impl Fn(&Peer) -> Option<bool>,
    ) -> Result<(), Error> {
        let receipt = self.write(len, memory, request, None, deadline)?;
        let moved = if len == 0 { Ok(len) } else { self.answers.word(deadline) };
        let answer = match moved {
            Ok(moved) if moved == len => self.word_unless(deadline, &executed),
            Ok(_) => Err(Disconnect::OutOfStep),
            Err(why) => Err(why),
        };
        let why = match answer.map(Errno::from_ret) {
            Ok(Err(errno)) => {
                self.answers.settle();
                return Err(Error::Os(errno));
            }
            // The kernel never says so.
            Ok(Ok(_)) => Disconnect::OutOfStep,
            Err(why) => why,
        };
        let executed = self.peer().and_then(executed);
        if executed == Some(true) {
            // What runs there now is no server, and not killed.
            self.open = false;
            self.disconnect = Some(Disconnect::Ended);
            self.unshared();
            return Ok(());
        }
        match self.fail(why, receipt) {
            Error::Hangup if why == Disconnect::Ended && executed.is_none() => Ok(()),
            error => Err(error),
        }
    }

    /// Makes the server send a duplicate of one of its file descriptors over the stream.
    #[inline]
    pub(super) fn receive_fd(&mut self, fd: FileDescriptor, deadline: Deadline) -> Result<OwnedFd, Error> {
        // `include/linux/socket.h`
        const SOL_SOCKET: i32 = 1;
        const SCM_RIGHTS: i32 = 1;
        const WORD: usize = size_of::<usize>();
        /// `struct cmsghdr`, and one file descriptor.
        const CONTROL: usize = WORD + 12;
        /// `struct iovec`, `struct user_msghdr` and the control message, and the byte with which it travels.
        const LEN: usize = 9 * WORD + CONTROL + 1;
        if self.answers.owed() != 0 {
            // What arrives before it would have to be told from it.
            return Err(Errno::EBUSY.into());
        }
        if let Err(why) = self.answers.skip_unwanted(deadline) {
            self.abort(why);
            return Err(Error::NotSent);
        }
        self.reserve(LEN, deadline)?;
        let base = self.scratch.address();
        let [message, control, byte] = [2 * WORD, 9 * WORD, LEN - 1].map(|place| base.wrapping_add(place));
        let memory = |outgoing: &mut Outgoing<'_>| {
            for word in [byte, 1, 0, 0, base, 1, control, CONTROL, 0, CONTROL] {
                outgoing.write(&word.to_ne_bytes())?;
            }
            for half in [SOL_SOCKET, SCM_RIGHTS, fd.0] {
                outgoing.write(&half.to_ne_bytes())?;
            }
            outgoing.write(&[0])
        };
        let server = Arg::from(self.server).word();
        let request = Request { nr: nr::SENDMSG, args: [server, message, MSG_NOSIGNAL as usize, 0, 0, 0] };
        let receipt = self.write(LEN, memory, request, None, deadline)?;
        match self.answers.word_with_fd(LEN, deadline) {
            Ok((ret, fd)) => {
                self.answers.settle();
                // The byte has arrived without it where there is no room for it here.
                from_ret(ret).and_then(|_| fd.ok_or(Errno::EMFILE.into()))
            }
            Err(why) => Err(self.fail(why, receipt)),
        }
    }

    /// Receives the next word of the answer to the last call, unless the server has executed a program.
    #[inline]
    fn word_unless(
        &mut self,
        deadline: Deadline,
        executed: &impl Fn(&Peer) -> Option<bool>,
    ) -> Result<usize, Disconnect> {
        /// An `execve` takes some tenths of a millisecond.
        const FIRST: u64 = 100_000;
        const LONGEST: u64 = 20_000_000;
        if !self.peer().is_some_and(Peer::shares_table) {
            return self.answers.word(deadline);
        }
        let mut nanoseconds = FIRST;
        loop {
            let next = deadline_after(Duration::from_nanos(nanoseconds));
            let is_last = deadline.is_some_and(|deadline| deadline <= next);
            match self.answers.word(if is_last { deadline } else { Some(next) }) {
                Err(Disconnect::TimedOut) if self.peer().and_then(executed) == Some(true) => {
                    return Err(Disconnect::Ended);
                }
                Err(Disconnect::TimedOut) if !is_last => nanoseconds = nanoseconds.saturating_mul(2).min(LONGEST),
                answer => return answer,
            }
        }
    }

    #[inline]
    pub(super) const fn scratch_address(&self) -> usize {
        self.scratch.address()
    }

    /// Receives what [`post`](Self::post) requested.
    #[inline]
    fn answer(
        &mut self,
        nr: usize,
        args: &mut [Arg<'_>],
        layout: &Layout,
        deadline: Deadline,
    ) -> Result<usize, Disconnect> {
        let shape = layout.shape();
        // Each request is answered with a word, whatever becomes of the memory.
        if shape.requests() > 1 {
            self.answers.gather(shape.requests(), deadline)?;
        }
        if shape.in_len != 0 && self.answers.word(deadline)? != shape.in_len {
            return Err(Disconnect::OutOfStep);
        }
        let ret = self.answers.word(deadline)?;
        if shape.out_len != 0 {
            let source = Arriving { answers: &mut self.answers, deadline };
            read_memory(source, args, layout, written(nr, ret))?;
            if self.answers.word(deadline)? != shape.out_len {
                return Err(Disconnect::OutOfStep);
            }
        }
        self.answers.settle();
        Ok(ret)
    }

    /// Makes sure of scratch space for `len` bytes. Whatever goes wrong, the call that needs it was not sent.
    #[inline]
    pub(super) fn reserve(&mut self, len: usize, deadline: Deadline) -> Result<(), Error> {
        if self.scratch.has(len) {
            return Ok(());
        }
        match self.scratch.reserve(&mut self.answers, self.server, len, deadline) {
            Ok(()) => Ok(()),
            Err(ReserveError::Os(errno)) => Err(Error::Os(errno)),
            Err(ReserveError::Disconnected(why)) => {
                self.abort(why);
                Err(Error::NotSent)
            }
        }
    }

    /// Begins a pipeline, unless there is one.
    #[inline]
    pub(super) const fn open_pipeline(&mut self) -> bool {
        !core::mem::replace(&mut self.piped, true)
    }

    /// Receives the first answer that is owed to the pipeline.
    #[inline]
    pub(super) fn first_owed(
        &mut self,
        shape: Shape,
        receipt: Receipt,
        out: &mut [u8],
        deadline: Deadline,
    ) -> Result<usize, Disconnect> {
        match self.disconnect {
            // No byte is believed any more. After other ends those answers count that have arrived.
            Some(Disconnect::OutOfStep) => Err(Disconnect::OutOfStep),
            _ => self.answers.first_owed(shape, receipt, out, deadline),
        }
    }

    /// Ends the pipeline; its answers that are outstanding are skipped.
    #[inline]
    pub(super) fn close_pipeline(&mut self) {
        self.answers.abandon();
        self.piped = false;
    }

    /// Ends the sending direction.
    #[inline]
    pub(super) fn finish(&mut self) {
        self.open = false;
        self.answers.stream().shutdown(Shutdown::Write);
    }

    /// Ends the connection. What the server has not claimed is never executed; if it shares this process's descriptor
    /// table and executes a call, it is killed, for the numbers in that call may soon be other files'.
    #[cold]
    #[inline]
    pub(super) fn abort(&mut self, why: Disconnect) {
        self.open = false;
        if self.disconnect.is_some() {
            return;
        }
        self.disconnect = Some(why);
        self.answers.stream().shutdown(Shutdown::Both);
        let Some(peer) = self.answers.stream().peer() else { return };
        let claimed = peer.page().claims().revoke(self.answers.answered());
        self.claimed = Some(claimed);
        if peer.shares_table() && self.answers.is_executing(claimed) {
            peer.kill();
            self.stray = !peer.has_ended();
        }
    }

    /// Ends the connection, and returns the error of a call that was posted and not answered.
    #[cold]
    #[inline]
    pub(super) fn fail(&mut self, why: Disconnect, receipt: Receipt) -> Error {
        self.abort(why);
        self.error(receipt)
    }

    /// The error of a call without an answer, on a connection that has ended.
    #[inline]
    pub(super) fn error(&self, receipt: Receipt) -> Error {
        let executed = match self.claimed {
            Some(claimed) => claimed >= receipt.index,
            None => self.answers.is_sent(receipt),
        };
        if executed { Error::Hangup } else { Error::NotSent }
    }

    /// From now on the server has a descriptor table of its own.
    #[inline]
    pub(super) fn unshared(&mut self) {
        if let Some(peer) = self.answers.stream_mut().peer_mut() {
            peer.unshared();
        }
    }

    /// Leaves the server, which ends.
    #[inline]
    pub(super) fn end(&mut self) {
        if self.peer().is_none() {
            // A server that outlives the connection would keep the scratch space for ever. The request is left with it,
            // for it may be in a call that never ends.
            if let Some(request) = self.scratch.unmap().filter(|_| self.open) {
                self.answers.stream().send_last(&request.to_bytes());
            }
            return;
        }
        let ended = self.disconnect == Some(Disconnect::Ended);
        if self.disconnect.is_none() {
            self.answers.drain();
        }
        self.abort(Disconnect::Closed);
        let busy = !ended && self.claimed.is_some_and(|claimed| self.answers.is_executing(claimed));
        if let Some(peer) = self.answers.stream_mut().peer_mut() {
            peer.end(busy);
        }
    }
}

#[inline]
fn from_ret(ret: usize) -> Result<usize, Error> {
    Errno::from_ret(ret).map_err(Error::Os)
}

/// The bytes of a call's memory as they arrive.
struct Arriving<'a> {
    answers: &'a mut Answers,
    deadline: Deadline,
}

impl Source for Arriving<'_> {
    #[inline]
    fn read(&mut self, to: &mut [MaybeUninit<u8>]) -> Result<(), Disconnect> {
        self.answers.bytes(to, self.deadline)
    }

    #[inline]
    fn skip(&mut self, mut count: usize) -> Result<(), Disconnect> {
        let mut nowhere = [MaybeUninit::uninit(); 128];
        while count != 0 {
            let now = count.min(nowhere.len());
            self.read(nowhere.get_mut(..now).unwrap_or_default())?;
            count = count.saturating_sub(now);
        }
        Ok(())
    }
}

/// A buffer of what is to be sent: small parts are gathered, so that most calls are one `sendto`.
pub(super) struct Outgoing<'a> {
    answers: &'a mut Answers,
    deadline: Deadline,
    bytes: [u8; BUFFER],
    len: usize,
}

/// Three requests and a few small structures.
const BUFFER: usize = 256;

impl<'a> Outgoing<'a> {
    #[inline]
    const fn new(answers: &'a mut Answers, deadline: Deadline) -> Self {
        Self { answers, deadline, bytes: [0; BUFFER], len: 0 }
    }

    #[inline]
    fn request(&mut self, request: Request) -> Result<Receipt, Disconnect> {
        let receipt = self.answers.count(self.len);
        self.write(&request.to_bytes()).map(|()| receipt)
    }

    #[inline]
    fn flush(&mut self) -> Result<(), Disconnect> {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        self.len = 0;
        self.answers.send(bytes, self.deadline)
    }
}

impl Sink for Outgoing<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), Disconnect> {
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
            None => self.answers.send(bytes, self.deadline),
        }
    }
}
