//! `oncalld serve`: the daemon itself.

use std::net::SocketAddr;

use clap::Args;

use super::args::Global;
use super::error::CliError;
use crate::daemon::{self, ServeOptions};

/// How to serve.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Address and port to listen on [default: as in the config file, else 127.0.0.1:8460]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,

    /// Fill an empty store with a sample company
    #[arg(long)]
    demo: bool,

    /// Begin with an empty store where there is none but an admin token is left of one; the token
    /// is replaced
    #[arg(long)]
    new: bool,
}

/// Serves until the daemon is told to stop.
///
/// # Errors
/// The daemon can't start, or had to stop.
pub(super) async fn run(args: ServeArgs, global: &Global) -> Result<(), CliError> {
    let options = ServeOptions {
        config: global.config.clone(),
        data_dir: global.data_dir.clone(),
        listen: args.listen,
        demo: args.demo,
        new: args.new,
    };
    Ok(daemon::serve(options).await?)
}
