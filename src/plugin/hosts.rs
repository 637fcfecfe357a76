//! Which hosts a sink may send requests to.

use crate::config::{self, AllowedHost, Host};
use crate::outbound::Reach;

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

impl From<&config::Plugins> for HostPolicy {
    fn from(plugins: &config::Plugins) -> Self {
        Self {
            allowed: plugins.allowed_hosts.clone(),
            private: plugins.private_hosts.clone(),
        }
    }
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
            return Some(Reach::Anywhere);
        }
        any(&self.public).then_some(Reach::Internet)
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
        assert_eq!(
            granted.reach("chat.example.com", 443),
            Some(Reach::Internet)
        );
        assert_eq!(granted.reach("chat.example.com", 80), None);
        assert_eq!(granted.reach("hooks.example.com", 443), None);
        assert_eq!(granted.reach("127.0.0.1", 9000), Some(Reach::Anywhere));
        assert_eq!(granted.reach("x.chat.example.com", 443), None);
    }

    #[test]
    fn a_star_in_the_config_lets_the_manifest_decide_but_not_on_private_addresses() {
        let policy = HostPolicy {
            allowed: vec![AllowedHost::Any],
            private: Vec::new(),
        };
        let granted = policy.grant(&hosts(&["localhost"]));
        assert_eq!(granted.reach("localhost", 80), Some(Reach::Internet));
    }
}
