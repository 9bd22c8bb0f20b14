//! Inode numbers that are the same in every run: counted in the order in which files are met.

use std::cell::RefCell;
use std::collections::HashMap;

use super::mounts::NodeId;

/// Numbers given so far. The places of the tree have the first ones.
#[derive(Debug)]
pub(super) struct Inodes(RefCell<Given>);

#[derive(Debug)]
struct Given {
    numbers: HashMap<(u64, u64), u64>,
    next: u64,
}

impl Inodes {
    pub(super) fn new(nodes: usize) -> Self {
        Self(RefCell::new(Given { numbers: HashMap::new(), next: Self::of_node(nodes) }))
    }

    /// The number of a place in the tree.
    pub(super) fn of_node(node: NodeId) -> u64 {
        node as u64 + 1
    }

    /// The number of a host file, a new one if it was never met.
    pub(super) fn of_file(&self, dev: u64, ino: u64) -> u64 {
        let mut given = self.0.borrow_mut();
        let next = given.next;
        let number = *given.numbers.entry((dev, ino)).or_insert(next);
        if number == next {
            given.next += 1;
        }
        number
    }

    /// Forgets a removed file: the host may give its number to another file at any time.
    pub(super) fn forget(&self, dev: u64, ino: u64) {
        self.0.borrow_mut().numbers.remove(&(dev, ino));
    }
}
