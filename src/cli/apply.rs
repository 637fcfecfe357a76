//! `oncalld apply` and `oncalld export --declarative`: teams, members and services as a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::args::Query;
use super::declared::{self, Format};
use super::error::CliError;
use super::files::{self, wrong};
use super::output::{note, pretty, print};
use super::session::Session;
use super::table::{NONE, clean, counted};
use crate::private_file;
use crate::wire::declaration::{ApplyView, ChangeKind, Declaration, DeclaredChange, FieldChange};

/// What to apply, and how.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// The declaration; `-` is standard input
    #[arg(
        short,
        long,
        value_name = "FILE",
        required_unless_present = "print_schema"
    )]
    file: Option<PathBuf>,
    /// How it is written [default: as its name ends, else toml]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove what isn't declared: teams, services, and members of teams that declare theirs
    #[arg(long)]
    prune: bool,
    /// Apply only if nothing has changed since this plan, which `--dry-run --json` printed
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    plan: Option<PathBuf>,
    /// Print the JSON Schema of declarations, for editors
    #[arg(long, conflicts_with_all = ["file", "format", "dry_run", "prune", "plan"])]
    print_schema: bool,
}

/// Applies a declaration, or shows what that would do.
///
/// # Errors
/// A file is not as it should be; the daemon refuses it: nothing is applied then.
pub(super) async fn apply(args: ApplyArgs, session: &Session) -> Result<(), CliError> {
    let Some(file) = args.file else {
        return print(&pretty(&declared::schema().to_string()));
    };
    let format = args.format.unwrap_or_else(|| Format::of(&file));
    let declaration = declared::parse(&files::read_text(&file)?, format);
    let declaration = declaration.map_err(|error| failed(&file, &error))?;
    let mut body = json!({
        "declaration": declaration, "prune": args.prune, "dry_run": args.dry_run,
    });
    if let Some(plan) = &args.plan {
        body["basis"] = basis_of(plan)?;
    }
    let answer = session.client.slowly(Method::POST, &["apply"], Some(body));
    let answer = answer.await?;
    if session.json {
        return print(&pretty(&answer.json));
    }
    show(&answer.read()?)
}

/// Writes what is there as a declaration.
///
/// # Errors
/// The daemon can't be asked; the file is there already or can't be written.
pub(super) async fn export(
    file: Option<&Path>,
    format: Option<Format>,
    session: &Session,
) -> Result<(), CliError> {
    file.map_or(Ok(()), files::refuse_to_replace)?;
    let asked = session.client.get(&["declaration"], Query::default());
    let declaration: Declaration = asked.await?.read()?;
    let format = format.or_else(|| file.map(Format::of));
    let format = match format {
        Some(format) => format,
        None if session.json => Format::Json,
        None => Format::Toml,
    };
    let text = declared::write(&declaration, format).map_err(CliError::failed)?;
    let Some(path) = file else {
        return print(&text);
    };
    let written = private_file::replace(path, &[text.as_bytes()]);
    written.map_err(|error| wrong(path, "can't be written", &error))?;
    print(&format!("wrote {}", path.display()))
}

fn basis_of(plan: &Path) -> Result<Value, CliError> {
    let read: Result<ApplyView, _> = serde_json::from_str(&files::read_text(plan)?);
    let view = read.map_err(|error| {
        failed(
            plan,
            &format!("no plan of `apply --dry-run --json`: {error}"),
        )
    })?;
    Ok(json!(view.basis))
}

fn failed(file: &Path, why: &str) -> CliError {
    CliError::failed(format!("{}: {why}", files::name(file)))
}

fn show(view: &ApplyView) -> Result<(), CliError> {
    print(&changes(view))?;
    if !view.undeclared.is_empty() {
        note(&format!(
            "not declared, and left as it is (--prune removes it):\n  {}",
            clean(&view.undeclared.join(", "))
        ));
    }
    Ok(())
}

fn changes(view: &ApplyView) -> String {
    let mut text = view.changes.iter().map(change).collect::<String>();
    for team in &view.moves {
        let _ = writeln!(text, "on call in {} moves:", clean(&team.team));
        for days in &team.days {
            let who = |user: &Option<String>| user.clone().unwrap_or_else(|| "nobody".to_owned());
            let who = clean(&format!("{} -> {}", who(&days.before), who(&days.after)));
            let _ = writeln!(text, "    {} to {}  {who}", days.start_date, days.end_date);
        }
    }
    if view.changes.is_empty() {
        return text + "nothing to do: everything is as declared";
    }
    let count = |is: fn(ChangeKind) -> bool| {
        let changes = view.changes.iter();
        changes.filter(|change| is(change.action)).count()
    };
    let added = count(|kind| matches!(kind, ChangeKind::Create | ChangeKind::Restore));
    let changed = count(|kind| kind == ChangeKind::Update);
    let removed = count(|kind| kind == ChangeKind::Remove);
    let (done, end) = if view.applied {
        ("applied", "")
    } else {
        ("plan", "; nothing was written")
    };
    let all = counted(view.changes.len() as u64, "change", "changes");
    text + &format!("{done}: {all}: {added} added, {changed} changed, {removed} removed{end}")
}

fn change(change: &DeclaredChange) -> String {
    let sign = match change.action {
        ChangeKind::Create | ChangeKind::Restore => '+',
        ChangeKind::Update => '~',
        ChangeKind::Remove => '-',
    };
    let again = match change.action {
        ChangeKind::Restore => " (restored)",
        _ => "",
    };
    let mut text = format!("{sign} {}{again}\n", clean(&change.path));
    // Of what goes, the name says enough.
    if change.action != ChangeKind::Remove {
        for (name, FieldChange { old, new }) in &change.fields {
            let was = match old {
                Value::Null if change.action != ChangeKind::Update => String::new(),
                old => format!("{} -> ", shown(old)),
            };
            let _ = writeln!(text, "    {}: {was}{}", clean(name), shown(new));
        }
    }
    text
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => NONE.to_owned(),
        value => clean(&value.to_string()),
    }
}
