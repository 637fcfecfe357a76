//! Which hosts a sink may send requests to, and which addresses count as private.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::{AllowedHost, Host};

/// What the config lets plugins reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPolicy {
    /// Hosts with public addresses.
    pub allowed: Vec<AllowedHost>,
    /// Hosts that may have private addresses, or be this machine.
    pub private: Vec<Host>,
}

/// What one plugin may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// Hosts with public addresses.
    pub public: Vec<Host>,
    /// Hosts that may have private addresses.
    pub private: Vec<Host>,
    /// Hosts that it wants, but doesn't get.
    pub refused: Vec<Host>,
}

/// What the rules say of a host and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It may be reached where its address is public.
    Public,
    /// It may be reached.
    Any,
}

impl HostPolicy {
    /// What both a manifest and the config name.
    pub fn grant(&self, wanted: &[Host]) -> Granted {
        let mut granted = Granted::default();
        for host in wanted {
            let public = self.allowed.iter().filter_map(|allowed| match allowed {
                AllowedHost::Any => Some(host.clone()),
                AllowedHost::Host(allowed) => host.meet(allowed),
            });
            let public: Vec<_> = public.collect();
            let private: Vec<_> = self
                .private
                .iter()
                .filter_map(|own| host.meet(own))
                .collect();
            if public.is_empty() && private.is_empty() {
                granted.refused.push(host.clone());
            }
            granted.public.extend(public);
            granted.private.extend(private);
        }
        granted
    }
}

impl Granted {
    /// Whether a host may be reached at a port.
    pub fn reach(&self, name: &str, port: u16) -> Option<Reach> {
        let any = |hosts: &[Host]| hosts.iter().any(|host| host.is(name, port));
        if any(&self.private) {
            return Some(Reach::Any);
        }
        any(&self.public).then_some(Reach::Public)
    }

    /// Every host that may be reached, as the config would name it.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .public
            .iter()
            .chain(&self.private)
            .map(ToString::to_string)
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// Whether an address belongs to the internet at large.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_special = match address.octets() {
        // Shared by carriers.
        [100, second, ..] => second & 0xc0 == 64,
        // Protocol assignments and 6to4 relays, benchmarks.
        [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => true,
        // This network, multicast, reserved, broadcast.
        [first, ..] => first == 0 || first >= 224,
    };
    !(is_special
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match address.segments() {
        // Through a translator, to the IPv4 address in the last 32 bits.
        [0x64, 0xff9b, ..] => {
            let [.., high, low] = address.segments();
            is_public_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        // Protocol assignments with tunnels among them, documentation, 6to4.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002 | 0x3fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(names: &[&str]) -> Vec<Host> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_plugin_reaches_what_both_its_manifest_and_the_config_name() {
        let policy = HostPolicy {
            allowed: vec![
                AllowedHost::Host("chat.example.com".parse().unwrap()),
                AllowedHost::Host("hooks.example.com:8443".parse().unwrap()),
            ],
            private: hosts(&["127.0.0.1"]),
        };
        let granted = policy.grant(&hosts(&[
            "chat.example.com:443",
            "hooks.example.com",
            "127.0.0.1:9000",
            "evil.example.com",
        ]));
        assert_eq!(
            granted.names(),
            [
                "127.0.0.1:9000",
                "chat.example.com:443",
                "hooks.example.com:8443"
            ]
        );
        assert_eq!(granted.refused, hosts(&["evil.example.com"]));
        assert_eq!(granted.reach("chat.example.com", 443), Some(Reach::Public));
        assert_eq!(granted.reach("chat.example.com", 80), None);
        assert_eq!(granted.reach("hooks.example.com", 443), None);
        assert_eq!(granted.reach("127.0.0.1", 9000), Some(Reach::Any));
        assert_eq!(granted.reach("x.chat.example.com", 443), None);
    }

    #[test]
    fn a_star_in_the_config_lets_the_manifest_decide_but_not_on_private_addresses() {
        let policy = HostPolicy {
            allowed: vec![AllowedHost::Any],
            private: Vec::new(),
        };
        let granted = policy.grant(&hosts(&["localhost"]));
        assert_eq!(granted.reach("localhost", 80), Some(Reach::Public));
    }

    #[test]
    fn addresses_that_are_not_the_internets_are_known() {
        let private = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2001:db8::1",
            "2001::1",
            "2002:a00:1::",
            "fec0::1",
            "::7f00:1",
        ];
        for address in private {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
