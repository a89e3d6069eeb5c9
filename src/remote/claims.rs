//! Which requests were executed: one word that client and server share.
//!
//! Uses nothing but the atomics of `super::sync`, so that a model checker can replace them.
//!
//! The word counts the requests that the server has claimed; its top bit says that the client has revoked the rest. The
//! server claims each request after it has received all of it and *before* it executes it. The client revokes when it
//! gives up: because of a timeout, or because the server or the stream has ended.
//!
//! **Nothing is executed after a revocation that did not count it.** `claim` and `revoke` are read-modify-writes of one
//! word, so all of them are in one order. A `claim` succeeds only if the value it replaces has no top bit, which
//! nothing ever clears: it precedes the revocation, which therefore counts it. The server executes a request only after
//! its `claim` has succeeded: the call depends on the branch, and a processor makes no store visible before the
//! branches it depends on are decided. So what a revocation did not count has not been executed and never is, and this
//! needs no stronger order than `Relaxed`. `AcqRel` adds that whoever learns a count also sees what was done before
//! those claims.
//!
//! **What was counted may have been executed.** It is claimed first, and a server may be killed in between.
//!
//! **A hostile process** that can write the word can make the client mistake one class of error for another, as a
//! server that lies can anyway. The client only compares the count; it is never an index, a length or an address.

use super::sync::{AtomicCount, Count, Ordering};

/// Set once the client has given up.
const REVOKED: Count = 1 << (Count::BITS - 1);

/// The count of claimed requests. Zero, as fresh memory is: none, and not revoked.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct Claims(pub(super) AtomicCount);

impl Claims {
    /// Claims the next request, for the only server. If `false`, the client has revoked it and been told so: it must
    /// not be executed, nor any later one.
    #[inline]
    #[must_use = "a request that was not claimed must not be executed"]
    pub(super) fn claim(&self) -> bool {
        let count = self.0.load(Ordering::Relaxed);
        let next = count.wrapping_add(1) & !REVOKED;
        // Without a second attempt: only a revocation can have come in between.
        count & REVOKED == 0 && self.0.compare_exchange(count, next, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Revokes what is not claimed, and returns how many requests ever were: the same number each time. `answered` of
    /// them are known to have been.
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::unnecessary_cast,
        clippy::useless_conversion,
        reason = "the word may be shorter than 64 bits"
    )]
    pub(super) fn revoke(&self, answered: u64) -> u64 {
        let count = self.0.fetch_or(REVOKED, Ordering::AcqRel);
        // The word counts in turns of its length; between the two is no more than what can be in flight.
        let more = count.wrapping_sub(answered as Count) & !REVOKED;
        answered.wrapping_add(u64::from(more))
    }
}
