//! A plugin that is called once: with a context from a file, or with the sample.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::file::load;
use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::files;
use crate::cli::output::{note, pretty, print};
use crate::cli::table::{facts, indented};
use crate::delivery::sink::DeliveryError;
use crate::plugin::trial::{DeliveryTrial, PickTrial, TrialRequest};
use crate::plugin::{Cause, Plugin};
use crate::wire::plugin::PluginKind;

/// What a strategy is asked where nothing else is given.
const SAMPLE_PICK: &str = include_str!("samples/rotation.json");

/// What a sink is told where nothing else is given.
const SAMPLE_DELIVERY: &str = include_str!("samples/sink.json");

/// What to call it with.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct RunArgs {
    /// The WebAssembly file; its manifest lies beside it as .toml
    file: PathBuf,
    /// A JSON file with the context to call it with, - for standard input; for a sink also the
    /// answers to its requests
    #[arg(long, value_name = "FILE", required_unless_present = "sample")]
    context: Option<PathBuf>,
    /// Print a sample context instead of calling
    #[arg(long, conflicts_with = "context")]
    sample: bool,
}

/// What a call took.
#[derive(Clone, Copy, Debug, Serialize)]
struct Cost {
    fuel: u64,
    microseconds: u64,
}

impl Cost {
    /// Calls the plugin, and measures that.
    fn of<T>(plugin: &Plugin, call: impl FnOnce() -> T) -> (T, Self) {
        let began_at = Instant::now();
        let answer = call();
        let took = began_at.elapsed();
        let cost = Self {
            fuel: plugin.fuel_of_last_call(),
            microseconds: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        };
        (answer, cost)
    }

    fn fuel_of(self, plugin: &Plugin) -> String {
        format!("{} of {}", self.fuel, plugin.limits.fuel)
    }

    fn time_of(self, plugin: &Plugin) -> String {
        let most = plugin.limits.timeout.as_millis();
        let took = Duration::from_micros(self.microseconds);
        format!("{:.2} ms of {most}", took.as_secs_f64() * 1000.0)
    }
}

/// Calls a plugin once.
///
/// # Errors
/// What is wrong with it or with the context; or the call failed.
pub(super) fn run(args: &RunArgs, global: &Global) -> Result<(), CliError> {
    let plugin = load(&args.file, global)?;
    let kind = plugin.manifest.kind;
    let Some(context) = &args.context else {
        return print(match kind {
            PluginKind::Rotation => SAMPLE_PICK,
            PluginKind::Sink => SAMPLE_DELIVERY,
        });
    };
    show_log();
    match kind {
        PluginKind::Rotation => pick(&plugin, &read(context)?, global),
        PluginKind::Sink => deliver(&plugin, &read(context)?, global),
    }
}

/// What the plugin logs goes to standard error.
fn show_log() {
    let log = tracing_subscriber::fmt()
        .with_env_filter("off,oncalld::plugin=debug")
        .with_writer(std::io::stderr)
        .without_time()
        .with_target(false);
    // There is one already only in a test.
    let _ = log.try_init();
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, CliError> {
    let read = serde_json::from_str(&files::read_text(file)?);
    read.map_err(|error| CliError::failed(format!("{}: {error}", files::name(file))))
}

/// What the daemon would find wrong with a team's config.
fn config_problems(plugin: &Plugin, trial: &PickTrial) -> Vec<String> {
    let own = Value::Object(trial.config.clone());
    let schema = plugin.manifest.schema.as_ref();
    schema.map_or_else(Vec::new, |schema| {
        schema.problems(&plugin.manifest.config_with(&own))
    })
}

fn pick(plugin: &Plugin, trial: &PickTrial, global: &Global) -> Result<(), CliError> {
    for problem in config_problems(plugin, trial) {
        note(&format!(
            "warning: the daemon would refuse the config: {problem}"
        ));
    }
    let (picked, cost) = Cost::of(plugin, || plugin.try_pick(trial));
    let picked = picked.map_err(|error| CliError::failed(error.to_string()))?;
    if global.json {
        let all = json!({"user": picked.user, "reason": picked.reason, "fuel": cost.fuel,
            "microseconds": cost.microseconds});
        return print(&pretty(&all.to_string()));
    }
    print(&facts([
        ("picked", picked.user.to_string()),
        ("reason", picked.reason),
        ("fuel", cost.fuel_of(plugin)),
        ("time", cost.time_of(plugin)),
    ]))
}

fn deliver(plugin: &Plugin, trial: &DeliveryTrial, global: &Global) -> Result<(), CliError> {
    let ((delivered, asked), cost) = Cost::of(plugin, || plugin.try_deliver(trial));
    let outcome = outcome(&delivered);
    if global.json {
        let all = json!({"outcome": outcome, "requests": asked, "fuel": cost.fuel,
            "microseconds": cost.microseconds});
        print(&pretty(&all.to_string()))?;
    } else {
        let requests: String = asked.iter().map(shown).collect();
        let text = facts([
            ("outcome", outcome.clone()),
            ("requests", asked.len().to_string()),
            ("fuel", cost.fuel_of(plugin)),
            ("time", cost.time_of(plugin)),
        ]);
        print(&(text + &requests))?;
    }
    delivered.map_err(|_| CliError::failed(outcome))
}

/// What a delivery comes to, in words.
fn outcome(delivered: &Result<(), DeliveryError>) -> String {
    match delivered {
        Ok(()) => "delivered".to_owned(),
        Err(DeliveryError::Retry {
            message,
            after: Some(after),
        }) => format!("to be retried after {} s: {message}", after.as_secs()),
        Err(DeliveryError::Retry { message, .. }) => format!("to be retried: {message}"),
        Err(error) => format!("given up: {error}"),
    }
}

fn shown(request: &TrialRequest) -> String {
    let head = format!("{} {}\n", request.method, request.url);
    head + &indented(&request.body)
}

/// How a call with the sample went.
#[derive(Debug, Serialize)]
pub(super) struct SampleCall {
    status: SampleStatus,
    /// What it answered, or why it didn't.
    outcome: String,
    #[serde(flatten)]
    cost: Option<Cost>,
}

/// What a call with the sample says of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum SampleStatus {
    /// It answered.
    Answered,
    /// It said no, which a sample may deserve: it has no config of its own.
    Refused,
    /// It broke.
    Broke,
    /// It was not called: it wants a config that only a team has.
    NotCalled,
}

/// Calls a plugin with the sample and its manifest's config. Nothing is sent anywhere: a sink's
/// requests are answered by the sample.
///
/// # Errors
/// Never, unless the sample is at odds with itself.
pub(super) fn call_with_sample(plugin: &Plugin) -> Result<SampleCall, CliError> {
    show_log();
    let wrong = |error: serde_json::Error| CliError::failed(format!("the sample: {error}"));
    match plugin.manifest.kind {
        PluginKind::Rotation => {
            let trial = serde_json::from_str(SAMPLE_PICK).map_err(wrong)?;
            Ok(sample_pick(plugin, &trial))
        }
        PluginKind::Sink => {
            let trial = serde_json::from_str(SAMPLE_DELIVERY).map_err(wrong)?;
            Ok(sample_delivery(plugin, &trial))
        }
    }
}

fn sample_pick(plugin: &Plugin, trial: &PickTrial) -> SampleCall {
    let problems = config_problems(plugin, trial);
    if !problems.is_empty() {
        return SampleCall {
            status: SampleStatus::NotCalled,
            outcome: problems.join("; "),
            cost: None,
        };
    }
    let (picked, cost) = Cost::of(plugin, || plugin.try_pick(trial));
    let (status, outcome) = match picked {
        Ok(pick) => {
            let outcome = format!("picked {}: {}", pick.user, pick.reason);
            (SampleStatus::Answered, outcome)
        }
        Err(error) if matches!(error.cause, Cause::Failed(_)) => {
            (SampleStatus::Refused, error.to_string())
        }
        Err(error) => (SampleStatus::Broke, error.to_string()),
    };
    SampleCall::new(status, outcome, cost)
}

fn sample_delivery(plugin: &Plugin, trial: &DeliveryTrial) -> SampleCall {
    let ((delivered, asked), cost) = Cost::of(plugin, || plugin.try_deliver(trial));
    let outcome = outcome(&delivered);
    match delivered {
        Ok(()) => {
            let count = asked.len();
            let outcome = format!("{outcome}; requests that were not sent: {count}");
            SampleCall::new(SampleStatus::Answered, outcome, cost)
        }
        // Its own word does not count as a failure of the plugin.
        Err(_) if plugin.view().failures == 0 => {
            SampleCall::new(SampleStatus::Refused, outcome, cost)
        }
        Err(_) => SampleCall::new(SampleStatus::Broke, outcome, cost),
    }
}

impl SampleCall {
    fn new(status: SampleStatus, outcome: String, cost: Cost) -> Self {
        let cost = Some(cost);
        Self {
            status,
            outcome,
            cost,
        }
    }

    /// Tells people how it went; what a plugin's author might have to see to, on standard error.
    ///
    /// # Errors
    /// The plugin broke.
    pub(super) fn tell(&self, plugin: &Plugin, global: &Global) -> Result<(), CliError> {
        let outcome = &self.outcome;
        let then = "try it with a context of your own: oncalld plugin run FILE --context CTX";
        match (self.status, self.cost) {
            (SampleStatus::Answered, Some(cost)) if !global.json => {
                let (time, fuel) = (cost.time_of(plugin), cost.fuel_of(plugin));
                return print(&format!(
                    "called with the sample: {outcome} ({time}, fuel {fuel})"
                ));
            }
            (SampleStatus::Answered, _) => {}
            (SampleStatus::Refused, _) => note(&format!(
                "warning: called with the sample, it says no: {outcome}; {then}"
            )),
            (SampleStatus::NotCalled, _) => note(&format!(
                "warning: not called, since the sample has no config that fits: {outcome}; {then}"
            )),
            (SampleStatus::Broke, _) => {
                return Err(CliError::failed(format!(
                    "called with the sample (oncalld plugin run FILE --sample): {outcome}"
                )));
            }
        }
        Ok(())
    }
}
