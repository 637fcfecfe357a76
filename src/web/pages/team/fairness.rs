//! Fairness of a team: who served how much of what they owed, drawn and in numbers.

use chrono::NaiveDate;

use super::{Tab, TeamData, TeamHead};
use crate::actions::rotation::fairness;
use crate::domain::invalid::Invalid;
use crate::domain::oncall_day::add_days;
use crate::web::pages::prelude::*;
use crate::web::view::chart::{Bar, Part, line, stack};
use crate::web::view::why::{percent, signed};
use crate::wire::review::CreditTrend;
use crate::wire::rotation::{ConflictView, FairnessRange, FairnessView, MemberFairnessView};

/// Days to report on, as the form has them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    from: String,
    to: String,
}

impl Filter {
    fn range(&self) -> std::result::Result<FairnessRange, Invalid> {
        let mut invalid = Invalid::default();
        let mut date = |field: &str, text: &str| {
            let date = text.trim().parse();
            if date.is_err() && !text.trim().is_empty() {
                invalid.add(field, format!("`{text}` is not a day such as 2026-11-30"));
            }
            date.ok()
        };
        let (from, to) = (date("from", &self.from), date("to", &self.to));
        invalid.into_result(FairnessRange { from, to })
    }
}

#[derive(Template)]
#[template(path = "team_fairness.html")]
struct Fairness {
    layout: Layout,
    head: TeamHead,
    form: FormState,
    report: Option<Report>,
    ranges: Vec<(&'static str, String)>,
}

/// The report as it is shown.
struct Report {
    days: String,
    covered: u32,
    members: Vec<Member>,
    trend: Option<Trend>,
    gaps: Vec<String>,
    conflicts: Vec<Conflict>,
}

/// What the lines of credit run over.
struct Trend {
    days: String,
    most: String,
}

struct Member {
    person: Person,
    served: Bar,
    actual: String,
    target: String,
    days: u32,
    parts: Vec<Part>,
    sources: String,
    auto_days: u32,
    manual_days: u32,
    override_days: u32,
    weekend_days: u32,
    line: String,
    credit: String,
    means: &'static str,
}

/// Somebody who is on call on days off. The review of a rotation shows them too.
#[derive(Clone, Debug)]
pub(super) struct Conflict {
    pub person: Person,
    pub days: String,
    pub source: &'static str,
    pub off: String,
    /// What to ask for cover with, where it is not over.
    pub cover: Option<String>,
}

/// `GET /teams/{team}/fairness`
pub async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    Query(filter): Query<Filter>,
) -> Shown {
    let (data, people) = {
        let team = team.clone();
        api.run_heavy(move |app| {
            let data = TeamData::load(app, &team)?;
            let people = People::load(app, data.ids())?;
            Ok((data, people))
        })
        .await?
    };
    let (found, form, people) = match load(&api, &data, &filter).await {
        Ok((found, people)) => {
            let (report, _) = &found;
            let form = FormState::of([
                ("from", report.from.to_string()),
                ("to", report.to.to_string()),
            ]);
            (Some(found), form, people)
        }
        Err(problem) => {
            let pairs = [("from", &filter.from), ("to", &filter.to)];
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value.clone()));
            let form = pairs.into_iter().collect();
            (None, FormState::to_correct(&form, problem)?, people)
        }
    };
    let status = form.status();
    let title = format!("{}: fairness", data.team.name);
    let head = TeamHead::new(&data, Tab::Fairness, &people, &visitor);
    let page = Fairness {
        layout: visitor
            .layout(title, Nav::Teams)
            .alarmed(head.is_alarming()),
        head,
        form,
        report: found.map(|(report, trend)| Report::new(&report, &trend, &people, data.today)),
        ranges: ranges(&data),
    };
    visitor.page_with(status, &page)
}

async fn load(
    api: &Api,
    data: &TeamData,
    filter: &Filter,
) -> std::result::Result<((FairnessView, CreditTrend), People), Problem> {
    let range = filter.range()?;
    let id = data.team.id.to_string();
    let head: Vec<_> = data.ids().into_iter().map(str::to_owned).collect();
    api.run_heavy(move |app| {
        let found = fairness::report_over_time(app, &id, &range)?;
        let members = found.0.members.iter().map(|of| of.slack_user_id.as_str());
        let people = People::load(app, members.chain(head.iter().map(String::as_str)))?;
        Ok((found, people))
    })
    .await
}

/// Ranges that people often want.
fn ranges(data: &TeamData) -> Vec<(&'static str, String)> {
    let today = data.today;
    let link = |from: NaiveDate, to: NaiveDate| {
        format!("/teams/{}/fairness?from={from}&to={to}", data.team.slug)
    };
    vec![
        ("Last 3 months", link(add_days(today, -91), today)),
        ("Last year", link(add_days(today, -365), today)),
        ("Next 4 weeks", link(today, add_days(today, 27))),
    ]
}

impl Report {
    fn new(report: &FairnessView, trend: &CreditTrend, people: &People, today: NaiveDate) -> Self {
        let shares = report.members.iter();
        let most_share = shares.fold(0.0_f64, |most, of| {
            most.max(of.actual_share).max(of.target_share)
        });
        let most_days = report.members.iter().map(|of| of.days_served).max();
        let credits = trend.credit.values().flatten();
        let most_credit = credits.fold(1.0_f64, |most, credit| most.max(credit.abs()));
        let mut members: Vec<_> = report
            .members
            .iter()
            .map(|of| {
                let credit = trend.credit.get(&of.slack_user_id);
                let line = line(credit.map(Vec::as_slice).unwrap_or_default(), most_credit);
                Member::new(of, people, (most_share, most_days.unwrap_or(0)), line)
            })
            .collect();
        members.sort_by_cached_key(|member| member.person.name.to_lowercase());
        let ends = (trend.period_ends.first(), trend.period_ends.last());
        Self {
            days: days(report.from, report.to, today),
            covered: report.covered_days,
            trend: match ends {
                (Some(first), Some(last)) if first < last => Some(Trend {
                    days: days(*first, *last, today),
                    most: format!("{most_credit:.1}"),
                }),
                _ => None,
            },
            members,
            gaps: gaps(report, today),
            conflicts: conflicts(&report.conflicts, people, today),
        }
    }
}

/// The days that nobody covers.
pub(super) fn gaps(report: &FairnessView, today: NaiveDate) -> Vec<String> {
    let gaps = report.gaps.iter();
    gaps.map(|gap| days(gap.start_date, gap.end_date, today))
        .collect()
}

/// Those who are on call on days off.
pub(super) fn conflicts(
    conflicts: &[ConflictView],
    people: &People,
    today: NaiveDate,
) -> Vec<Conflict> {
    let conflict = |it: &ConflictView| Conflict {
        person: people.get(&it.slack_user_id),
        days: days(it.start_date, it.end_date, today),
        source: it.source.as_str(),
        off: days(it.time_off_start_date, it.time_off_end_date, today),
        cover: (it.time_off_end_date.min(it.end_date) >= today).then(|| {
            let start = it.start_date.max(it.time_off_start_date).max(today);
            let end = it.end_date.min(it.time_off_end_date);
            format!("start_date={start}&end_date={end}")
        }),
    };
    conflicts.iter().map(conflict).collect()
}

impl Member {
    fn new(
        of: &MemberFairnessView,
        people: &People,
        (most_share, most_days): (f64, u32),
        line: String,
    ) -> Self {
        let parts = stack(
            &[
                ("rotation", of.auto_days),
                ("manual", of.manual_days),
                ("override", of.override_days),
            ],
            most_days,
        );
        let labels: Vec<_> = parts.iter().map(|part| part.label.as_str()).collect();
        let credit = signed(of.credit);
        Self {
            person: people.get(&of.slack_user_id),
            served: Bar::new(of.actual_share, of.target_share, most_share),
            actual: percent(of.actual_share),
            target: percent(of.target_share),
            days: of.days_served,
            sources: labels.join(", "),
            parts,
            auto_days: of.auto_days,
            manual_days: of.manual_days,
            override_days: of.override_days,
            weekend_days: of.weekend_days,
            line,
            means: match credit.as_str() {
                "0.00" => "even",
                owed if owed.starts_with('+') => "owes turns",
                _ => "served more",
            },
            credit,
        }
    }
}
