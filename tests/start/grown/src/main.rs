//! Prints a line that shows what works, and exits with status 7.
#![cfg_attr(not(test), no_std, no_main)]
#![forbid(unsafe_code)]

mod memory;

use core::hint::black_box;
use rsyscall::start::Arguments;
use rsyscall::sys::stdio::Stdio;
use rsyscall::{EventFd, EventfdFlags, EventfdTask, Notifier, remote, sysif};

rsyscall::start!(main, panic message);

trait Shape {
    fn area(&self) -> u64;
}

struct Square(u64);
struct Rectangle(u64, u64);

impl Shape for Square {
    fn area(&self) -> u64 {
        self.0 * self.0
    }
}

impl Shape for Rectangle {
    fn area(&self) -> u64 {
        self.0 * self.1
    }
}

// Pointers in memory, to be relocated: few, many, and to functions.
static SHAPES: [&(dyn Shape + Sync); 3] = [&Square(3), &Rectangle(2, 5), &Square(7)];
static NAMES: [&str; 70] = ["name"; 70];
static FUNCTIONS: [fn(u64) -> u64; 2] = [double, triple];

fn double(number: u64) -> u64 {
    number * 2
}

fn triple(number: u64) -> u64 {
    number * 3
}

/// In another process.
fn far() -> Result<u64, sysif::Error> {
    let forked = remote::fork([])?;
    let bell = forked.task.eventfd(40, EventfdFlags::empty())?;
    bell.write(2)?;
    bell.read()
}

fn main(arguments: Arguments, stdio: Stdio) -> Result<i32, sysif::Error> {
    let out = stdio.output();
    let bell = EventFd::new(2, EventfdFlags::empty())?;
    bell.write(3)?;
    let area: u64 = SHAPES.iter().map(|shape| black_box(*shape).area()).sum();
    let called = FUNCTIONS.iter().fold(1, |number, function| black_box(*function)(number));
    let name = black_box(&NAMES)[black_box(69)];
    write!(out, "{} {area} {called} {name} {} {}", bell.read()?, scripted::BUILT, procedural::three!())?;

    let notifier = Notifier::new()?;
    notifier.notify()?;
    notifier.wait()?;
    write!(out, " far={} memory={} float={:.2}", far()?, memory::works(), black_box(2.5_f64) * 3.0)?;

    for argument in arguments.args().skip(1) {
        write!(out, " {argument:?}")?;
    }
    const AT_PAGESZ: usize = 6;
    let page = arguments.auxiliary().find(|&(kind, _)| kind == AT_PAGESZ);
    writeln!(out, " X={:?} page={}", arguments.var("X"), page.is_some_and(|(_, size)| size >= 4096))?;
    match arguments.args().nth(1).map(|argument| argument.to_bytes()) {
        Some(b"where") => writeln!(out, "main={:p}", main as *const ())?,
        Some(b"panic") => drop(black_box([1, 2, 3])[black_box(5)]),
        Some(b"error") => {
            EventFd::new(0, EventfdFlags::from_bits_retain(1 << 30))?;
        }
        _ => {}
    }
    Ok(7)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_function_is_called() {
        assert_eq!(super::triple(2), 6);
    }

    #[test]
    #[should_panic]
    fn a_panic_unwinds() {
        let empty: Vec<u8> = Vec::new();
        let _ = empty[std::env::args().count()];
    }

    #[test]
    fn a_thread_runs() {
        std::thread::spawn(|| ()).join().unwrap();
    }

    #[test]
    fn a_destructor_of_a_thread_runs() {
        thread_local!(static TEXT: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) });
        std::thread::spawn(|| TEXT.with_borrow_mut(|text| text.push('a'))).join().unwrap();
    }
}
