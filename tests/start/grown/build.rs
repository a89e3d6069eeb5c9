fn main() {
    println!("cargo::rerun-if-env-changed=LINK");
    match std::env::var("LINK").as_deref() {
        Ok("bin") => rsyscall_build::link_bin("grown"),
        Ok("fixed") => rsyscall_build::link_fixed(),
        _ => rsyscall_build::link(),
    }
}
