//! Two manifests side by side.

use std::cmp::Ordering;

use super::{Change, ContentChange, Difference, Differences};
use crate::{Entry, EntryKind, Manifest, Profile};

/// Two manifests whose chunks cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("comparing manifests: the left has profile {left}, the right {right}")]
pub struct ProfilesDiffer {
    /// Profile of the left manifest.
    pub left: Profile,
    /// Profile of the right manifest.
    pub right: Profile,
}

/// What differs between two manifests of one profile.
pub fn diff_manifests(left: &Manifest, right: &Manifest) -> Result<Differences, ProfilesDiffer> {
    if left.profile() != right.profile() {
        return Err(ProfilesDiffer { left: left.profile(), right: right.profile() });
    }
    let mut differences = Vec::new();
    if left.root() != right.root() {
        merge(left, right, &mut differences);
    }
    Ok(Differences { left: left.root(), right: right.root(), differences })
}

fn merge(left: &Manifest, right: &Manifest, differences: &mut Vec<Difference>) {
    let (mut l, mut r) = (left.entries(), right.entries());
    loop {
        let order = match (l.first(), r.first()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.path.cmp(&b.path),
        };
        let (path, change) = match order {
            Ordering::Less => (&l[0].path, Some(Change::Missing { kind: l[0].kind, size: l[0].size })),
            Ordering::Greater => (&r[0].path, Some(Change::Added { kind: r[0].kind, size: r[0].size })),
            Ordering::Equal => (&l[0].path, changed(left.profile(), &l[0], &r[0])),
        };
        if let Some(change) = change {
            differences.push(Difference { path: path.clone(), change });
        }
        if order.is_le() {
            l = &l[1..];
        }
        if order.is_ge() {
            r = &r[1..];
        }
    }
}

fn changed(profile: Profile, left: &Entry, right: &Entry) -> Option<Change> {
    if left == right {
        return None;
    }
    let pair = |a, b| (a != b).then_some((a, b));
    Some(Change::Changed {
        kind: (left.kind != right.kind).then_some((left.kind, right.kind)),
        size: pair(left.size, right.size),
        executable: (left.executable != right.executable).then_some((left.executable, right.executable)),
        content: content(profile, left, right),
    })
}

/// Where two files or two symlinks differ first; other pairs have no content in common.
fn content(profile: Profile, left: &Entry, right: &Entry) -> Option<ContentChange> {
    if left.kind != right.kind || left.kind == EntryKind::Folder || left.chunks == right.chunks {
        return None;
    }
    let equal = left.chunks.iter().zip(&right.chunks).take_while(|(a, b)| a == b).count() as u64;
    Some(ContentChange {
        first_chunk: equal,
        chunk_start: equal * profile.chunk_bytes() as u64,
        first_byte: None,
    })
}
