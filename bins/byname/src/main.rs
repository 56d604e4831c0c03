//! byname
fn main() {}
