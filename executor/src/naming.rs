//! The names that Frogfish gives to what it makes: they differ between networks.

/// Prefixes of container names, label keys and environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Naming {
    /// Begins container and network names: `frogfish` gives `frogfish-<execution>`.
    pub container_prefix: String,
    /// Begins label keys: `frogfish` gives `frogfish.execution`.
    pub label_prefix: String,
    /// Begins the environment variables that describe the execution: `FROGFISH_` gives `FROGFISH_JOB_ID`.
    pub env_prefix: String,
}

impl Naming {
    /// Names with these three prefixes.
    pub fn new(
        container_prefix: impl Into<String>,
        label_prefix: impl Into<String>,
        env_prefix: impl Into<String>,
    ) -> Self {
        Self {
            container_prefix: container_prefix.into(),
            label_prefix: label_prefix.into(),
            env_prefix: env_prefix.into(),
        }
    }
}

impl Default for Naming {
    fn default() -> Self {
        Self::new("frogfish", "frogfish", "FROGFISH_")
    }
}
