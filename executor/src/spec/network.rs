//! What a task may reach over the network, and where it can be reached.

use schemars::JsonSchema;
use serde::Serialize;

/// What a task may reach over the network, and where it can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct NetworkConfig {
    /// The kind of network.
    #[serde(rename = "Type")]
    #[schemars(default)]
    pub network_type: NetworkType,
    /// What may be reached with [`NetworkType::Http`]: `host.org`, `.suffix.org`, `*.suffix.org`, an IP address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub domains: Vec<String>,
    /// Ports of the task that are reachable from outside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub ports: Vec<Port>,
}

/// The kind of network that a task has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, JsonSchema)]
#[non_exhaustive]
pub enum NetworkType {
    /// What the node's policy says.
    #[default]
    Default,
    /// No network.
    None,
    /// The host's network.
    Host,
    /// The name of [`NetworkType::Host`] before Bacalhau 1.7.
    Full,
    /// HTTP to the named domains alone.
    #[serde(rename = "HTTP")]
    Http,
    /// A network of its own behind the host's.
    Bridge,
}

impl NetworkType {
    /// Every type with its name in a job.
    pub const ALL: [(Self, &str); 6] = [
        (Self::Default, "Default"),
        (Self::None, "None"),
        (Self::Host, "Host"),
        (Self::Full, "Full"),
        (Self::Http, "HTTP"),
        (Self::Bridge, "Bridge"),
    ];

    /// Whether it is the host's network, under either name.
    pub fn is_host(self) -> bool {
        matches!(self, Self::Host | Self::Full)
    }

    /// Whether ports can be mapped with it.
    pub fn supports_ports(self) -> bool {
        self.is_host() || self == Self::Bridge
    }
}

/// A port of the task that is reachable from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct Port {
    /// The name, used in variables such as `BACALHAU_PORT_<name>`.
    pub name: String,
    /// The host's port; 0 takes a free one.
    #[serde(rename = "Static", skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub static_port: u32,
    /// The task's port, with [`NetworkType::Bridge`] alone; 0 takes the host's.
    #[serde(rename = "Target", skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub target: u32,
    /// The host's address to listen on; empty for all.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub host_network: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(port: &u32) -> bool {
    *port == 0
}

impl NetworkConfig {
    /// The domains without repetitions and without those that a wildcard among them covers, sorted.
    pub fn domain_set(&self) -> Vec<String> {
        let mut domains: Vec<String> = self.domains.iter().map(|d| d.trim().to_lowercase()).collect();
        domains.retain(|domain| !domain.is_empty());
        domains.sort();
        domains.dedup();
        let suffixes: Vec<String> = domains.iter().filter(|d| d.starts_with('.')).cloned().collect();
        domains.retain(|domain| !suffixes.iter().any(|suffix| covers(suffix, domain)));
        domains
    }
}

/// Whether `.suffix` matches the domain, itself left aside. `.foo.com` covers `foo.com` as well, as upstream's does.
fn covers(suffix: &str, domain: &str) -> bool {
    suffix != domain && (domain.ends_with(suffix) || suffix.strip_prefix('.') == Some(domain))
}
