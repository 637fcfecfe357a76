//! Schedule, the first tab: a month as a calendar, weeks as a timeline with a row a layer.

use chrono::NaiveDate;
use chrono::{Datelike, Months, Weekday};

use super::{Tab, TeamData, TeamHead};
use crate::actions::oncall::layers::layers;
use crate::domain::oncall_day::{add_days, each_day};
use crate::domain::schedule::Origin;
use crate::domain::shift_override::OverrideStatus;
use crate::rotation::coverage::Source;
use crate::web::pages::prelude::*;
use crate::web::view::timeline::{Row, Shift, Span, Timeline};
use crate::wire::layers::Layers;
use crate::wire::schedule::ScheduleView;

/// Days of the timeline.
const DAYS: i64 = 28;
/// Days by which it is moved.
const STEP: i64 = 14;
/// Years that are shown: whoever asks for others sees the present.
const YEARS: std::ops::RangeInclusive<i32> = 1971..=2198;

/// Which days to show.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Window {
    /// The calendar's month, `2026-11`.
    month: String,
    /// First day of the timeline.
    from: String,
}

#[derive(Template)]
#[template(path = "team_schedule.html")]
struct Schedule {
    layout: Layout,
    head: TeamHead,
    month: Month,
    timeline: Timeline,
    timeline_days: String,
    timeline_earlier: String,
    timeline_later: String,
    is_empty: bool,
}

/// A month of the calendar.
struct Month {
    /// `November 2026`
    name: String,
    weeks: Vec<Vec<CalendarDay>>,
    earlier: String,
    later: String,
    /// Back to the present; none where it is shown.
    present: Option<String>,
}

/// A day of the calendar.
struct CalendarDay {
    date: NaiveDate,
    /// `Thu 26 Nov`
    long: String,
    is_other_month: bool,
    is_today: bool,
    is_weekend: bool,
    /// Who is on call, or that nobody is.
    shift: Option<Shift>,
    /// An override that waits for a decision.
    pending: Option<Shift>,
    /// Where to ask for cover.
    ask: Option<String>,
}

/// `GET /teams/{team}`
pub async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(team): Path<String>,
    Query(window): Query<Window>,
) -> Shown {
    let (data, month, calendar, weeks, people) = api
        .run(move |app| {
            let data = TeamData::load(app, &team)?;
            let id = data.team.id.to_string();
            let month = month_of(&window, data.today);
            let (start, end) = grid_of(month);
            let calendar = layers(app, &id, start, end)?;
            let first = first_of(&window, data.today);
            let weeks = layers(app, &id, first, add_days(first, DAYS - 1))?;
            let users = calendar.users().chain(weeks.users());
            let people = People::load(app, data.ids().into_iter().chain(users))?;
            Ok((data, month, calendar, weeks, people))
        })
        .await?;
    let head = TeamHead::new(&data, Tab::Schedule, &people, &visitor);
    let is_active = data.team.is_active;
    let layout = visitor.layout(&data.team.name, Nav::Teams);
    let view = View {
        people: &people,
        slug: &data.team.slug,
        today: data.today,
        may_ask: is_active && layout.may_edit(),
    };
    let (slug, first) = (&data.team.slug, weeks.first);
    let link = |month: NaiveDate, first: NaiveDate| {
        format!("/teams/{slug}?month={}&from={first}", month.format("%Y-%m"))
    };
    let page = Schedule {
        layout: layout.alarmed(head.is_alarming()).live(),
        month: Month {
            name: month.format("%B %Y").to_string(),
            earlier: link(month - Months::new(1), first),
            later: link(month + Months::new(1), first),
            present: (month != data.today.with_day(1).unwrap_or(month))
                .then(|| link(data.today, first)),
            weeks: view.calendar(&calendar, month),
        },
        timeline: view.timeline(&weeks, is_active && data.team.rotation_enabled),
        timeline_days: days(weeks.first, weeks.last, data.today),
        timeline_earlier: link(month, add_days(first, -STEP)),
        timeline_later: link(month, add_days(first, STEP)),
        is_empty: calendar.stretches.is_empty() && weeks.stretches.is_empty(),
        head,
    };
    visitor.page(&page)
}

/// First day of the month that is asked for, else of today's.
fn month_of(window: &Window, today: NaiveDate) -> NaiveDate {
    let asked = format!("{}-01", window.month).parse::<NaiveDate>().ok();
    let asked = asked.filter(|month| YEARS.contains(&month.year()));
    asked.or_else(|| today.with_day(1)).unwrap_or(today)
}

/// The whole weeks that hold a month: their first day and their last.
fn grid_of(month: NaiveDate) -> (NaiveDate, NaiveDate) {
    let last = add_days(month + Months::new(1), -1);
    let after = 6 - i64::from(last.weekday().num_days_from_monday());
    (monday_of(month), add_days(last, after))
}

/// First day of the timeline: the one that is asked for, else the Monday of last week.
fn first_of(window: &Window, today: NaiveDate) -> NaiveDate {
    let asked = window.from.parse::<NaiveDate>().ok();
    let asked = asked.filter(|day| YEARS.contains(&day.year()));
    asked.unwrap_or_else(|| add_days(monday_of(today), -7))
}

fn monday_of(day: NaiveDate) -> NaiveDate {
    add_days(day, -i64::from(day.weekday().num_days_from_monday()))
}

/// What calendar and timeline are made with.
struct View<'v> {
    people: &'v People,
    slug: &'v str,
    today: NaiveDate,
    /// Whether the visitor may ask for cover.
    may_ask: bool,
}

impl View<'_> {
    /// The weeks of a month, from Monday to Sunday.
    fn calendar(&self, of: &Layers, month: NaiveDate) -> Vec<Vec<CalendarDay>> {
        let on_call = self.on_call(of);
        let pending = self.overrides(of, OverrideStatus::Pending);
        let on = |spans: &[Span], day: NaiveDate| {
            let span = spans
                .iter()
                .find(|span| span.start <= day && day <= span.end);
            span.map(|span| span.shift.clone())
        };
        let days: Vec<_> = each_day(of.first, of.last)
            .map(|date| CalendarDay {
                date,
                long: day(date, self.today),
                is_other_month: date.month() != month.month(),
                is_today: date == self.today,
                is_weekend: matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
                shift: on(&on_call, date),
                pending: on(&pending, date),
                ask: (self.may_ask && date >= self.today).then(|| self.ask_for(date, date)),
            })
            .collect();
        let mut weeks: Vec<Vec<CalendarDay>> = Vec::new();
        for day in days {
            match weeks.last_mut().filter(|week| week.len() < 7) {
                Some(week) => week.push(day),
                None => weeks.push(vec![day]),
            }
        }
        weeks
    }

    /// A row a layer; those without anything in them are left out.
    fn timeline(&self, of: &Layers, rotates: bool) -> Timeline {
        let count = usize::try_from(DAYS).unwrap_or_default();
        let mut timeline = Timeline::new("Layer", of.first, count, self.today);
        let row = |label: &str, spans: Vec<Span>| Row::new(label, None, (of.first, count), spans);
        timeline.rows.push(row("On call", self.on_call(of)));
        let rotation = self.schedules(of, Origin::Auto);
        if rotates || !rotation.is_empty() {
            timeline.rows.push(row("Rotation", rotation));
        }
        let mut overrides = self.overrides(of, OverrideStatus::Approved);
        overrides.extend(self.overrides(of, OverrideStatus::Pending));
        overrides.sort_by_key(|span| span.start);
        for (label, spans) in [
            ("By hand", self.schedules(of, Origin::Manual)),
            ("Overrides", overrides),
        ] {
            if !spans.is_empty() {
                timeline.rows.push(row(label, spans));
            }
        }
        for (user, rows) in &of.time_off {
            let person = self.people.get(user);
            let href = format!("/teams/{}/members/{user}/time-off", self.slug);
            let spans = rows.iter().map(|off| {
                let when = days(off.start_date, off.end_date, self.today);
                let why = off.reason.as_deref().map(|why| format!(": {why}"));
                let shift = Shift {
                    title: format!("{} is away, {when}{}", person.name, why.unwrap_or_default()),
                    person: Some(person.clone()),
                    kind: "time-off",
                    href: href.clone(),
                };
                span((off.start_date, off.end_date), shift)
            });
            let label = format!("{} away", person.first_name());
            timeline.rows.push(row(&label, spans.collect()));
        }
        timeline
    }

    /// Who is on call, and where nobody is, by start.
    fn on_call(&self, of: &Layers) -> Vec<Span> {
        let stretches = of.stretches.iter().map(|it| {
            let dates = (it.start_date, it.end_date);
            let href = match it.source {
                Source::Override => self.below("overrides", it.id),
                _ => self.below("schedule", it.id),
            };
            let shift = Shift::on_call(self.people, &it.user, it.source, dates, self.today, href);
            span(dates, shift)
        });
        let gaps = of.gaps.iter().map(|&(start, end)| {
            let slug = self.slug;
            let href = if !self.may_ask {
                format!("/teams/{slug}?month={}", start.format("%Y-%m"))
            } else if end < self.today {
                format!("/teams/{slug}/schedule/new?start_date={start}&end_date={end}")
            } else {
                self.ask_for(start.max(self.today), end)
            };
            span((start, end), Shift::gap((start, end), self.today, href))
        });
        let mut spans: Vec<_> = stretches.chain(gaps).collect();
        spans.sort_by_key(|span| span.start);
        spans
    }

    fn schedules(&self, of: &Layers, origin: Origin) -> Vec<Span> {
        let source = match origin {
            Origin::Auto => Source::Auto,
            Origin::Manual => Source::Manual,
        };
        let row = |row: &ScheduleView| {
            let (dates, user) = ((row.start_date, row.end_date), &row.engineer_slack_id);
            let href = self.below("schedule", row.id);
            span(
                dates,
                Shift::on_call(self.people, user, source, dates, self.today, href),
            )
        };
        of.schedules_of(origin).map(row).collect()
    }

    fn overrides(&self, of: &Layers, status: OverrideStatus) -> Vec<Span> {
        let rows = of.overrides.iter().filter(|row| row.status == status);
        let row = rows.map(|row| {
            let (dates, user) = ((row.start_date, row.end_date), &row.substitute_slack_id);
            let href = self.below("overrides", row.id);
            let mut shift =
                Shift::on_call(self.people, user, Source::Override, dates, self.today, href);
            if status == OverrideStatus::Pending {
                shift.kind = "pending";
                shift.title += " that waits for a decision";
            }
            span(dates, shift)
        });
        row.collect()
    }

    fn below(&self, what: &str, id: impl std::fmt::Display) -> String {
        format!("/teams/{}/{what}/{id}", self.slug)
    }

    fn ask_for(&self, start: NaiveDate, end: NaiveDate) -> String {
        let slug = self.slug;
        format!("/teams/{slug}/overrides/new?start_date={start}&end_date={end}")
    }
}

fn span((start, end): (NaiveDate, NaiveDate), shift: Shift) -> Span {
    Span { start, end, shift }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_is_shown_in_whole_weeks() {
        let grid = |month| grid_of(date(month));
        assert_eq!(grid("2026-11-01"), (date("2026-10-26"), date("2026-12-06")));
        assert_eq!(grid("2027-02-01"), (date("2027-02-01"), date("2027-02-28")));
    }

    #[test]
    fn days_that_nobody_can_mean_show_the_present() {
        let today = date("2026-11-26");
        let window = |month: &str, from: &str| Window {
            month: month.to_owned(),
            from: from.to_owned(),
        };
        for (month, from) in [
            ("", ""),
            ("x", "y"),
            ("9999-01", "9999-01-01"),
            ("2026-13", "-1"),
        ] {
            let window = window(month, from);
            assert_eq!(month_of(&window, today), date("2026-11-01"));
            assert_eq!(first_of(&window, today), date("2026-11-16"));
        }
        let window = window("2025-02", "2025-01-01");
        assert_eq!(month_of(&window, today), date("2025-02-01"));
        assert_eq!(first_of(&window, today), date("2025-01-01"));
    }
}
