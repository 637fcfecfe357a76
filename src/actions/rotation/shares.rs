//! What share of the turns each member has, as the team is now.

use std::collections::BTreeMap;

use crate::actions::people::{find, roster};
use crate::app::{App, Result};
use crate::domain::team::RotationType;
use crate::rotation::candidate::{RotationMember, candidates};
use crate::rotation::credit::PeriodShares;
use crate::rotation::period::Periods;

/// The share of the turns, 0 to 1, of everybody whom a team's rotation may pick in its next
/// period, time off left aside, by user id: by weight, but for rotations that go round in a ring.
/// Nobody has one while the rotation is off.
///
/// # Errors
/// The team is not there.
pub fn turn_shares(app: &App, team: &str) -> Result<BTreeMap<String, f64>> {
    let now = app.now();
    app.read(|tx| {
        let team = find::team(tx, team)?;
        let config = &team.rotation;
        if !team.rotates() {
            return Ok(BTreeMap::new());
        }
        let clock = team.clock();
        let today = clock.day_at(now);
        let period = Periods::new(config, config.start_date.unwrap_or(today)).after(today);
        let (members, _) = roster::members_of(tx, app.settings(), &team)?;
        let members: Vec<_> = members
            .into_iter()
            .map(|member| RotationMember::new(member, &clock))
            .collect();
        let order = matches!(config.kind, RotationType::Custom).then_some(config.order.as_slice());
        let (candidates, _) = candidates(&members, &[], order, &period, today);
        let is_ring = matches!(config.kind, RotationType::Custom | RotationType::RoundRobin);
        let weighted = PeriodShares::among(&period, &candidates).shares;
        let count = u32::try_from(weighted.len()).unwrap_or(u32::MAX);
        let share = |weighted: f64| {
            if is_ring {
                1.0 / f64::from(count)
            } else {
                weighted
            }
        };
        let shares = weighted.into_iter();
        Ok(shares
            .map(|it| (it.user.to_string(), share(it.target)))
            .collect())
    })
}
