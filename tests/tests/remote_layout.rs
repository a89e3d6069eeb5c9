//! Where the memory of a call lies, how it travels and what comes of it, beside a plain account of the same; and the
//! words of a message. None of it makes a system call.

#[allow(dead_code, reason = "the crate uses more of it than this")]
#[path = "../../src/remote/disconnect.rs"]
mod disconnect;
#[allow(dead_code, reason = "the crate uses more of it than this")]
#[path = "../../src/remote/layout.rs"]
mod layout;
#[allow(dead_code, reason = "the crate uses more of it than this")]
#[path = "../../src/remote/memory.rs"]
mod memory;
mod wire {
    pub use rsyscall::remote::RESPONSE;
}
mod sysif {
    pub use rsyscall::sysif::{Arg, OutSlice};
}

use disconnect::Disconnect;
use layout::{ARGS, Layout, Piece, VECTOR_ENTRY};
use memory::{Sink, Source, read_memory, write_memory, written};
use proptest::collection::vec;
use proptest::prelude::*;
use rsyscall::remote::{Request, response_from_bytes, response_to_bytes};
use rsyscall::{Errno, nr};
use std::mem::MaybeUninit;
use sysif::{Arg, OutSlice};

/// What memory holds that nothing has written.
const BEFORE: u8 = 0xee;
/// Where the other process has the scratch space.
const BASE: usize = 0x7000;

#[derive(Debug, Clone)]
enum Argument {
    Word(usize),
    In(Vec<u8>),
    InOut(Vec<u8>),
    Out(usize),
    OutVec(Vec<usize>),
}

fn argument() -> impl Strategy<Value = Argument> {
    let bytes = || vec(any::<u8>(), 0..20);
    prop_oneof![
        any::<usize>().prop_map(Argument::Word),
        bytes().prop_map(Argument::In),
        bytes().prop_map(Argument::InOut),
        (0_usize..20).prop_map(Argument::Out),
        vec(0_usize..12, 0..4).prop_map(Argument::OutVec),
    ]
}

/// Memory of this process for an argument: what the call writes, in pieces.
fn memory_of(argument: &Argument) -> Vec<Vec<u8>> {
    match argument {
        Argument::Word(_) | Argument::In(_) => Vec::new(),
        Argument::InOut(bytes) => vec![bytes.clone()],
        Argument::Out(len) => vec![vec![BEFORE; *len]],
        Argument::OutVec(lens) => lens.iter().map(|len| vec![BEFORE; *len]).collect(),
    }
}

fn uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let bytes = std::ptr::slice_from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len());
    // SAFETY: the same memory for the same borrow; only initialised bytes are written there.
    unsafe { &mut *bytes }
}

struct Sent(Vec<u8>);

impl Sink for Sent {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Disconnect> {
        self.0.extend(bytes);
        Ok(())
    }
}

struct Coming<'a>(&'a [u8]);

impl Source for Coming<'_> {
    fn read(&mut self, to: &mut [MaybeUninit<u8>]) -> Result<(), Disconnect> {
        let (now, rest) = self.0.split_at_checked(to.len()).ok_or(Disconnect::Ended)?;
        to.iter_mut().zip(now).for_each(|(to, from)| _ = to.write(*from));
        self.0 = rest;
        Ok(())
    }

    fn skip(&mut self, count: usize) -> Result<(), Disconnect> {
        self.0 = self.0.get(count..).ok_or(Disconnect::Ended)?;
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_byte_is_sent_to_the_address_in_its_word_and_received_from_it(
        arguments in vec(argument(), 0..=ARGS),
        limit in prop_oneof![Just(usize::MAX), 0_usize..30],
    ) {
        let mut memory: Vec<Vec<Vec<u8>>> = arguments.iter().map(memory_of).collect();
        let mut vectors: Vec<Vec<OutSlice<'_>>> = Vec::new();
        let mut plain = Vec::new();
        for (argument, memory) in arguments.iter().zip(&mut memory) {
            match argument {
                Argument::OutVec(_) => {
                    vectors.push(memory.iter_mut().map(|piece| OutSlice::new(uninit(piece))).collect());
                    plain.push(None);
                }
                _ => plain.push(memory.first_mut()),
            }
        }
        let mut vectors = vectors.iter_mut();
        let mut args: Vec<Arg<'_>> = arguments.iter().zip(plain).map(|(argument, memory)| match (argument, memory) {
            (Argument::Word(word), _) => Arg::Word(*word),
            (Argument::In(bytes), _) => Arg::In(bytes),
            (Argument::InOut(_), Some(memory)) => Arg::InOut(memory),
            (Argument::Out(_), Some(memory)) => Arg::Out(uninit(memory)),
            _ => Arg::OutVec(vectors.next().unwrap()),
        }).collect();
        let mut pieces = [Piece::Word(0); ARGS];
        for (piece, arg) in pieces.iter_mut().zip(&args) {
            *piece = Piece::of(arg);
        }
        let layout = Layout::new(&pieces);
        let mut sent = Sent(Vec::new());
        prop_assert_eq!(write_memory(&mut sent, &pieces, &layout, BASE), Ok(()));
        prop_assert_eq!(sent.0.len(), layout.in_len);
        prop_assert!(layout.out_start + layout.out_len <= layout.len() || layout.out_len == 0);

        // There: each argument's memory is where its word says, apart from all others, and the call writes it.
        let mut space = vec![0_u8; layout.len()];
        space[..sent.0.len()].copy_from_slice(&sent.0);
        let (mut taken, mut next, mut results) = (vec![false; space.len()], 0_u8, Vec::new());
        let mut take = |at: usize, len: usize| {
            taken[at..at + len].iter_mut().for_each(|taken| assert!(!std::mem::replace(taken, true), "twice"));
        };
        for (argument, word) in arguments.iter().zip(layout.words(BASE)) {
            let mut write = |at: usize, len: usize| {
                for byte in &mut space[at..at + len] {
                    next = next.wrapping_add(1);
                    *byte = next;
                }
                space[at..at + len].to_vec()
            };
            let at = word.wrapping_sub(BASE);
            results.push(match argument {
                Argument::Word(value) => {
                    prop_assert_eq!(word, *value);
                    Vec::new()
                }
                Argument::In(bytes) => {
                    prop_assert_eq!((at % 8, &space[at..at + bytes.len()]), (0, &bytes[..]));
                    take(at, bytes.len());
                    Vec::new()
                }
                Argument::InOut(bytes) => {
                    prop_assert_eq!((at % 8, &sent.0[at..at + bytes.len()]), (0, &bytes[..]));
                    take(at, bytes.len());
                    vec![write(at, bytes.len())]
                }
                Argument::Out(len) => {
                    prop_assert_eq!(at % 8, 0);
                    take(at, *len);
                    vec![write(at, *len)]
                }
                Argument::OutVec(lens) => {
                    take(at, lens.len() * VECTOR_ENTRY);
                    let word = |at: usize| {
                        usize::from_ne_bytes(sent.0[at..at + size_of::<usize>()].try_into().unwrap())
                    };
                    let mut written = Vec::new();
                    for (index, len) in lens.iter().enumerate() {
                        let entry = at + index * VECTOR_ENTRY;
                        let (base, said) = (word(entry).wrapping_sub(BASE), word(entry + size_of::<usize>()));
                        prop_assert_eq!((said, base % 8), (*len, 0));
                        take(base, *len);
                        written.push(write(base, *len));
                    }
                    written
                }
            });
        }

        // Here: of what is only written as many bytes as the call has returned, and the others stay.
        let back = &space[layout.out_start.min(space.len())..];
        prop_assert_eq!(read_memory(Coming(back), &mut args, &layout, limit), Ok(()));
        drop(args);
        let mut left = limit;
        for ((argument, results), memory) in arguments.iter().zip(&results).zip(&memory) {
            for (result, memory) in results.iter().zip(memory) {
                let count = if matches!(argument, Argument::InOut(_)) { result.len() } else { result.len().min(left) };
                prop_assert_eq!(&memory[..count], &result[..count]);
                if !matches!(argument, Argument::InOut(_)) {
                    left -= count;
                    prop_assert!(memory[count..].iter().all(|byte| *byte == BEFORE));
                }
            }
        }
    }

    #[test]
    fn a_message_is_the_bytes_of_its_words_and_every_bytes_are_a_message(nr in any::<usize>(), args in any::<[usize; 6]>()) {
        let request = Request { nr, args };
        let bytes = request.to_bytes();
        prop_assert_eq!(Request::from_bytes(bytes), request);
        for (word, bytes) in [nr].into_iter().chain(args).zip(bytes.chunks(8)) {
            prop_assert_eq!(bytes, (word as isize as i64).to_ne_bytes());
            prop_assert_eq!(response_to_bytes(word), bytes);
            prop_assert_eq!(response_from_bytes(bytes.try_into().unwrap()), word);
        }
    }
}

#[test]
fn a_call_that_returns_a_length_has_written_that_length_and_a_failed_call_nothing() {
    for nr in [nr::READ, nr::READV, nr::PREADV2, nr::RECVFROM, nr::GETRANDOM] {
        assert_eq!((written(nr, 0), written(nr, 5)), (0, 5));
        assert_eq!(written(nr, Errno::EFAULT.into_ret()), 0);
    }
    assert_eq!((written(nr::PPOLL, 1), written(nr::PPOLL, Errno::EINTR.into_ret())), (usize::MAX, 0));
}

#[test]
fn an_empty_vector_is_sent_with_its_announced_length() {
    let empty = Arg::OutVec(&mut []);
    let mut pieces = [Piece::Word(0); ARGS];
    (pieces[0], pieces[1]) = (Piece::In(b"odd"), Piece::of(&empty));
    let (layout, mut sent) = (Layout::new(&pieces), Sent(Vec::new()));
    assert_eq!(write_memory(&mut sent, &pieces, &layout, BASE), Ok(()));
    assert_eq!((sent.0.len(), layout.in_len), (8, 8));
}
