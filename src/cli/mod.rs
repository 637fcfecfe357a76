//! The command line: one file a subcommand. It talks to the daemon over HTTP; `serve` is the
//! daemon, and `check` also reads the data file while no daemon runs.

mod apply;
mod args;
mod audit;
mod backup;
mod bugbot;
mod check;
mod client;
mod completions;
mod config;
mod connection;
mod declared;
mod error;
mod explanation;
mod fairness;
mod files;
mod folder;
mod member;
mod missing;
mod notification;
mod output;
mod people;
mod plugin;
mod problem;
mod rotation;
mod schedule;
mod serve;
mod service;
mod session;
mod shift_override;
mod slack;
mod table;
mod team;
mod time;
mod time_off;
mod token;
mod user;
mod who;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

use self::args::Global;
use self::error::CliError;
use self::session::Session;
use crate::clock::{Clock as _, SystemClock};

/// On-call management: who is on call, and whose turn is next.
#[derive(Debug, Parser)]
#[command(name = "oncalld", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found.")]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon
    Serve(serve::ServeArgs),
    /// Show who is on call
    Who(who::WhoArgs),
    /// Manage teams
    #[command(subcommand)]
    Team(team::TeamCommand),
    /// Manage the members of a team
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Manage what people are called
    #[command(subcommand)]
    User(user::UserCommand),
    /// Manage services
    #[command(subcommand)]
    Service(service::ServiceCommand),
    /// Bring teams, members and services in line with a file
    Apply(apply::ApplyArgs),
    /// Manage schedules: who is on call when
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// Request and decide overrides: cover for some days
    #[command(subcommand)]
    Override(shift_override::OverrideCommand),
    /// Configure and preview the rotation of a team
    #[command(subcommand)]
    Rotation(rotation::RotationCommand),
    /// Manage time off, during which the rotation picks others
    #[command(subcommand, visible_alias = "time-off")]
    Timeoff(time_off::TimeOffCommand),
    /// Show how fairly the shifts are shared
    Fairness(fairness::FairnessArgs),
    /// Read and verify the audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Show who was told what, retry what failed, test a sink
    #[command(subcommand)]
    Notification(notification::NotificationCommand),
    /// Manage plugins, and create them
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Manage access tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Check the connection with Slack
    #[command(subcommand)]
    Slack(slack::SlackCommand),
    /// Check that the daemon is ready, or, while it is down, that its data file is sound
    Check(check::CheckArgs),
    /// Write a backup of the data file, while the daemon goes on
    Backup(backup::BackupArgs),
    /// Put a backup in the place of the data file, while the daemon is down
    Restore(backup::RestoreArgs),
    /// Write everything as lines of JSON, or teams, members and services as `apply` takes them
    Export(backup::ExportArgs),
    /// Bring in data of other systems, or what was exported, while the daemon is down
    #[command(subcommand)]
    Import(backup::ImportCommand),
    /// Write the data file anew without unused room, while the daemon is down
    Compact,
    /// Check the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print the OpenAPI description of the HTTP API
    Openapi,
    /// Print the completion script of a shell
    Completions(completions::CompletionsArgs),
}

/// Runs a command line, and says by the exit code how it went.
pub fn run(cli: Cli) -> ExitCode {
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&format!("error: {error}"));
            error.exit_code()
        }
    }
}

fn dispatch(Cli { global, command }: Cli) -> Result<(), CliError> {
    match command {
        Command::Serve(args) => {
            let runtime = Builder::new_multi_thread().enable_all().build();
            let runtime = runtime.map_err(no_runtime)?;
            let served = runtime.block_on(serve::run(args, &global));
            // A read that is still under way is not worth waiting for.
            runtime.shutdown_timeout(Duration::from_millis(500));
            served
        }
        Command::Config(command) => config::run(&command, &global),
        Command::Openapi => output::print(&crate::api::openapi_json()),
        Command::Completions(args) => completions::run(&args),
        command => {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime
                .map_err(no_runtime)?
                .block_on(talk(command, &global))
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn no_runtime(error: std::io::Error) -> CliError {
    CliError::failed(format!("can't start: {error}"))
}

/// Runs a command that talks to the daemon.
async fn talk(command: Command, global: &Global) -> Result<(), CliError> {
    // An author's tools need no daemon.
    if let Command::Plugin(command) = command {
        return plugin::run(command, global).await;
    }
    let session = Session::start(global, SystemClock.now())?;
    match command {
        Command::Who(args) => who::run(args, &session).await,
        Command::Team(command) => team::run(command, &session).await,
        Command::Member(command) => member::run(command, &session).await,
        Command::User(command) => user::run(command, &session).await,
        Command::Service(command) => service::run(command, &session).await,
        Command::Apply(args) => apply::apply(args, &session).await,
        Command::Schedule(command) => schedule::run(command, &session).await,
        Command::Override(command) => shift_override::run(command, &session).await,
        Command::Rotation(command) => rotation::run(command, &session).await,
        Command::Timeoff(command) => time_off::run(command, &session).await,
        Command::Fairness(args) => fairness::run(args, &session).await,
        Command::Audit(command) => audit::run(command, global, &session).await,
        Command::Notification(command) => notification::run(command, &session).await,
        Command::Token(command) => token::run(command, &session).await,
        Command::Slack(command) => slack::run(command, &session).await,
        Command::Check(args) => check::run(&args, global, &session).await,
        Command::Backup(args) => backup::backup(args, &session, global).await,
        Command::Restore(args) => backup::restore(&args, &session, global),
        Command::Export(args) => backup::export(args, &session, global).await,
        Command::Import(command) => backup::import(&command, &session, global),
        Command::Compact => backup::compact(global),
        Command::Serve(_)
        | Command::Config(_)
        | Command::Plugin(_)
        | Command::Openapi
        | Command::Completions(_) => {
            unreachable!("invariant: dispatch runs what needs no daemon")
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_shows_no_value_of_the_environment() {
        for argument in Cli::command().get_arguments() {
            let is_hidden = argument.is_hide_env_values_set();
            assert!(argument.get_env().is_none() || is_hidden, "{argument}");
        }
    }

    #[test]
    fn no_command_uses_the_name_of_a_global_option() {
        fn check(command: &clap::Command, globals: &[clap::Id]) {
            for inner in command.get_subcommands() {
                for argument in inner.get_arguments() {
                    let taken = globals.contains(argument.get_id());
                    assert!(!taken, "{} {argument}", inner.get_name());
                }
                check(inner, globals);
            }
        }
        let command = Cli::command();
        let globals = command.get_arguments().filter(|arg| arg.is_global_set());
        let globals: Vec<_> = globals.map(|arg| arg.get_id().clone()).collect();
        assert!(globals.len() >= 5);
        check(&command, &globals);
    }

    #[test]
    fn every_command_and_option_is_described() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {argument}",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn usual_command_lines_parse() {
        for line in [
            "serve --listen 0.0.0.0:80 --data-dir /tmp/x --demo",
            "who",
            "who payments --at 2026-11-30T09:00:00Z",
            "who --service checkout --date 2026-12-24 --json",
            "team update payments --description x --clear slack-group-id --if-version 3",
            "member add payments @U1 --weight 0.5 --eligible false --role lead",
            "service create checkout --team payments --tech-stack rust,kafka",
            "schedule add payments U1 2026-12-01 2026-12-07 --note x",
            "schedule list --user U1",
            "schedule list --user sam",
            "member add payments @sam",
            "user list -q sam",
            "user set sam --name Sam --email sam@example.com --timezone Africa/Lagos",
            "user set U1 --clear name,email --if-version 3",
            "override request payments U1 2026-12-24 --reason holidays",
            "override approve payments 0190",
            "rotation set payments --on --type plugin:fair-weekends --handoff-day mon",
            "rotation preview payments --weeks 8 --why",
            "time-off add U1 2026-12-24",
            "audit list --team payments --action override_approved",
            "token create ci --role viewer --json",
            "token delete ci",
            "member add payments U1 --weight -1",
            "config check",
            "member sync payments",
            "slack doctor --apply --json",
            "notification list --status failed",
            "notification retry --failed",
            "notification test C1 --sink slack",
            "plugin list",
            "plugin new night-owls --kind rotation --lang js",
            "plugin check x.wasm --json",
            "plugin run x.wasm --sample",
            "plugin run x.wasm --context ctx.json",
            "plugin run x.wasm --context -",
            "plugin simulate x.wasm --team payments --weeks 26 --plugin-config {}",
            "apply -f oncall.toml --dry-run --prune",
            "apply -f - --format yaml --plan plan.json",
            "apply --print-schema",
            "export --declarative oncall.yaml",
            "completions bash",
        ] {
            let parsed = Cli::try_parse_from(["oncalld"].into_iter().chain(line.split(' ')));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn contradictions_and_unknown_values_are_usage_errors() {
        for line in [
            "who payments --service checkout",
            "who --at 2026-11-30T09:00:00Z --date 2026-11-30",
            "who --at yesterday",
            "rotation set payments --on --off",
            "rotation preview payments --weeks 53",
            "schedule list",
            "member add payments @",
            "user set U1 --clear id",
            "team list --page 0",
            "token create ci --role root",
            "notification retry",
            "plugin new x",
            "plugin new x --kind rotation --lang cobol",
            "plugin run x.wasm",
            "plugin simulate x.wasm",
            "plugin simulate x.wasm --team payments --weeks 521",
            "notification retry x --failed",
            "apply",
            "apply -f x.toml --dry-run --plan plan.json",
            "apply -f x.toml --print-schema",
            "export --format toml",
        ] {
            let parsed = Cli::try_parse_from(["oncalld"].into_iter().chain(line.split(' ')));
            assert_eq!(parsed.unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
