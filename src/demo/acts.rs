//! What happens in the sample company, and when.

use anyhow::{Context, anyhow, ensure};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::company::{Cover, Day, DaysOff, Decided, Manual, Member, MemberChange, Team};
use crate::domain::oncall_day::OnCallClock;
use crate::domain::zone::Zone;
use crate::wire::service::ServiceInput;
use crate::wire::team::RotationInput;

/// Something that somebody does at an instant.
pub struct Act<'c> {
    pub at: DateTime<Utc>,
    pub team: &'c Team,
    /// The team's on-call day that is running in the present.
    pub today: NaiveDate,
    pub what: What<'c>,
}

#[derive(Debug)]
pub enum What<'c> {
    Found,
    Join {
        member: &'c Member,
        joined_at: DateTime<Utc>,
    },
    AddService(&'c ServiceInput),
    Configure(&'c RotationInput),
    ChangeMember(&'c Member, &'c MemberChange),
    TakeOff(&'c Member, &'c DaysOff),
    Schedule(&'c Manual),
    Ask(&'c Cover),
    Decide(&'c Cover, &'c Decided),
    Leave(&'c Member),
    Close,
}

impl What<'_> {
    /// The local hour at which it is done: what follows from something else on the same day
    /// comes later.
    const fn hour(&self) -> u32 {
        match self {
            Self::Found => 9,
            Self::Join { .. } => 10,
            Self::AddService(_) => 11,
            Self::Configure(_) | Self::ChangeMember(..) => 12,
            Self::TakeOff(..) | Self::Schedule(_) => 13,
            Self::Ask(_) => 14,
            Self::Decide(..) => 15,
            Self::Leave(_) | Self::Close => 16,
        }
    }
}

/// All that happens in a team, in no particular order.
pub fn acts_of(team: &Team, now: DateTime<Utc>) -> anyhow::Result<Vec<Act<'_>>> {
    let unknown_zone = || anyhow!("{} is no time zone", team.timezone);
    let zone = Zone::find(&team.timezone).with_context(unknown_zone)?;
    let handoff_time = team.rotation.handoff_time.as_deref().unwrap_or("00:00");
    let today = OnCallClock::new(&team.timezone, handoff_time.parse()?).day_at(now);
    let at = |day: Day, hour: u32, minute: u32| {
        let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        zone.instant(day.date(today), time)
    };
    let mut planned: Vec<(Day, What<'_>)> = vec![
        (team.founded, What::Found),
        (team.founded, What::Configure(&team.rotation)),
    ];
    for member in &team.members {
        let joined_at = at(member.joined, 10, 0);
        let day = member.joined.max(team.founded);
        planned.push((day, What::Join { member, joined_at }));
        let changes = member.changes.iter();
        planned.extend(changes.map(|change| (change.day, What::ChangeMember(member, change))));
        let alone = member.off.iter();
        let together = team
            .everybody_off
            .iter()
            .filter(|_| member.stays_eligible());
        planned.extend(
            alone
                .chain(together)
                .map(|off| (off.noted, What::TakeOff(member, off))),
        );
        planned.extend(member.left.map(|day| (day, What::Leave(member))));
    }
    let services = team.services.iter();
    planned.extend(services.map(|service| (team.founded, What::AddService(service))));
    let changes = team.changes.iter();
    planned.extend(changes.map(|change| (change.day, What::Configure(&change.rotation))));
    let rows = team.schedules.iter();
    planned.extend(rows.map(|row| (row.made, What::Schedule(row))));
    for cover in &team.overrides {
        planned.push((cover.asked, What::Ask(cover)));
        let decisions = cover.decisions.iter();
        planned.extend(decisions.map(|decided| (decided.day, What::Decide(cover, decided))));
    }
    planned.extend(team.closed.map(|day| (day, What::Close)));
    let mut acts = Vec::new();
    for (minute, (day, what)) in (0..60).step_by(7).cycle().zip(planned) {
        let at = at(day, what.hour(), minute);
        ensure!(at < now, "{}, {what:?}: is not past", team.slug);
        acts.push(Act {
            at,
            team,
            today,
            what,
        });
    }
    Ok(acts)
}
