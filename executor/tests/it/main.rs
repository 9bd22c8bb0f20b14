//! The library from outside: one binary, a module for each theme.

mod engines;
mod runner;
