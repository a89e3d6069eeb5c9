fn main() {
    for name in ["tiny", "closed", "own", "relro", "where", "forgotten"] {
        if name != "forgotten" || std::env::var_os("CARGO_FEATURE_FORGOTTEN").is_some() {
            rsyscall_build::link_bin(name);
        }
    }
}
