//! One call: its memory, its requests, its response, and the error if there is none.

use super::disconnect::Disconnect;
use super::layout::{ARGS, Layout, Piece};
use super::memory::{Sink, Source, read_memory, write_memory, written};
use super::peer::Peer;
use super::responses::{Receipt, Responses};
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

/// The client's state of a connection.
pub(super) struct Exchange {
    responses: Responses,
    scratch: Scratch,
    /// The server's file descriptor of its end, in its own table.
    server: FileDescriptor,
    /// Whether requests can still be sent.
    open: bool,
    /// Whether a pipeline exists.
    has_pipeline: bool,
    /// Why the stream was shut down, if it was.
    disconnect: Option<Disconnect>,
    /// The number of requests that the server has ever claimed, once the others are revoked.
    claimed: Option<u64>,
    /// Whether a server that shares this process's descriptor table may still execute an abandoned call.
    may_execute: bool,
}

impl Exchange {
    #[inline]
    pub(super) const fn new(responses: Responses, scratch: Scratch, server: FileDescriptor) -> Self {
        Self {
            responses,
            scratch,
            server,
            open: true,
            has_pipeline: false,
            disconnect: None,
            claimed: None,
            may_execute: false,
        }
    }

    #[inline]
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    #[inline]
    pub(super) const fn may_still_execute(&self) -> bool {
        self.may_execute
    }

    #[inline]
    pub(super) const fn peer(&self) -> Option<&Peer> {
        self.responses.stream().peer()
    }

    #[inline]
    pub(super) const fn responses(&mut self) -> &mut Responses {
        &mut self.responses
    }

    /// Returns whether memory of `len` bytes can be transferred without another call.
    #[inline]
    pub(super) const fn has_scratch(&self, len: usize) -> bool {
        self.scratch.has(len)
    }

    /// Returns the deadline of a call that begins now.
    #[inline]
    pub(super) fn begin(&mut self, timeout: Option<Duration>) -> Deadline {
        self.responses.stream_mut().begin(timeout)
    }

    /// Prepares for calls with this timeout.
    #[inline]
    pub(super) fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.responses.stream_mut().set_timeout(timeout);
    }

    /// Fails if calls cannot be made any more.
    #[inline]
    pub(super) fn check(&mut self) -> Result<(), Error> {
        if self.open && self.responses.has_unsolicited() {
            self.abort(Disconnect::OutOfStep);
        }
        if self.open { Ok(()) } else { Err(Error::NotSent) }
    }

    /// Makes a call without memory.
    #[inline]
    pub(super) fn call_words(&mut self, nr: usize, args: [usize; ARGS], deadline: Deadline) -> Result<usize, Error> {
        self.check()?;
        match self.responses.request(Request { nr, args }, deadline) {
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
        self.receive_response(nr, args, &layout, deadline).map_or_else(|why| Err(self.fail(why, receipt)), from_ret)
    }

    /// Makes a call whose memory is in the page that both processes share.
    #[inline]
    fn call_in_page(
        &mut self,
        nr: usize,
        args: &mut [Arg<'_>],
        layout: &Layout,
        base: usize,
        deadline: Deadline,
    ) -> Result<usize, Error> {
        let (receipt, response) = self.responses.request(Request { nr, args: layout.words(base) }, deadline);
        let response = response.and_then(|ret| {
            let Some(page) = self.peer().map(Peer::page).filter(|_| layout.out_len != 0) else { return Ok(ret) };
            read_memory(page.cursor(layout.out_start), args, layout, written(nr, ret)).map(|()| ret)
        });
        response.map_or_else(|why| Err(self.fail(why, receipt)), from_ret)
    }

    /// Sends a call, with the requests that transfer its memory.
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

    /// Sends `len` bytes for the scratch space, written by `memory`, then a request, and then a request for the memory
    /// that is returned (`back`).
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
        let mut outgoing = Outgoing::new(&mut self.responses, deadline);
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

    /// Makes a call that returns only if it fails, with `len` bytes of memory at
    /// [`scratch_address`](Self::scratch_address), written by `memory`.
    ///
    /// The end of the stream means success, unless `executed`, which is called for a forked server, returns otherwise.
    /// If that server shares this process's descriptor table the stream does not end with a successful `execve`: then
    /// `executed` is called repeatedly.
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
        let moved = if len == 0 { Ok(len) } else { self.responses.word(deadline) };
        let response = match moved {
            Ok(moved) if moved == len => self.word_unless(deadline, &executed),
            Ok(_) => Err(Disconnect::OutOfStep),
            Err(why) => Err(why),
        };
        let why = match response.map(Errno::from_ret) {
            Ok(Err(errno)) => {
                self.responses.complete_all();
                return Err(Error::Os(errno));
            }
            // Such a call never returns success.
            Ok(Ok(_)) => Disconnect::OutOfStep,
            Err(why) => why,
        };
        let executed = self.peer().and_then(executed);
        if executed == Some(true) {
            // The process is not a server any more, and is not killed.
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
        if self.responses.owed() != 0 {
            // Pending responses could not be told from the message with the file descriptor.
            return Err(Errno::EBUSY.into());
        }
        if let Err(why) = self.responses.skip_abandoned(deadline) {
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
        match self.responses.word_with_fd(LEN, deadline) {
            Ok((ret, fd)) => {
                self.responses.complete_all();
                // Without a free file descriptor here the kernel delivers only the byte.
                from_ret(ret).and_then(|_| fd.ok_or(Errno::EMFILE.into()))
            }
            Err(why) => Err(self.fail(why, receipt)),
        }
    }

    /// Receives the next word of the response to the last call, or fails with `Ended` if the server has executed a
    /// program.
    #[inline]
    fn word_unless(
        &mut self,
        deadline: Deadline,
        executed: &impl Fn(&Peer) -> Option<bool>,
    ) -> Result<usize, Disconnect> {
        /// The first interval; an `execve` takes some tenths of a millisecond.
        const FIRST: u64 = 100_000;
        const LONGEST: u64 = 20_000_000;
        if !self.peer().is_some_and(Peer::shares_table) {
            return self.responses.word(deadline);
        }
        let deadline = self.responses.stream_mut().fix(deadline);
        let mut nanoseconds = FIRST;
        loop {
            let next = deadline_after(Duration::from_nanos(nanoseconds));
            let is_last = deadline.is_some_and(|deadline| deadline <= next);
            match self.responses.word(if is_last { deadline } else { Some(next) }) {
                Err(Disconnect::TimedOut) if self.peer().and_then(executed) == Some(true) => {
                    return Err(Disconnect::Ended);
                }
                Err(Disconnect::TimedOut) if !is_last => nanoseconds = nanoseconds.saturating_mul(2).min(LONGEST),
                response => return response,
            }
        }
    }

    #[inline]
    pub(super) const fn scratch_address(&self) -> usize {
        self.scratch.address()
    }

    /// Receives the response to a [`post`](Self::post).
    #[inline]
    fn receive_response(
        &mut self,
        nr: usize,
        args: &mut [Arg<'_>],
        layout: &Layout,
        deadline: Deadline,
    ) -> Result<usize, Disconnect> {
        let shape = layout.shape();
        // Each request has a response of one word, even if the transfer of memory fails.
        if shape.requests() > 1 {
            self.responses.gather(shape.requests(), deadline)?;
        }
        if shape.in_len != 0 && self.responses.word(deadline)? != shape.in_len {
            return Err(Disconnect::OutOfStep);
        }
        let ret = self.responses.word(deadline)?;
        if shape.out_len != 0 {
            let source = Arriving { responses: &mut self.responses, deadline };
            read_memory(source, args, layout, written(nr, ret))?;
            if self.responses.word(deadline)? != shape.out_len {
                return Err(Disconnect::OutOfStep);
            }
        }
        self.responses.complete_all();
        Ok(ret)
    }

    /// Ensures scratch space for `len` bytes. On any error the call that needs it was not sent.
    #[inline]
    pub(super) fn reserve(&mut self, len: usize, deadline: Deadline) -> Result<(), Error> {
        if self.scratch.has(len) {
            return Ok(());
        }
        match self.scratch.reserve(&mut self.responses, self.server, len, deadline) {
            Ok(()) => Ok(()),
            Err(ReserveError::Os(errno)) => Err(Error::Os(errno)),
            Err(ReserveError::Disconnected(why)) => {
                self.abort(why);
                Err(Error::NotSent)
            }
        }
    }

    /// Begins a pipeline; returns `false` if there is one already.
    #[inline]
    pub(super) const fn open_pipeline(&mut self) -> bool {
        !core::mem::replace(&mut self.has_pipeline, true)
    }

    /// Returns the responses, unless the stream has delivered invalid data: then no byte is trusted any more. After
    /// other ends, responses that have arrived are valid.
    #[inline]
    pub(super) fn valid_responses(&mut self) -> Result<&mut Responses, Disconnect> {
        match self.disconnect {
            Some(Disconnect::OutOfStep) => Err(Disconnect::OutOfStep),
            _ => Ok(&mut self.responses),
        }
    }

    /// Ends the pipeline; its outstanding responses are skipped.
    #[inline]
    pub(super) fn close_pipeline(&mut self) {
        self.responses.abandon();
        self.has_pipeline = false;
    }

    /// Shuts down sending.
    #[inline]
    pub(super) fn finish(&mut self) {
        self.open = false;
        self.responses.stream().shutdown(Shutdown::Write);
    }

    /// Aborts the connection. Requests that the server has not claimed are never executed. If it shares this process's
    /// descriptor table and is executing a call, it is killed, because the file descriptors of that call may be reused.
    #[cold]
    #[inline]
    pub(super) fn abort(&mut self, why: Disconnect) {
        self.open = false;
        if self.disconnect.is_some() {
            return;
        }
        self.disconnect = Some(why);
        self.responses.stream().shutdown(Shutdown::Both);
        let Some(peer) = self.responses.stream().peer() else { return };
        let claimed = peer.page().claims().revoke(self.responses.completed());
        self.claimed = Some(claimed);
        if peer.shares_table() && self.responses.is_executing(claimed) {
            peer.kill();
            self.may_execute = !peer.has_ended();
        }
    }

    /// Aborts the connection, and returns the error of a call that was posted and has no response.
    #[cold]
    #[inline]
    pub(super) fn fail(&mut self, why: Disconnect, receipt: Receipt) -> Error {
        self.abort(why);
        self.error(receipt)
    }

    /// Returns the error of a call without a response, on a connection that has ended.
    #[inline]
    pub(super) fn error(&self, receipt: Receipt) -> Error {
        let executed = match self.claimed {
            Some(claimed) => claimed >= receipt.index,
            None => self.responses.is_sent(receipt),
        };
        if executed { Error::Hangup } else { Error::NotSent }
    }

    /// Records that the server has its own descriptor table from now on.
    #[inline]
    pub(super) fn unshared(&mut self) {
        if let Some(peer) = self.responses.stream_mut().peer_mut() {
            peer.unshared();
        }
    }

    /// Ends the connection, and with it the server.
    #[inline]
    pub(super) fn end(&mut self) {
        if self.peer().is_none() {
            // A server that outlives the connection would leak the scratch space. The response is not awaited, because
            // the server may be in a call that never returns.
            if let Some(request) = self.scratch.unmap().filter(|_| self.open) {
                self.responses.stream().send_last(&request.to_bytes());
            }
            return;
        }
        let ended = self.disconnect == Some(Disconnect::Ended);
        if self.disconnect.is_none() {
            self.responses.drain();
        }
        self.abort(Disconnect::Closed);
        let busy = !ended && self.claimed.is_some_and(|claimed| self.responses.is_executing(claimed));
        if let Some(peer) = self.responses.stream_mut().peer_mut() {
            peer.end(busy);
        }
    }
}

#[inline]
fn from_ret(ret: usize) -> Result<usize, Error> {
    Errno::from_ret(ret).map_err(Error::Os)
}

/// The memory of a call, read from the stream.
struct Arriving<'a> {
    responses: &'a mut Responses,
    deadline: Deadline,
}

impl Source for Arriving<'_> {
    #[inline]
    fn read(&mut self, to: &mut [MaybeUninit<u8>]) -> Result<(), Disconnect> {
        self.responses.bytes(to, self.deadline)
    }

    #[inline]
    fn skip(&mut self, mut count: usize) -> Result<(), Disconnect> {
        let mut discarded = [MaybeUninit::uninit(); 128];
        while count != 0 {
            let now = count.min(discarded.len());
            self.read(discarded.get_mut(..now).unwrap_or_default())?;
            count = count.saturating_sub(now);
        }
        Ok(())
    }
}

/// A send buffer: small parts are collected, so that most calls are one `sendto`.
pub(super) struct Outgoing<'a> {
    responses: &'a mut Responses,
    deadline: Deadline,
    bytes: [u8; BUFFER],
    len: usize,
}

/// Room for three requests and a few small structures.
const BUFFER: usize = 256;

impl<'a> Outgoing<'a> {
    #[inline]
    const fn new(responses: &'a mut Responses, deadline: Deadline) -> Self {
        Self { responses, deadline, bytes: [0; BUFFER], len: 0 }
    }

    #[inline]
    fn request(&mut self, request: Request) -> Result<Receipt, Disconnect> {
        let receipt = self.responses.count(self.len);
        self.write(&request.to_bytes()).map(|()| receipt)
    }

    #[inline]
    fn flush(&mut self) -> Result<(), Disconnect> {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        self.len = 0;
        self.responses.send(bytes, self.deadline)
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
            None => self.responses.send(bytes, self.deadline),
        }
    }
}
