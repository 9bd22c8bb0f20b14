//! Frogfish.
