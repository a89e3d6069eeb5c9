//! Counts the requests that were executed, in one word that client and server share.
//!
//! It uses nothing but the atomics of `super::sync`, which a model checker replaces.
//!
//! The word counts the requests that the server has claimed; its top bit is set when the client has revoked the rest.
//! The server claims each request after it has received all of it and *before* it executes it. The client revokes when
//! it aborts: because of a timeout, or because the server or the stream has ended.
//!
//! **Nothing is executed after a revocation that did not count it.** `claim` and `revoke` are read-modify-writes of one
//! word, so all of them are in one order. A `claim` succeeds only if the value it replaces has no top bit, which
//! nothing ever clears: it precedes the revocation, which therefore counts it. The server executes a request only after
//! its `claim` has succeeded: the call depends on the branch, and a processor makes no store visible before the
//! branches it depends on are decided. So what a revocation did not count has not been executed and never is, and this
//! needs no stronger order than `Relaxed`. `AcqRel` adds that a client that reads a count also sees what was done
//! before those claims.
//!
//! **What was counted may have been executed, or not.** It is claimed first, and the server may be killed before it
//! executes it.
//!
//! **A hostile process** that can write the word can make the client report the wrong class of error, as a server with
//! false responses can anyway. The client only compares the count; it is never an index, a length or an address.

use super::sync::{AtomicCount, Count, Ordering};

/// Set when the client has revoked.
const REVOKED: Count = 1 << (Count::BITS - 1);

/// The count of claimed requests. Zeroed memory is a valid initial value: none claimed, not revoked.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct Claims(pub(super) AtomicCount);

impl Claims {
    /// Claims the next request; called by the only server. Returns `false` if the client has revoked it: neither it nor
    /// any later request must be executed.
    #[inline]
    #[must_use = "a request that was not claimed must not be executed"]
    pub(super) fn claim(&self) -> bool {
        let count = self.0.load(Ordering::Relaxed);
        let next = count.wrapping_add(1) & !REVOKED;
        // Not retried: it fails only because of a revocation.
        count & REVOKED == 0 && self.0.compare_exchange(count, next, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Revokes the requests that are not claimed, and returns how many were ever claimed: the same number each time.
    /// `completed` of them are known to be executed.
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "the word may be shorter than 64 bits"
    )]
    pub(super) fn revoke(&self, completed: u64) -> u64 {
        let count = self.0.fetch_or(REVOKED, Ordering::AcqRel);
        // The word may have wrapped around; the difference of the two counts is at most the number of requests in
        // flight.
        let more = count.wrapping_sub(completed as Count) & !REVOKED;
        completed.wrapping_add(u64::from(more))
    }
}
