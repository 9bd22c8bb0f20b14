//! Differences as a table for people.

use std::fmt;

use super::{Change, Difference, Differences};

impl fmt::Display for Differences {
    /// One line per path: `+` added, `-` missing, `~` changed, then how; nothing where the results are equal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Paths longer than this do not push the other columns away.
        const COLUMN_MAX: usize = 48;
        let length = |difference: &Difference| difference.path.to_string().chars().count();
        let width = self.differences.iter().map(length).filter(|length| *length <= COLUMN_MAX).max();
        let width = width.unwrap_or(COLUMN_MAX);
        for difference in &self.differences {
            let sign = match difference.change {
                Change::Added { .. } => '+',
                Change::Missing { .. } => '-',
                Change::Changed { .. } => '~',
            };
            writeln!(f, "{sign} {:width$}  {}", difference.path, difference.change)?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { kind, size } => write!(f, "added {kind}, {size} bytes"),
            Self::Missing { kind, size } => write!(f, "missing {kind}, {size} bytes"),
            Self::Changed { kind, size, executable, content } => {
                let mut parts = Vec::new();
                if let Some((left, right)) = kind {
                    parts.push(format!("{left} became {right}"));
                }
                if let Some((left, right)) = size {
                    parts.push(format!("size {left} -> {right}"));
                }
                if let Some((_, right)) = executable {
                    parts
                        .push((if *right { "became executable" } else { "no longer executable" }).to_owned());
                }
                if let Some(content) = content {
                    parts.push(match content.first_byte {
                        Some(byte) => format!("first differs at byte {byte} (chunk {})", content.first_chunk),
                        None => {
                            format!(
                                "first differs in chunk {} (from byte {})",
                                content.first_chunk, content.chunk_start
                            )
                        }
                    });
                }
                f.write_str(&parts.join(", "))
            }
        }
    }
}
