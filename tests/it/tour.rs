//! The README's tour, as a reader would take it: its commands in one shell, its outputs compared.
//!
//! `UPDATE_README=1` writes what is printed into the README, where it isn't the same.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Daemon, noon_zone};

/// Precedes what a command prints, and its exit code follows it.
const MARK: &str = "\u{1}tour";

/// What the tour says, and what stands for it in a test.
const ADDRESS: &str = "127.0.0.1:8460";
const ZONE: &str = "Europe/Berlin";

/// A command of the tour and what it prints.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    command: String,
    output: Vec<String>,
}

/// A part of the README: text that stays, or the steps of a console block.
#[derive(Debug)]
enum Part {
    Text(String),
    Console(Vec<Step>),
}

#[test]
fn the_readme_tour_prints_what_the_readme_shows() {
    let path = readme();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut parts = parse(&text);
    assert_eq!(write(&parts), text, "reading and writing changes nothing");
    let shown: Vec<_> = steps(&mut parts).map(|step| step.clone()).collect();
    assert!(shown.len() > 10, "the tour was not found");

    // Where it is noon no handoff comes in between.
    let printed = run(&shown, &noon_zone().0);
    let mut difference = String::new();
    for (shown, printed) in shown.iter().zip(&printed) {
        compare(shown, printed, &mut difference);
    }
    if difference.is_empty() {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_README").is_some(),
        "README.md shows what isn't printed (-), or not what is (+); \
         UPDATE_README=1 refreshes it\n\n{difference}"
    );
    let printed = run(&shown, ZONE);
    for (step, printed) in steps(&mut parts).zip(printed) {
        step.output = printed;
    }
    std::fs::write(&path, write(&parts)).unwrap();
}

#[test]
fn the_readme_links_to_files_that_exist() {
    let text = std::fs::read_to_string(readme()).unwrap();
    let links = text.split("](").skip(1).map(|rest| rest.split(')'));
    let images = text.split("src=\"").skip(1).map(|rest| rest.split('"'));
    let targets = links
        .filter_map(|mut rest| rest.next())
        .chain(images.filter_map(|mut rest| rest.next()))
        .filter(|target| !target.contains("://") && !target.starts_with('#'));
    let mut count = 0;
    for target in targets {
        count += 1;
        assert!(root().join(target).exists(), "{target}");
    }
    assert!(count > 3);
}

#[test]
fn only_what_differs_from_run_to_run_is_masked() {
    for (line, masked) in [
        ("weight    0.5", "weight 0.5"),
        ("id   01a2091e-d02f-78a3-8914-275e588c73bc", "id <id>"),
        (
            "until  Mon 7 Dec 2026 09:00 Europe/Berlin (in 6 days 16 h)",
            "until <day> 09:00 Europe/Berlin (in <time>)",
        ),
        (
            "  \"starts_at\": \"2026-11-23T08:00:00Z\",",
            "\"starts_at\": \"<instant>Z\",",
        ),
        ("1  2026-11-23 15:55:44 UTC  UANA", "1 <instant> UANA"),
        ("last 2026-11-29", "last <date>"),
        ("#2 UBEN", "#2 UBEN"),
    ] {
        assert_eq!(mask(line), masked);
    }
    assert_eq!(
        mask(&format!("oncalld_{}", "0f".repeat(32))),
        "oncalld_<hash>"
    );
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> PathBuf {
    root().join("README.md")
}

/// Splits the README at the console blocks of its tour.
fn parse(text: &str) -> Vec<Part> {
    let mut parts = vec![Part::Text(String::new())];
    let mut in_tour = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        match parts.last_mut() {
            Some(Part::Console(steps)) if bare != "```" => match bare.strip_prefix("$ ") {
                Some(command) => steps.push(Step {
                    command: command.to_owned(),
                    output: Vec::new(),
                }),
                None => {
                    let step = steps.last_mut().expect("a console block begins with `$ `");
                    if step.output.is_empty() && step.command.ends_with('\\') {
                        step.command.push('\n');
                        step.command.push_str(bare);
                    } else {
                        step.output.push(bare.to_owned());
                    }
                }
            },
            Some(Part::Text(text)) => {
                if bare.starts_with("## ") {
                    in_tour = bare.ends_with("tour");
                }
                *text += line;
                if in_tour && bare == "```console" {
                    parts.push(Part::Console(Vec::new()));
                }
            }
            _ => parts.push(Part::Text(line.to_owned())),
        }
    }
    parts
}

fn write(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(part) => text += part,
            Part::Console(steps) => {
                for step in steps {
                    let _ = writeln!(text, "$ {}", step.command);
                    for line in &step.output {
                        let _ = writeln!(text, "{line}");
                    }
                }
            }
        }
    }
    text
}

fn steps(parts: &mut [Part]) -> impl Iterator<Item = &mut Step> {
    parts.iter_mut().flat_map(|part| match part {
        Part::Console(steps) => steps.as_mut_slice(),
        Part::Text(_) => &mut [],
    })
}

/// Runs the commands in one shell, beside a fresh daemon and in its folder; what each prints.
fn run(steps: &[Step], zone: &str) -> Vec<Vec<String>> {
    let daemon = Daemon::start();
    let address = &daemon.api.address;
    let mut script = "exec 2>&1\n".to_owned();
    for step in steps {
        let command = step.command.replace(ADDRESS, address).replace(ZONE, zone);
        let _ = writeln!(
            script,
            "printf '\\1tour\\n'\n{command}\nprintf '\\1tour %s\\n' $?"
        );
    }
    let program = Path::new(env!("CARGO_BIN_EXE_oncalld"));
    let mut path = program.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell.env_clear().env("PATH", path).env("TZ", "UTC");
    shell.env("ONCALLD_URL", format!("http://{address}"));
    // Where Python is chosen by a shim, that wants to know.
    shell.env("HOME", std::env::var_os("HOME").unwrap_or_default());
    shell.args(["--noprofile", "--norc", "-c", &script]);
    shell.current_dir(daemon.home.path()).stdin(Stdio::null());
    let output = shell.output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let output = output.replace(address, ADDRESS).replace(zone, ZONE);

    let mut printed = Vec::new();
    for (step, part) in steps.iter().zip(output.split(&format!("{MARK}\n")).skip(1)) {
        let (lines, code) = part.rsplit_once(&format!("{MARK} ")).unwrap_or((part, "-"));
        assert_eq!(code.trim(), "0", "exit code of `{}`: {lines}", step.command);
        printed.push(
            lines
                .lines()
                .map(|line| line.trim_end().to_owned())
                .collect(),
        );
    }
    assert_eq!(
        printed.len(),
        steps.len(),
        "the shell ended early: {output}"
    );
    printed
}

/// Adds to the difference how the lines of a step differ, if they do.
fn compare(shown: &Step, printed: &[String], difference: &mut String) {
    let lines = |lines: &[String]| lines.iter().map(|line| mask(line)).collect::<Vec<_>>();
    let (expected, actual) = (lines(&shown.output), lines(printed));
    if expected == actual {
        return;
    }
    let _ = writeln!(difference, "$ {}", shown.command);
    (0..expected.len().max(actual.len())).for_each(|number| {
        let (old, new) = (expected.get(number), actual.get(number));
        if old == new {
            let _ = writeln!(difference, "  {}", printed[number]);
            return;
        }
        if old.is_some() {
            let _ = writeln!(difference, "- {}", shown.output[number]);
        }
        if new.is_some() {
            let _ = writeln!(difference, "+ {}", printed[number]);
        }
    });
    difference.push('\n');
}

/// Shapes of what differs from run to run: `d` is a digit, `h` a hexadecimal one, `A` and `a` are
/// letters, the rest stands for itself.
const SHAPES: [(&str, &str); 7] = [
    ("hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh", "<id>"),
    (
        "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh",
        "<hash>",
    ),
    ("dddd-dd-ddTdd:dd:dd", "<instant>"),
    ("dddd-dd-dd dd:dd:dd UTC", "<instant>"),
    ("dddd-dd-dd", "<date>"),
    ("Aaa d Aaa dddd", "<day>"),
    ("Aaa dd Aaa dddd", "<day>"),
];

/// A line without what differs from run to run: ids, times, secrets, the width of columns.
fn mask(line: &str) -> String {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    // A log's own key, and how far the daemon has come with it.
    for of_the_log in ["first key oncalld/", "checkpoints 1 checkpoint up to "] {
        if line.starts_with(of_the_log) {
            return format!("{of_the_log}<…>");
        }
    }
    let mut masked = String::new();
    let mut rest = line.as_str();
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("(in ") {
            masked += "(in <time>)";
            rest = rest.split_once(')').map_or("", |(_, rest)| rest);
            continue;
        }
        let is_start = !masked.ends_with(|before: char| before.is_ascii_alphanumeric());
        let found = SHAPES
            .iter()
            .find(|(shape, _)| is_start && has_shape(rest, shape));
        if let Some((shape, name)) = found {
            masked += name;
            rest = &rest[shape.len()..];
        } else {
            masked.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    masked
}

fn has_shape(text: &str, shape: &str) -> bool {
    let is_like = |(byte, shape): (u8, u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'h' => byte.is_ascii_hexdigit(),
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        other => byte == other,
    };
    text.len() >= shape.len() && text.bytes().zip(shape.bytes()).all(is_like)
}
