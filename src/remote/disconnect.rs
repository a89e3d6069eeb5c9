//! How a connection ends.

/// Why a connection is not usable any more.
///
/// As wide as a word, so that a `Result` with it is returned in two registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Disconnect {
    /// A call took longer than its timeout.
    TimedOut,
    /// The stream or the server's process has ended.
    Ended,
    /// The bytes of the stream are not responses to the requests.
    OutOfStep,
    /// This end was shut down by the caller.
    Closed,
}
