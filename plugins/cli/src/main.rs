//! The frogfish command.
fn main() {}
