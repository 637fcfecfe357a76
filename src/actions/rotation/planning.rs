//! Plans a team's shifts by its own strategy.
//!
//! A plugin is other people's code, and takes its time: it is asked while no write is under
//! way. A write that wants to know more than a plugin was asked so far goes through once for
//! the questions, and is undone; [`App::write`](crate::app::App::write) has them answered, and goes
//! through it again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::NaiveDate;

use crate::actions::rotation::snapshot::TeamSnapshot;
use crate::app::answers::{Answers, Question};
use crate::app::{Settings, Tx};
use crate::domain::team::{RotationType, Team};
use crate::low_priority;
use crate::rotation::plan::{OnFailure, Plan, PlanOptions, Published, plan};
use crate::rotation::strategy::{AskedTwice, Pick, PickContext, Strategy, built_in};

/// How long a plan waits for its plugin, all picks together. Who is planned for later falls to
/// what the config has for plugins that fail.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Which published shifts stand.
    pub published: Published,
    /// Periods that begin before this day are planned.
    pub horizon: NaiveDate,
    /// Whether whoever was on call stays on where there is no candidate.
    pub hold_if_nobody: bool,
}

/// Plans, to show what would come.
pub(crate) fn plan_to_show(settings: &Settings, snapshot: &TeamSnapshot, wanted: Wanted) -> Plan {
    plan_by(settings, snapshot, wanted, &Answers::default(), true).0
}

/// Plans within a write. Where a plugin would have to be asked first, the write is told so.
pub(crate) fn plan_to_write(tx: &mut Tx<'_>, snapshot: &TeamSnapshot, wanted: Wanted) -> Plan {
    let (planned, is_open) = plan_by(tx.settings, snapshot, wanted, tx.answers, false);
    if is_open && !tx.is_last_round {
        let snapshot = snapshot.clone();
        tx.questions.push(Box::new(OpenPlan { snapshot, wanted }));
    }
    planned
}

/// A plan that a write wants, and that takes a plugin's answers: asks for all of them.
struct OpenPlan {
    snapshot: TeamSnapshot,
    wanted: Wanted,
}

impl Question for OpenPlan {
    fn ask(&self, settings: &Settings, answers: &Answers) {
        plan_by(settings, &self.snapshot, self.wanted, answers, true);
    }
}

/// Why a team that rotates has no strategy of its own, if it hasn't.
pub(crate) fn problem(settings: &Settings, team: &Team) -> Option<String> {
    let RotationType::Plugin(name) = &team.rotation.kind else {
        return None;
    };
    let problem = settings.plugins.strategy(name).err()?;
    let instead = match settings.on_failure {
        _ if settings.plugins.is_loading(name) => "what is planned stands meanwhile",
        OnFailure::RoundRobin => "the next in the ring is picked instead",
        OnFailure::Hold => "whoever is on call stays on",
    };
    team.rotates().then(|| format!("{problem}; {instead}"))
}

/// A plan, and whether answers to it are open still. One of a plugin is asked twice, in whatever
/// it is planned for: a preview and what is then generated fail alike, or not at all.
fn plan_by(
    settings: &Settings,
    snapshot: &TeamSnapshot,
    wanted: Wanted,
    answers: &Answers,
    may_ask: bool,
) -> (Plan, bool) {
    let kind = &snapshot.team.rotation.kind;
    let planned = |strategy| {
        let options = PlanOptions {
            strategy,
            on_failure: settings.on_failure,
            published: wanted.published,
            horizon: wanted.horizon,
            hold_if_nobody: wanted.hold_if_nobody,
        };
        plan(&snapshot.engine_view(), &options)
    };
    let RotationType::Plugin(name) = kind else {
        let strategy = built_in(kind).ok_or_else(|| format!("there is no strategy {kind}"));
        return (planned(strategy), false);
    };
    if settings.plugins.is_loading(name) {
        if !may_ask {
            return (planned(Err(format!("{kind} is still loading"))), true);
        }
        settings.plugins.await_loaded(name);
    }
    match settings.plugins.strategy(name) {
        Ok(strategy) => {
            let plugin = Remembered {
                strategy: AskedTwice(strategy),
                answers,
                ask_until: may_ask.then(|| Instant::now() + PATIENCE),
                is_open: AtomicBool::new(false),
            };
            let planned = if may_ask {
                low_priority::run(|| planned(Ok(&plugin)))
            } else {
                planned(Ok(&plugin))
            };
            (planned, plugin.is_open.into_inner())
        }
        Err(problem) => (planned(Err(problem)), false),
    }
}

/// A strategy that is asked nothing again, and where it may not be asked now, nothing new.
struct Remembered<'a> {
    strategy: AskedTwice<Box<dyn Strategy>>,
    answers: &'a Answers,
    /// Until when it may be asked, if it may.
    ask_until: Option<Instant>,
    /// Whether it would have had to be asked.
    is_open: AtomicBool,
}

impl Strategy for Remembered<'_> {
    fn pick(&self, context: &PickContext<'_>) -> Result<Pick, String> {
        let question = self.strategy.question(context);
        if let Some(known) = self.answers.find(question) {
            return known;
        }
        let Some(until) = self.ask_until else {
            self.is_open.store(true, Ordering::Relaxed);
            return Err(format!(
                "{} was not asked in time: the team was changed faster than it answers",
                context.config.kind
            ));
        };
        let answer = if Instant::now() < until {
            self.strategy.pick(context)
        } else {
            let (kind, seconds) = (&context.config.kind, PATIENCE.as_secs());
            Err(format!("{kind} took more than {seconds} s for one plan"))
        };
        self.answers.keep(question, answer.clone());
        answer
    }
}
