//! {{name}}: a rotation strategy for oncalld. Whoever is owed most is next.

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "rotation-strategy" });
    use super::Plugin;
    pub use oncalld::plugin::rotation;
    export!(Plugin with_types_in self);
}

use bindings::rotation::{Candidate, Role};
use bindings::{Context, Guest, Pick};
use serde::Deserialize;

/// A team's `plugin_config`, over the defaults of the manifest.
#[derive(Deserialize)]
struct Config {
    leads_too: bool,
}

struct Plugin;

impl Guest for Plugin {
    fn pick(ctx: Context) -> Result<Pick, String> {
        let config: Config =
            serde_json::from_str(&ctx.config).map_err(|error| error.to_string())?;
        choose(&ctx.candidates, &config)
    }
}

/// Of those who are owed the same it is whoever was on call longest ago, and then the first in
/// the ring, which is the order of the candidates.
fn choose(candidates: &[Candidate], config: &Config) -> Result<Pick, String> {
    let chosen = candidates
        .iter()
        .filter(|c| config.leads_too || c.role != Role::Lead)
        .min_by(|a, b| {
            let last = |c: &Candidate| c.last_served.map(|day| day.number);
            b.credit.total_cmp(&a.credit).then(last(a).cmp(&last(b)))
        })
        .ok_or("nobody but leads can be picked, and the config says they are not")?;
    let reason = format!("owed {:+.2} of a shift", chosen.credit);
    Ok(Pick {
        user: chosen.user.clone(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bindings::rotation::{Date, Weekday};

    fn candidate(user: &str, role: Role, credit: f64) -> Candidate {
        let joined = Date {
            year: 2026,
            month: 11,
            day: 23,
            weekday: Weekday::Monday,
            number: 20_780,
        };
        Candidate {
            user: user.into(),
            role,
            weight: 1.0,
            target: 0.5,
            joined,
            served: 0.0,
            credit,
            last_served: None,
        }
    }

    #[test]
    fn whoever_is_owed_most_is_next() {
        let team = [
            candidate("ULEAD", Role::Lead, 0.75),
            candidate("UANA", Role::Member, -0.25),
            candidate("UBEN", Role::Member, 0.25),
        ];
        let picked = |leads_too| choose(&team, &Config { leads_too }).unwrap().user;
        assert_eq!(picked(true), "ULEAD");
        assert_eq!(picked(false), "UBEN");
        assert!(choose(&team[..1], &Config { leads_too: false }).is_err());
    }
}
