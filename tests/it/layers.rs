//! Who may use whom (docs/ARCHITECTURE.md): read off the code's own lines.

use std::fs;
use std::path::Path;

/// Every line of code under `src`, with its file, without comments.
fn lines() -> Vec<(String, String)> {
    fn collect(dir: &Path, root: &Path, lines: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, lines);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                let text = fs::read_to_string(&path).unwrap();
                let code = text
                    .lines()
                    .map(|line| line.split("//").next().unwrap_or_default());
                lines.extend(code.map(|line| (name.clone(), line.to_owned())));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found
}

/// Whether a line names a path that begins so: `redb` in `redb::Database`, `use redb;`, not in
/// `crate::redb`; `crate::store` also in `crate::{store, …}`.
fn names(line: &str, path: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (krate, item) = path.split_once("::").unwrap_or((path, ""));
    let found = |needle: &str| {
        line.match_indices(needle).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + needle.len()..].chars().next();
            !before.is_some_and(|c| is_word(c) || c == ':') && !after.is_some_and(is_word)
        })
    };
    if item.is_empty() {
        let is_path =
            line.contains(&format!("{krate}::")) || line.trim() == format!("use {krate};");
        return is_path && found(krate);
    }
    let grouped = line.trim_start().starts_with("use crate::{");
    found(path)
        || grouped
            && line
                .split(['{', ',', '}'])
                .any(|part| part.trim().split(':').next() == Some(item))
}

/// None of the files for which `within` holds names any of `forbidden`.
#[track_caller]
fn never(within: impl Fn(&str) -> bool, forbidden: &[&str]) {
    let lines = lines();
    assert!(lines.len() > 1000, "this reads the code");
    let broken: Vec<_> = lines
        .iter()
        .filter(|(file, _)| within(file))
        .filter_map(|(file, line)| {
            let path = forbidden.iter().find(|path| names(line, path))?;
            Some(format!("{file} uses {path}: {}", line.trim()))
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn is_in(file: &str, modules: &[&str]) -> bool {
    modules
        .iter()
        .any(|module| file == format!("{module}.rs") || file.starts_with(&format!("{module}/")))
}

#[test]
fn the_domain_and_the_rotation_know_no_io_and_no_clock() {
    let forbidden = [
        "tokio",
        "redb",
        "axum",
        "reqwest",
        "wasmtime",
        "bincode",
        "crate::clock",
        "crate::store",
        "crate::actions",
        "crate::api",
        "crate::web",
        "crate::config",
        "crate::wire",
        "SystemTime",
        "std::time::Instant",
        "Utc::now",
        "Timestamp::now",
    ];
    never(|file| is_in(file, &["domain", "rotation"]), &forbidden);
    never(|file| is_in(file, &["domain"]), &["crate::rotation"]);
}

#[test]
fn callers_go_through_the_actions_and_not_to_the_store() {
    never(
        |file| is_in(file, &["api", "web", "slack"]),
        &["crate::store", "redb"],
    );
    never(|file| is_in(file, &["api"]), &["crate::web"]);
    never(|file| is_in(file, &["web"]), &["crate::api"]);
}

#[test]
fn actions_and_store_know_nobody_above_them() {
    let above = [
        "axum",
        "crate::api",
        "crate::web",
        "crate::slack",
        "crate::cli",
        "crate::daemon",
    ];
    never(|file| is_in(file, &["actions"]), &above);
    never(
        |file| is_in(file, &["store", "wire"]),
        &[&above[..], &["crate::actions"]].concat(),
    );
}

#[test]
fn each_of_these_crates_has_one_home() {
    let homes: [(&str, &[&str]); 9] = [
        ("redb", &["store"]),
        ("bincode", &["store/codec"]),
        ("wasmtime", &["plugin"]),
        ("reqwest", &["slack", "notify", "plugin", "cli"]),
        ("tokio_websockets", &["slack"]),
        ("tokio_cron_scheduler", &["scheduler"]),
        ("jiff", &["domain/zone"]),
        ("axum", &["api", "web", "daemon"]),
        ("icalendar", &["actions/calendar", "ical"]),
    ];
    for (krate, home) in homes {
        never(|file| !is_in(file, home), &[krate]);
    }
}

#[test]
fn the_reader_of_paths_reads_them() {
    assert!(names("use redb::Database;", "redb"));
    assert!(names("    let x = redb::Builder::new();", "redb"));
    assert!(!names("use crate::redb::X;", "redb"));
    assert!(!names("use predb::X;", "redb"));
    assert!(names("use crate::{domain, store};", "crate::store"));
    assert!(names("use crate::{domain, store::Store};", "crate::store"));
    assert!(names("use crate::store::{self, Reader};", "crate::store"));
    assert!(!names("use crate::stored::X;", "crate::store"));
    assert!(names("let now = chrono::Utc::now();", "chrono"));
}
