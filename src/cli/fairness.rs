//! `oncalld fairness`: who served how much of what they owed.

use std::fmt::Write as _;

use chrono::NaiveDate;
use clap::Args;

use super::args::Query;
use super::error::CliError;
use super::explanation::percent;
use super::output::print;
use super::people::Names;
use super::session::Session;
use super::table::{Table, clean, counted, person};
use super::time::{days, parse_date};
use crate::wire::rotation::FairnessView;

/// Which team, and over which days.
#[derive(Debug, Args)]
pub(super) struct FairnessArgs {
    /// Slug or id of the team
    team: String,
    /// First on-call day [default: a year before today]
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    from: Option<NaiveDate>,
    /// Last on-call day [default: today]
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    to: Option<NaiveDate>,
}

/// Reports.
///
/// # Errors
/// The daemon can't be reached, or knows no such team.
pub(super) async fn run(args: FairnessArgs, session: &Session) -> Result<(), CliError> {
    let query = Query::default().set("from", args.from).set("to", args.to);
    let path = ["teams", &args.team, "fairness"];
    let answer = session.client.get::<FairnessView>(&path, query).await?;
    match session.open(&answer)? {
        Some(report) => print(&text(&report)),
        None => Ok(()),
    }
}

fn text(report: &FairnessView) -> String {
    let range = days(report.from, report.to);
    let covered = counted(report.covered_days.into(), "day", "days");
    let mut text = format!("{range}, {covered} covered\n");
    if !report.members.is_empty() {
        let columns = [
            "PERSON", "DAYS", "OVERRIDE", "MANUAL", "AUTO", "WEEKEND", "TARGET", "ACTUAL", "CREDIT",
        ];
        let mut table = Table::new(columns).numbers(1..=8);
        for of in &report.members {
            table.row([
                person(&of.slack_user_id, Some(&of.display_name)),
                of.days_served.to_string(),
                of.override_days.to_string(),
                of.manual_days.to_string(),
                of.auto_days.to_string(),
                of.weekend_days.to_string(),
                percent(of.target_share),
                percent(of.actual_share),
                format!("{:+.2}", of.credit),
            ]);
        }
        let _ = write!(text, "\n{}", table.render());
    }
    if !report.gaps.is_empty() {
        text += "\nNobody is on call:\n";
        for gap in &report.gaps {
            let _ = writeln!(text, "  {}", days(gap.start_date, gap.end_date));
        }
    }
    if !report.conflicts.is_empty() {
        text += "\nOn call during time off:\n";
        let of_members = report.members.iter();
        let names = of_members.map(|of| (of.slack_user_id.clone(), of.display_name.clone()));
        let names = Names(names.collect());
        for conflict in &report.conflicts {
            let _ = writeln!(
                text,
                "  {}: {} ({}), off {}",
                clean(&names.of(&conflict.slack_user_id)),
                days(conflict.start_date, conflict.end_date),
                conflict.source,
                days(conflict.time_off_start_date, conflict.time_off_end_date),
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_report_tells_shares_gaps_and_conflicts() {
        let report: FairnessView = serde_json::from_value(json!({
            "from": "2026-11-01", "to": "2026-11-30", "covered_days": 28,
            "members": [{"slack_user_id": "U1", "display_name": "Zoë", "days_served": 14,
                "override_days": 1, "manual_days": 2, "auto_days": 11, "weekend_days": 4,
                "target_share": 0.5, "actual_share": 0.5, "credit": -0.5}],
            "gaps": [{"start_date": "2026-11-29", "end_date": "2026-11-30"}],
            "conflicts": [{"slack_user_id": "U1", "source": "auto",
                "start_date": "2026-11-02", "end_date": "2026-11-08",
                "time_off_start_date": "2026-11-08", "time_off_end_date": "2026-11-08"}],
        }))
        .unwrap();
        assert_eq!(
            text(&report),
            "Sun 1 Nov 2026 to Mon 30 Nov 2026, 28 days covered\n\n\
             PERSON    DAYS  OVERRIDE  MANUAL  AUTO  WEEKEND  TARGET  ACTUAL  CREDIT\n\
             Zoë (U1)    14         1       2    11        4  50.0 %  50.0 %   -0.50\n\n\
             Nobody is on call:\n  Sun 29 Nov 2026 to Mon 30 Nov 2026\n\n\
             On call during time off:\n  \
             Zoë (U1): Mon 2 Nov 2026 to Sun 8 Nov 2026 (auto), off Sun 8 Nov 2026\n"
        );
    }
}
