fn main() {
    rsyscall_build::link_fixed();
}
