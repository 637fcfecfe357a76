//! Parses the command line, runs it, and exits with its code.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    oncalld::cli::run(oncalld::cli::Cli::parse())
}
