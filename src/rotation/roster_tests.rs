//! What Slack's list of members brings about in the rotation.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::candidate::{RotationMember, candidates};
use super::explanation::PassedOverReason;
use super::period::Periods;
use super::testing::*;
use crate::domain::ids::{TeamId, UserId};
use crate::domain::member::Membership;
use crate::domain::oncall_day::OnCallClock;
use crate::domain::roster::{Account, Member, Roster, merge};
use crate::domain::team::{Interval, RotationType};

const IDS: [&str; 5] = ["UA", "UB", "UC", "UD", "UE"];

fn long_ago() -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(1_000_000, 0).unwrap()
}

fn row(id: &str) -> Membership {
    let team = TeamId::from_uuid(uuid::Uuid::nil());
    Member::new(user(id), long_ago()).to_row(team, long_ago())
}

/// The candidates, and those passed over, of a first period.
fn picture(
    rows: Vec<Membership>,
    listed: Option<BTreeMap<UserId, Account>>,
) -> (Vec<String>, Vec<(String, PassedOverReason)>) {
    let accounts = listed.clone().unwrap_or_default();
    let roster =
        listed.map(|listed| Roster::after(None, "S1", listed.into_keys().collect(), long_ago()));
    let clock = OnCallClock::new("UTC", "00:00".parse().unwrap());
    let members: Vec<_> = merge(rows, roster.as_ref(), &accounts)
        .into_iter()
        .map(|member| RotationMember::new(member, &clock))
        .collect();
    let config = config(RotationType::RoundRobin, Interval::Weekly);
    let period = Periods::new(&config, day(0)).get(0);
    let (chosen, passed) = candidates(&members, &[], None, &period, day(0));
    let passed = passed.into_iter().map(|p| (p.user.to_string(), p.reason));
    (
        chosen.iter().map(|m| m.user.to_string()).collect(),
        passed.collect(),
    )
}

#[test]
fn explanations_say_who_left_the_group_and_whose_account_serves_nobody() {
    let listed = BTreeMap::from([
        (user("UB"), Account::Person),
        (user("UC"), Account::Bot),
        (user("UD"), Account::Deactivated),
        (user("UE"), Account::Person),
    ]);
    let (chosen, passed) = picture(vec![row("UA"), row("UB")], Some(listed));
    assert_eq!(chosen, ["UB", "UE"]);
    let expected = [
        ("UA".to_owned(), PassedOverReason::LeftSlackGroup),
        ("UC".to_owned(), PassedOverReason::Bot),
        ("UD".to_owned(), PassedOverReason::Deactivated),
    ];
    assert_eq!(passed, expected);
}

proptest! {
    #[test]
    fn candidates_are_the_people_whom_slack_lists_or_else_the_rows(
        has_row in prop::collection::vec(any::<bool>(), 5),
        listed in prop::option::of(prop::collection::vec(
            prop::option::of(prop::sample::select(Account::ALL)), 5)),
    ) {
        let people: Vec<_> = IDS.iter().zip(&has_row).collect();
        let rows = people.iter().filter(|(_, has)| **has).map(|(id, _)| row(id)).collect();
        let listing = listed.as_ref().map(|listed| {
            let pairs = IDS.iter().zip(listed);
            pairs.filter_map(|(id, account)| Some((user(id), (*account)?))).collect()
        });
        let (chosen, passed) = picture(rows, listing);
        let may = |n: usize| match &listed {
            Some(listed) => listed[n] == Some(Account::Person),
            None => has_row[n],
        };
        let expected: Vec<_> = (0..5).filter(|n| may(*n)).map(|n| IDS[n].to_owned()).collect();
        prop_assert_eq!(chosen, expected);
        let is_known = |n: &usize| {
            has_row[*n] || listed.as_ref().is_some_and(|listed| listed[*n].is_some())
        };
        let others = (0..5).filter(|n| is_known(n) && !may(*n)).count();
        prop_assert_eq!(passed.len(), others);
    }
}
