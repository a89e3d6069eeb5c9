fn main() {
    rsyscall_build::link();
}
