//! `oncalld plugin`: what the daemon has loaded, and an author's tools, which need no daemon.

mod call;
mod file;
mod new;
mod simulate;

use clap::Subcommand;

use self::call::RunArgs;
use self::file::FileArgs;
use self::new::NewArgs;
use self::simulate::SimulateArgs;
use super::args::{Global, PageArgs, Query};
use super::error::CliError;
use super::output::print;
use super::session::Session;
use super::table::{Table, joined, or_none};
use crate::clock::{Clock as _, SystemClock};
use crate::wire::Page;
use crate::wire::plugin::PluginView;

/// What to do with plugins.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// List plugins: which are in service, who uses them, what is wrong with them
    List {
        #[command(flatten)]
        pages: PageArgs,
    },
    /// Have the daemon reload its plugin folder at once
    Reload,
    /// Create a project that builds: manifest, source, tests, build script
    New(NewArgs),
    /// Load a plugin as the daemon would, call it once with a sample (a sink's requests are
    /// answered, not sent), and say what is wrong with it
    Check(FileArgs),
    /// Show what a plugin is and needs, without running it
    Inspect(FileArgs),
    /// Call a plugin once; nothing is sent anywhere
    Run(RunArgs),
    /// Play a strategy on a team's members and past, beside the built-in ones
    Simulate(SimulateArgs),
}

/// Does it.
///
/// # Errors
/// The plugin is wrong; or the daemon can't be reached, or says no.
pub(super) async fn run(command: PluginCommand, global: &Global) -> Result<(), CliError> {
    let session = || Session::start(global, SystemClock.now());
    match command {
        PluginCommand::List { pages } => list(pages, &session()?).await,
        PluginCommand::Reload => {
            let session = session()?;
            let path = ["plugins", "reload"];
            let answer = session.client.post::<Page<PluginView>>(&path, ().into());
            match session.open(&answer.await?)? {
                Some(page) => show(page.items),
                None => Ok(()),
            }
        }
        PluginCommand::New(args) => new::run(&args),
        PluginCommand::Check(args) => file::check(&args, global),
        PluginCommand::Inspect(args) => file::inspect(&args, global),
        PluginCommand::Run(args) => call::run(&args, global),
        PluginCommand::Simulate(args) => simulate::run(args, global, &session()?).await,
    }
}

async fn list(pages: PageArgs, session: &Session) -> Result<(), CliError> {
    let plugins = session.list(&["plugins"], Query::default(), pages, "no plugins");
    plugins.await?.map_or(Ok(()), show)
}

fn show(plugins: Vec<PluginView>) -> Result<(), CliError> {
    let mut table = Table::new([
        "NAME", "STATUS", "KIND", "VERSION", "USED BY", "CALLS", "FAILED", "PROBLEM",
    ])
    .numbers([5, 6]);
    for plugin in plugins {
        let loaded = plugin.loaded.as_ref();
        let mut users = plugin.used_by;
        users.extend(
            plugin
                .is_configured_sink
                .then(|| "notifications".to_owned()),
        );
        table.row([
            plugin.name,
            plugin.status.to_string(),
            or_none(loaded.map(|loaded| loaded.kind)),
            or_none(loaded.map(|loaded| &loaded.version)),
            joined(&users),
            or_none(loaded.map(|loaded| loaded.calls)),
            or_none(loaded.map(|loaded| loaded.failures)),
            or_none(plugin.problem),
        ]);
    }
    print(&table.render())
}
