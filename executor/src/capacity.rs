//! What a host has, what of it may be used, and who holds it now.

mod amounts;

pub use amounts::Amounts;
