//! Names of jobs, executions and instances.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest accepted ID, in bytes: it becomes a folder's and a container's name.
pub const ID_BYTES_MAX: usize = 128;

/// An ID that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} {found:?} is not usable: {why}")]
pub struct InvalidId {
    what: &'static str,
    found: String,
    why: &'static str,
}

fn check(what: &'static str, text: &str) -> Result<(), InvalidId> {
    let why = if text.is_empty() {
        "it is empty"
    } else if text.len() > ID_BYTES_MAX {
        "it is longer than 128 bytes"
    } else if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        "only letters, digits, '-', '_' and '.' are allowed"
    } else if text.starts_with(['.', '-']) {
        "it begins with '.' or '-'"
    } else {
        return Ok(());
    };
    let found = text.chars().take(ID_BYTES_MAX).collect();
    Err(InvalidId { what, found, why })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Makes a new random ID.
            pub fn random() -> Self {
                let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
                let text = uuid::Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
                Self(concat_prefix($prefix, text))
            }

            /// Accepts a given ID.
            ///
            /// # Errors
            /// Empty, longer than [`ID_BYTES_MAX`], or with characters that a folder's name cannot carry safely.
            pub fn try_new(text: &str) -> Result<Self, InvalidId> {
                check($what, text)?;
                Ok(Self(text.into()))
            }

            /// The ID as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::try_new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }
    };
}

fn concat_prefix(prefix: &str, text: &str) -> std::sync::Arc<str> {
    let mut whole = String::with_capacity(prefix.len() + text.len());
    whole.push_str(prefix);
    whole.push_str(text);
    whole.into()
}

id!(
    /// What a user asked for.
    JobId,
    "job ID",
    "j-"
);
id!(
    /// One attempt at a job on this node; running twice under one ID is impossible.
    ExecutionId,
    "execution ID",
    "e-"
);
id!(
    /// One data folder and the process that owns it.
    InstanceId,
    "instance ID",
    "i-"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_could_leave_their_folder_are_refused() {
        for bad in ["", "..", ".", "a/b", "a\\b", "-x", ".x", "a b", "é", &"x".repeat(129)] {
            assert!(ExecutionId::try_new(bad).is_err(), "{bad:?}");
        }
        for good in ["e-1", "a.b_c-D9", &"x".repeat(128)] {
            assert_eq!(ExecutionId::try_new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn random_ids_differ_and_round_trip() {
        let (a, b) = (JobId::random(), JobId::random());
        assert_ne!(a, b);
        assert_eq!(a.to_string().parse::<JobId>().unwrap(), a);
        assert!(a.as_str().starts_with("j-"));
    }
}
