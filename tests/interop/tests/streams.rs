//! `io::Read`, `io::Write` and `io::Error`: their behaviour for code that is generic over them.

use rsyscall::fd::ReplaceError;
use rsyscall::remote::{self, ServeError, SubmitError};
use rsyscall::sysif::Error;
use rsyscall::{Errno, EventFd, EventfdFlags};
use std::io::{self, Read, Write};

fn bell(count: u32) -> EventFd {
    EventFd::new(count, EventfdFlags::NONBLOCK).unwrap()
}

#[test]
fn the_eight_bytes_are_the_count_in_native_order() {
    let bell = bell(0);
    let value = 0x0102_0304_0506_0708_u64;
    (&bell).write_all(&value.to_ne_bytes()).unwrap();
    (&bell).flush().unwrap();
    let mut bytes = [0; 8];
    (&bell).read_exact(&mut bytes).unwrap();
    assert_eq!(bytes, value.to_ne_bytes());
}

#[test]
fn a_shorter_buffer_is_invalid_input_and_takes_nothing() {
    let bell = bell(3);
    for len in 0..8 {
        let error = Read::read(&mut &bell, &mut vec![0; len]).unwrap_err();
        assert_eq!(
            (error.kind(), error.raw_os_error()),
            (io::ErrorKind::InvalidInput, Some(Errno::EINVAL.raw())),
            "{len}"
        );
    }
    assert_eq!(bell.read(), Ok(3));
}

#[test]
fn a_longer_buffer_is_written_for_eight_bytes_and_no_more() {
    let bell = bell(3);
    let mut bytes = [0xaa; 24];
    assert_eq!(Read::read(&mut &bell, &mut bytes).unwrap(), 8);
    assert_eq!(bytes[..8], 3_u64.to_ne_bytes());
    assert_eq!(bytes[8..], [0xaa; 16]);
}

#[test]
fn write_of_another_length_fails_or_takes_eight_bytes() {
    let bell = bell(0);
    for len in 0..8 {
        let error = Write::write(&mut &bell, &vec![1; len]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{len}");
    }
    assert_eq!(bell.read(), Err(Errno::EAGAIN));
    // Before 6.9 the first eight of more bytes are taken.
    match Write::write(&mut &bell, &[1; 16]) {
        Ok(taken) => assert_eq!((taken, bell.read()), (8, Ok(u64::from_ne_bytes([1; 8])))),
        Err(error) => assert_eq!((error.kind(), bell.read()), (io::ErrorKind::InvalidInput, Err(Errno::EAGAIN))),
    }
}

#[test]
fn write_of_the_largest_value_is_invalid_input() {
    let error = (&bell(0)).write_all(&u64::MAX.to_ne_bytes()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn an_empty_counter_and_a_full_one_would_block() {
    let bell = bell(0);
    let empty = (&bell).read_exact(&mut [0; 8]).unwrap_err();
    assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
    (&bell).write_all(&(u64::MAX - 1).to_ne_bytes()).unwrap();
    let full = (&bell).write_all(&1_u64.to_ne_bytes()).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn an_event_fd_is_a_dyn_reader_and_a_dyn_writer() {
    let bell = bell(0);
    let mut writer: Box<dyn Write + '_> = Box::new(&bell);
    writer.write_all(&2_u64.to_ne_bytes()).unwrap();
    let mut reader: Box<dyn Read + '_> = Box::new(&bell);
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes).unwrap();
    assert_eq!(u64::from_ne_bytes(bytes), 2);
}

#[test]
fn inherent_methods_are_unchanged_with_the_traits_in_scope() {
    let mut bell = bell(0);
    bell.write(1).unwrap();
    let exclusive: &mut EventFd = &mut bell;
    exclusive.write(1).unwrap();
    assert_eq!(exclusive.read(), Ok(2));
}

#[test]
fn every_errno_converts_to_io_error_and_back() {
    for raw in 1..=4095 {
        let errno = Errno::from_raw(raw).unwrap();
        let error = io::Error::from(errno);
        assert_eq!(error.raw_os_error(), Some(raw));
        assert_eq!(error.kind(), io::Error::from_raw_os_error(raw).kind());
        assert_eq!(Errno::try_from(error).unwrap(), errno);
    }
}

#[test]
fn an_io_error_without_errno_is_returned_unchanged() {
    let error = Errno::try_from(io::Error::other("another error")).unwrap_err();
    assert_eq!(error.to_string(), "another error");
    // A number that no Linux kernel returns.
    assert!(Errno::try_from(io::Error::from_raw_os_error(0)).is_err());
    assert!(Errno::try_from(io::Error::from_raw_os_error(4096)).is_err());
}

#[test]
fn the_three_outcomes_stay_distinct() {
    let kinds = [Error::Os(Errno::EINTR), Error::NotSent, Error::Hangup].map(|error| io::Error::from(error).kind());
    assert_eq!(kinds, [io::ErrorKind::Interrupted, io::ErrorKind::NotConnected, io::ErrorKind::ConnectionAborted]);
}

#[test]
fn every_error_has_a_source_and_converts_to_an_io_error() {
    fn check<E: std::error::Error>(error: E, source: Option<&str>, kind: io::ErrorKind)
    where
        io::Error: From<E>,
    {
        assert_eq!(error.source().map(ToString::to_string).as_deref(), source, "{error}");
        assert_eq!(io::Error::from(error).kind(), kind);
    }
    use io::ErrorKind::{BrokenPipe, Interrupted, InvalidInput, NotConnected, UnexpectedEof, WouldBlock};
    let (eintr, not_sent) = (Errno::EINTR.to_string(), Error::NotSent.to_string());
    let (eintr, not_sent) = (Some(&*eintr), Some(&*not_sent));
    let forked = remote::fork([]).unwrap();
    let error = bell(7).move_to(&forked.task).unwrap_err();
    let mismatch = *error.error();
    let elsewhere = mismatch.to_string();
    let elsewhere = Some(&*elsewhere);
    assert_eq!(error.into_inner().read(), Ok(7), "the handle is returned");
    check(mismatch, None, InvalidInput);
    check(bell(0).move_to(&forked.task).unwrap_err(), elsewhere, InvalidInput);
    check(bell(0).detach().attach(&forked.task).unwrap_err(), elsewhere, InvalidInput);
    check(ReplaceError::<Errno>::FdTableMismatch(mismatch), elsewhere, InvalidInput);
    check(ReplaceError::Call(Errno::EINTR), eintr, Interrupted);
    check(ReplaceError::Call(Error::NotSent), not_sent, NotConnected);
    check(Error::Os(Errno::EINTR), eintr, Interrupted);
    check(SubmitError::Full, None, WouldBlock);
    check(SubmitError::Foreign, None, InvalidInput);
    check(SubmitError::Call(Error::NotSent), not_sent, NotConnected);
    check(ServeError::Truncated, None, UnexpectedEof);
    check(ServeError::Vanished, None, BrokenPipe);
    check(ServeError::Os(Errno::EINTR), eintr, Interrupted);

    let equal = [
        Error::Os(Errno::EINTR) == Errno::EINTR,
        ReplaceError::Call(Errno::EINTR) == Errno::EINTR,
        SubmitError::Call(Error::Os(Errno::EINTR)) == Errno::EINTR,
        ServeError::Os(Errno::EINTR) == Errno::EINTR,
        forked.task.exec(c"/nowhere/at all", &[], &[]).unwrap_err() == Errno::ENOENT,
    ];
    assert_eq!(equal, [true; 5]);
    let different = [
        Error::Os(Errno::EINTR) == Errno::EAGAIN,
        Error::NotSent == Errno::EINTR,
        mismatch == Errno::EINVAL,
        SubmitError::Full == Errno::EAGAIN,
        ServeError::Vanished == Errno::EPIPE,
    ];
    assert_eq!(different, [false; 5]);
}

#[test]
fn a_question_mark_converts_to_an_io_error() {
    fn refused() -> io::Result<EventFd> {
        Ok(EventFd::new(0, EventfdFlags::from_bits_retain(1 << 30))?)
    }
    assert_eq!(refused().unwrap_err().kind(), io::ErrorKind::InvalidInput);
}
