//! What handoffs and previews cost, and that it doesn't grow with what lies behind a team.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chrono::TimeDelta;
use oncalld::actions::rotation::{self, handoff};
use oncalld::app::{App, Settings};
use oncalld::clock::{Clock as _, ManualClock};
use oncalld::domain::team::Interval;
use oncalld::store::Store;
use oncalld::wire::rotation::PlanRequest;

use super::deliveries::cpu_time;
use super::seed::{self, Company};
use super::{median, tell};

/// Weeks in a year, about.
const YEAR: i64 = 52;
/// Handoffs of each team that are measured, one after the other.
const IN_A_ROW: usize = 10;

/// A company that hands off whenever its clock is set to the next period.
struct Running {
    app: App,
    clock: Arc<ManualClock>,
    company: Company,
}

impl Running {
    /// The company at the first instant of the next period, on a copy of its store.
    fn start(company: Company, copy: &Path) -> Result<Self> {
        let clock = Arc::new(ManualClock::new(company.next_handoff()));
        let store = Store::open(copy)?;
        let app = oncalld::actions::start(store, clock.clone(), Settings::default());
        Ok(Self {
            app,
            clock,
            company,
        })
    }

    /// Hands all teams off.
    fn tick(&self) -> Result<Took> {
        let (started, before) = (Instant::now(), cpu_time()?);
        let ticked = handoff::tick(&self.app)?;
        let (wall, spent) = (started.elapsed(), cpu_time()?.saturating_sub(before));
        ensure!(ticked.failed.is_empty(), "some failed: {:?}", ticked.failed);
        ensure!(ticked.handed_off == self.company.teams, "not all were due");
        Ok(Took { wall, spent })
    }

    /// Hands all teams off at the next period, so often.
    fn hand_off(&self, times: usize) -> Result<Took> {
        let mut took = Took::default();
        for _ in 0..times {
            let period = TimeDelta::days(self.company.interval.days());
            self.clock.set(self.clock.now() + period);
            let Took { wall, spent } = self.tick()?;
            took.wall += wall;
            took.spent += spent;
        }
        Ok(took)
    }
}

/// How long something took, and how much processor time of that: others may use the machine too.
#[derive(Clone, Copy, Default)]
struct Took {
    wall: Duration,
    spent: Duration,
}

/// All teams of the company at one instant.
pub fn handoffs(dir: &Path) -> Result<()> {
    let copy = tempfile::tempdir_in(dir)?;
    let path = copy.path().join("oncalld.redb");
    std::fs::copy(dir.join("oncalld.redb"), &path)?;
    let running = Running::start(seed::COMPANY, &path)?;
    let first = running.tick()?;
    let what = format!("{} simultaneous handoffs", seed::TEAMS);
    println!("the first {what} after an upgrade: {:.2?}", first.wall);
    let took = running.hand_off(1)?;
    tell(&what, took.wall, Duration::from_secs(3));
    Ok(())
}

/// The same handoffs with ever more behind them, and previews of an old team.
pub fn measure(dir: &Path, teams: usize) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    let company = |interval, years: i64| Company {
        teams,
        interval,
        weeks: years * YEAR,
    };
    let one_year = measure_handoffs(dir, company(Interval::Weekly, 1), None)?;
    let a_day = measure_handoffs(dir, company(Interval::Daily, 1), Some(one_year))?;
    measure_handoffs(dir, company(Interval::Daily, 5), Some(a_day))?;
    for years in [1, 10] {
        let teams = 1;
        let company = company(Interval::Daily, years);
        measure_preview(dir, Company { teams, ..company })?;
    }
    Ok(())
}

fn measure_handoffs(dir: &Path, company: Company, before: Option<Took>) -> Result<Took> {
    let years = company.weeks / YEAR;
    let path = dir.join(format!(
        "{}-{years}-{}.redb",
        company.interval, company.teams
    ));
    company.seed(&path)?;
    let copy = tempfile::tempdir_in(dir)?.keep();
    let of_copy = copy.join("oncalld.redb");
    std::fs::copy(&path, &of_copy)?;
    let running = Running::start(company, &of_copy)?;
    // The first after an upgrade plays the whole history; it is not what recurs.
    let first = running.tick()?;
    let took = running.hand_off(IN_A_ROW)?;
    let ratio = before.map_or_else(String::new, |before| {
        let ratio = took.spent.as_secs_f64() / before.spent.as_secs_f64();
        format!(", {ratio:.2} of those before")
    });
    println!(
        "{} handoffs, {}, {years} years behind: {:.2?}; processor time {:.2?}{ratio}; the first {} \
         after an upgrade: {:.2?}",
        IN_A_ROW * company.teams,
        company.interval,
        took.wall,
        took.spent,
        company.teams,
        first.wall
    );
    drop(running);
    std::fs::remove_dir_all(copy)?;
    Ok(took)
}

fn measure_preview(dir: &Path, company: Company) -> Result<()> {
    let dir = tempfile::tempdir_in(dir)?;
    let path = dir.path().join("oncalld.redb");
    company.seed(&path)?;
    let running = Running::start(company, &path)?;
    running.tick()?;
    let years = company.weeks / YEAR;
    for weeks in [4, 52] {
        let request = PlanRequest { weeks: Some(weeks) };
        let took = median(51, || {
            black_box(rotation::preview(&running.app, "team-0", &request)).expect("previews");
        });
        let what = format!("{weeks} weeks of preview, daily, {years} years behind");
        tell(&what, took, Duration::from_millis(2));
    }
    Ok(())
}
