//! Runs the operations of `operations` with the peers of `peers`: see `USAGE`.

mod counting;
mod operations;
mod peers;
mod timing;

const USAGE: &str = "\
usage: measure list                 operations and their peers
       measure run OPERATION PEER N one case, for a profiler or strace
       measure count                all cases twice, under callgrind (see ci/bench)
       measure time [--quick]       all cases, interleaved; CSV";

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => list(),
        ["run", operation, peer, n] => run(operation, peer, n.parse().expect(USAGE)),
        ["count"] => counting::run(),
        ["time"] => timing::run(timing::FULL),
        ["time", "--quick"] => timing::run(timing::QUICK),
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    }
}

fn list() {
    for operation in operations::OPERATIONS {
        let peers: Vec<_> = operation.cases.iter().map(|case| case.peer).collect();
        println!("{}: {}", operation.name, peers.join(", "));
    }
}

fn run(operation: &str, peer: &str, n: u64) {
    let operation = operations::OPERATIONS.iter().find(|known| known.name == operation).expect("see `measure list`");
    let case = operation.cases.iter().find(|known| known.peer == peer).expect("see `measure list`");
    println!("{} ns each", (case.run)(n).as_nanos() as f64 / n as f64);
}
