//! The library from outside: one binary, a module for each theme.

mod crash;
mod engines;
mod inputs;
mod runner;
