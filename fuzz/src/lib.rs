//! What each fuzz target does with its bytes.
//!
//! The same functions run over the committed seeds as ordinary tests (`executor/tests/seeds.rs`,
//! `verifier/tests/seeds.rs`), which include these files: they use no more than the crates' public items.

pub mod executor;
pub mod verifier;
