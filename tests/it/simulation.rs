//! Two years of a small company, in process: rotations that run while people come, go, swap
//! and fall ill, and while the daemon is down now and then.

mod company;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use oncalld::actions::admin::audit;
use oncalld::actions::rotation::fairness;
use oncalld::actions::teams;
use oncalld::domain::oncall_day::{OnCallClock, add_days};
use oncalld::wire::audit::AuditView;
use oncalld::wire::rotation::FairnessRange;

use self::company::{Company, TEAMS, slug};

const DAYS: i64 = 731;

/// Every instant at which something may fall due: each full hour, each minute of a handoff.
fn instants(company: &Company) -> Vec<DateTime<Utc>> {
    let mut instants: BTreeSet<_> = (1..=DAYS * 24)
        .map(|hours| company.now + TimeDelta::hours(hours))
        .collect();
    for (zone, handoff, ..) in TEAMS {
        let clock = OnCallClock::new(zone, handoff.parse().unwrap());
        let days = (1..DAYS).map(|days| add_days(company.now.date_naive(), days));
        instants.extend(days.map(|day| clock.starts_at(day)));
    }
    instants.into_iter().collect()
}

#[test]
fn two_years_of_a_small_company_are_covered_and_audited() {
    let home = tempfile::tempdir().unwrap();
    let mut company = Company::found(home.path().join("oncalld.redb"));
    let second_year = company.now + TimeDelta::days(365);
    let mut down_until = company.now;
    for at in instants(&company) {
        if at < down_until {
            continue;
        }
        company.tick(at);
        if at > second_year && !company.founded.contains_key(&0) {
            // The one that hands off each day.
            company.found_team(0);
        }
        match company.dice.roll(600) {
            0 => down_until = at + TimeDelta::hours(company.dice.days(12 * 24)),
            1..=8 => company.live(),
            9..=28 => company.everybody_is_covered(),
            _ => {}
        }
    }
    company.tick(company.now + TimeDelta::hours(13 * 24));
    company.everybody_is_covered();
    for n in 0..8 {
        let mut told: BTreeMap<NaiveDate, usize> = BTreeMap::new();
        let triggered = company.entries(n, "rotation_triggered");
        assert_eq!(
            company.entries(n, "rotation_skipped").len(),
            0,
            "there is always somebody"
        );
        let caught_up = |entry: &AuditView| entry.metadata["catch_up"] == true;
        assert!(
            n != 0 || triggered.iter().any(caught_up),
            "it was down for days"
        );
        for entry in &triggered {
            *told.entry(entry.effective_date.unwrap()).or_default() += 1;
            assert!(entry.engineer_slack_id.is_some());
        }
        let twice: Vec<_> = told.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{}: {twice:?}", slug(n));
        let told: BTreeSet<_> = told.into_keys().collect();
        assert_eq!(told, company.periods(n, company.founded[&n]), "{}", slug(n));
        let shifts = company.auto_shifts(n);
        assert!(shifts.len() > 50);
        for pair in shifts.windows(2) {
            assert!(pair[0].end_date < pair[1].start_date, "{pair:?}");
        }
        let since = teams::get(company.app(), &slug(n))
            .unwrap()
            .rotation_start_date
            .unwrap();
        let first = since.max(*company.periods(n, DateTime::UNIX_EPOCH).first().unwrap());
        let range = FairnessRange {
            from: Some(first),
            to: Some(company.now.date_naive()),
        };
        let report = fairness::report(company.app(), &slug(n), &range).unwrap();
        assert!(report.gaps.is_empty(), "{}: {:?}", slug(n), report.gaps);
    }
    let kinds: Vec<_> = company.tried.keys().copied().collect();
    assert_eq!(
        kinds,
        [
            "join", "leave", "override", "schedule", "time off", "weight"
        ]
    );
    for (kind, tried) in &company.tried {
        let is_lived = tried.accepted >= 10 && tried.accepted * 2 >= tried.times;
        assert!(is_lived, "{kind}: {tried:?}");
    }
    let entries = audit::verify(company.app()).unwrap().entries;
    assert!(entries > 1000, "{entries}");
}
