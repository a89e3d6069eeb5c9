//! The claim word of a remote connection, in every order that the memory model allows (loom): the crate's own file,
//! with loom's atomics in place of core's.
#![cfg(target_arch = "x86_64")]

#[path = "../../src/remote/claims.rs"]
mod claims;
mod sync {
    pub use loom::sync::atomic::{AtomicU64 as AtomicCount, Ordering};
    pub type Count = u64;
}

use claims::Claims;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread;
use std::sync::Arc;

const REQUESTS: usize = 3;

struct Model {
    claims: Claims,
    /// The effect of a call: relaxed, so that only the claim orders it.
    executed: [AtomicBool; REQUESTS],
}

impl Model {
    fn new() -> Arc<Self> {
        let executed = std::array::from_fn(|_| AtomicBool::new(false));
        Arc::new(Self { claims: Claims(sync::AtomicCount::new(0)), executed })
    }

    /// A server that is killed before it claims request `killed`.
    fn serve(&self, killed: usize) {
        for call in self.executed.iter().take(killed) {
            if !self.claims.claim() {
                return;
            }
            call.store(true, Relaxed);
        }
    }
}

#[test]
fn a_revocation_counts_the_claimed_calls_and_no_other_is_executed() {
    for killed in 0..=REQUESTS {
        loom::model(move || {
            let model = Model::new();
            let server = thread::spawn({
                let model = Arc::clone(&model);
                move || model.serve(killed)
            });
            let claimed = model.claims.revoke(0);
            // Each claim makes visible what was done before it: all calls but the last one that was claimed.
            for call in model.executed.iter().take((claimed as usize).saturating_sub(1)) {
                assert!(call.load(Relaxed), "a call before the last claim is not visible");
            }
            server.join().unwrap();
            for (index, call) in model.executed.iter().enumerate() {
                assert_eq!(call.load(Relaxed), (index as u64) < claimed, "request {index} of {claimed}");
            }
            assert_eq!(model.claims.revoke(0), claimed, "a second revocation counts the same");
            assert!(!model.claims.claim());
            assert_eq!(model.claims.revoke(0), claimed, "a failed claim is not counted");
        });
    }
}
