//! bynamed
fn main() {}
