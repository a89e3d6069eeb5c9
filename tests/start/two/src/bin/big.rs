//! With std.

fn main() {
    println!("std {}", std::env::args().count());
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_vector_grows() {
        assert_eq!((0..3).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
