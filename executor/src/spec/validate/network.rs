//! Domains and ports.

use std::fmt::Arguments;
use std::net::IpAddr;

use super::note_repeats;
use crate::spec::error::{Problem, quote};
use crate::spec::network::{NetworkConfig, NetworkType, Port};

/// The lowest port that a job may ask for; lower ones are privileged.
const PORT_MIN: u32 = 1024;
const PORT_MAX: u32 = 65535;
/// Bytes of a port's name: a variable `BACALHAU_HOST_PORT_<name>` has at most 256.
const PORT_NAME_BYTES_MAX: usize = 256 - "BACALHAU_HOST_PORT_".len();

pub(super) fn check(network: &NetworkConfig, at: Arguments<'_>, to: &mut Vec<Problem>) {
    if !network.domains.is_empty() && network.network_type != NetworkType::Http {
        let problem = Problem::new(format!("{at}.Domains"), "domains can only be set for HTTP network mode");
        to.push(
            problem.found(format!("{:?}", network.network_type)).allowed("Network.Type HTTP, or no domains"),
        );
    }
    for (index, domain) in network.domains.iter().enumerate() {
        if !is_domain(domain) {
            let problem =
                Problem::new(format!("{at}.Domains[{index}]"), format!("invalid domain {}", quote(domain)));
            to.push(
                problem
                    .allowed("a name such as example.org, .example.org or *.example.org, or an IP address"),
            );
        }
    }
    if network.ports.is_empty() {
        return;
    }
    if !network.network_type.supports_ports() {
        let problem =
            Problem::new(format!("{at}.Ports"), "ports can only be set for Host or Bridge network modes");
        to.push(problem.found(format!("{:?}", network.network_type)).allowed("Network.Type Host or Bridge"));
        return;
    }
    for (index, port) in network.ports.iter().enumerate() {
        check_port(port, network.network_type, format_args!("{at}.Ports[{index}]"), to);
    }
    check_repeats(network, at, to);
}

/// Whether a text names what may be reached: a dotted name, a suffix, a glob, an IP address, each with a port or without.
fn is_domain(text: &str) -> bool {
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
    if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return false;
    }
    let name = name.strip_prefix('.').unwrap_or(name);
    let labels: Vec<&str> = name.split('.').collect();
    let Some((top, inner)) = labels.split_last() else { return false };
    // The last label is no glob and no number, so that `*`, `*.*` and parts of addresses are none.
    let top_ok = top.len() >= 2 && top.starts_with(|c: char| c.is_ascii_lowercase()) && is_label(top, false);
    name.len() <= 253 && top_ok && !inner.is_empty() && inner.iter().all(|label| is_label(label, true))
}

fn is_label(label: &str, glob: bool) -> bool {
    let letters = |c: char| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_') || (glob && c == '*')
    };
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(letters)
}

fn check_port(port: &Port, network: NetworkType, at: Arguments<'_>, to: &mut Vec<Problem>) {
    let name = &port.name;
    if name.is_empty() {
        to.push(
            Problem::new(format!("{at}.Name"), "port mapping name is required")
                .allowed("a name such as http"),
        );
    } else if name.starts_with(|c: char| c.is_ascii_digit())
        || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        let message = "port name must be a valid environment variable name: start with letter/underscore and contain \
                       only letters, numbers, and underscores";
        to.push(Problem::new(format!("{at}.Name"), message).found(quote(name)));
    } else if name.len() > PORT_NAME_BYTES_MAX {
        let message = format!("port name too long (max {PORT_NAME_BYTES_MAX} characters)");
        to.push(Problem::new(format!("{at}.Name"), message).found(format!("{} characters", name.len())));
    }
    let static_at = || format!("{at}.Static");
    match port.static_port {
        0 | PORT_MIN..=PORT_MAX => {}
        number @ 1..PORT_MIN => {
            let message = format!("static port {number} is in privileged port range (1-1023)");
            to.push(Problem::new(static_at(), message).allowed("0, or 1024 to 65535"));
        }
        number => {
            let message = format!("static port {number} is above maximum valid port 65535");
            to.push(Problem::new(static_at(), message).allowed("0, or 1024 to 65535"));
        }
    }
    if port.target > PORT_MAX {
        let message = format!("invalid target port {}", port.target);
        to.push(Problem::new(format!("{at}.Target"), message).allowed("0 to 65535"));
    }
    if network.is_host() && port.target != 0 {
        let problem =
            Problem::new(format!("{at}.Target"), "target ports cannot be set for Host network mode");
        to.push(problem.found(port.target).allowed("no target, or Network.Type Bridge"));
    }
    if !port.host_network.is_empty() && port.host_network.parse::<IpAddr>().is_err() {
        let shown = quote(&port.host_network);
        let message = format!("invalid host network IP address: {}", shown.trim_matches('"'));
        to.push(Problem::new(format!("{at}.HostNetwork"), message).allowed("an address such as 127.0.0.1"));
    }
}

fn check_repeats(network: &NetworkConfig, at: Arguments<'_>, to: &mut Vec<Problem>) {
    let ports = || network.ports.iter().enumerate();
    note_repeats(ports().map(|(index, port)| (index, port.name.as_str())), |index, name| {
        let message = format!("duplicate port mapping name {}", quote(name));
        to.push(Problem::new(format!("{at}.Ports[{index}].Name"), message));
    });
    let numbers = |of: fn(&Port) -> u32| -> Vec<String> {
        let shown = |number: u32| if number == 0 { String::new() } else { number.to_string() };
        ports().map(|(_, port)| shown(of(port))).collect()
    };
    let statics = numbers(|port| port.static_port);
    note_repeats(statics.iter().map(String::as_str).enumerate(), |index, number| {
        let message = format!("duplicate port mapping static port {number}");
        to.push(Problem::new(format!("{at}.Ports[{index}].Static"), message));
    });
    if network.network_type == NetworkType::Bridge {
        let targets = numbers(|port| port.target);
        note_repeats(targets.iter().map(String::as_str).enumerate(), |index, number| {
            let message = format!("duplicate port mapping target port {number}");
            to.push(Problem::new(format!("{at}.Ports[{index}].Target"), message));
        });
    }
}
