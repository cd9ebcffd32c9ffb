fn main() {
    println!("cargo:rerun-if-changed=migrations"); // a new migration is not noticed by an incremental build otherwise
}
