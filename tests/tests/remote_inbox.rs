//! Compares the queue of bytes that a client has received with a plain queue.

#[allow(dead_code, reason = "the crate uses more of it than this")]
#[path = "../../src/remote/inbox.rs"]
mod inbox;
mod wire {
    pub use rsyscall::remote::{RESPONSE, response_from_bytes};
}

use inbox::{Inbox, OWED_LIMIT};
use proptest::collection::vec;
use proptest::prelude::*;
use std::mem::MaybeUninit;

/// The size of the inbox in bytes.
const CAPACITY: usize = OWED_LIMIT + 256;

#[derive(Debug, Clone)]
enum Step {
    Fill(usize),
    Skip(usize),
    Take(usize, usize),
    Word(usize),
    Get(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let few = || prop_oneof![0_usize..20, 0..CAPACITY + 10];
    prop_oneof![
        4 => prop_oneof![few(), Just(CAPACITY)].prop_map(Step::Fill),
        2 => few().prop_map(Step::Skip),
        2 => (prop_oneof![Just(0), few()], few()).prop_map(|(offset, len)| Step::Take(offset, len)),
        1 => few().prop_map(Step::Word),
        1 => (few(), few()).prop_map(|(offset, len)| Step::Get(offset, len)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_inbox_behaves_like_a_queue_and_has_room_until_it_is_full(steps in vec(step(), 1..60)) {
        let (mut inbox, mut queue, mut next) = (Inbox::new(), Vec::<u8>::new(), 0_u8);
        for step in steps {
            match step {
                Step::Fill(most) => {
                    let room = inbox.room();
                    prop_assert!(!room.is_empty() || queue.len() == CAPACITY, "no room behind {} bytes", queue.len());
                    let count = most.min(room.len());
                    for byte in &mut room[..count] {
                        *byte = next;
                        queue.push(next);
                        next = next.wrapping_add(1);
                    }
                    inbox.filled_by(count);
                }
                Step::Skip(count) => {
                    let skipped = count.min(queue.len());
                    queue.drain(..skipped);
                    prop_assert_eq!(inbox.skip(count), skipped);
                }
                Step::Take(offset, len) => {
                    let mut memory = vec![MaybeUninit::new(0); len];
                    let end = queue.len().min(offset.saturating_add(len));
                    let taken: Vec<u8> = if offset < end { queue.drain(offset..end).collect() } else { Vec::new() };
                    prop_assert_eq!(inbox.take(offset, &mut memory), taken.len());
                    // SAFETY: initialised where it was made.
                    let memory: Vec<u8> = memory.into_iter().map(|byte| unsafe { byte.assume_init() }).collect();
                    prop_assert_eq!(&memory[..taken.len()], taken);
                }
                Step::Word(offset) => {
                    let word = queue.get(offset..offset + 8);
                    let word = word.map(|bytes| usize::from_ne_bytes(bytes.try_into().unwrap()));
                    prop_assert_eq!(inbox.word(offset), word);
                }
                Step::Get(offset, len) => prop_assert_eq!(inbox.get(offset, len), queue.get(offset..offset + len)),
            }
            prop_assert_eq!(inbox.len(), queue.len());
        }
    }
}
