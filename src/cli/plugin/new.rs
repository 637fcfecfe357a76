//! `oncalld plugin new`: a project from a template.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::args::names_of;
use crate::cli::error::CliError;
use crate::cli::output::print;
use crate::plugin::is_name;
use crate::wire::plugin::PluginKind;

/// What stands for the plugin's name in a template.
const NAME: &str = "{{name}}";

/// The interface, which every project gets a copy of.
const WIT: &str = include_str!("../../../plugins/wit/0.1.0/plugin.wit");

/// What to write.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct NewArgs {
    /// Name of the plugin, and of the folder to make: a-z, 0-9, - and _
    name: String,
    /// What it does
    #[arg(long, value_parser = names_of!(PluginKind))]
    kind: String,
    /// The language to write it in
    #[arg(long, default_value = "rust")]
    lang: Language,
}

/// A language that there are templates in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    /// Rust
    Rust,
    /// JavaScript
    Js,
    /// Python
    Python,
}

/// The files of a template: path and content.
macro_rules! template {
    ($folder:literal: $($file:literal)*) => {
        &[$(($file, include_str!(concat!("../../../plugins/templates/", $folder, "/", $file)))),*]
    };
}

type Template = &'static [(&'static str, &'static str)];

fn template(kind: PluginKind, language: Language) -> Template {
    match (kind, language) {
        (PluginKind::Rotation, Language::Rust) => template!("rust-rotation":
            ".gitignore" "Cargo.toml" "README.md" "build.sh" "src/lib.rs" "{{name}}.toml"),
        (PluginKind::Sink, Language::Rust) => template!("rust-sink":
            ".gitignore" "Cargo.toml" "README.md" "build.sh" "src/lib.rs" "{{name}}.toml"),
        (PluginKind::Rotation, Language::Js) => template!("js-rotation":
            ".gitignore" "README.md" "build.sh" "package.json" "plugin.js" "strategy.js"
            "strategy.test.js" "{{name}}.toml"),
        (PluginKind::Sink, Language::Js) => template!("js-sink":
            ".gitignore" "README.md" "build.sh" "message.js" "message.test.js" "package.json"
            "plugin.js" "{{name}}.toml"),
        (PluginKind::Rotation, Language::Python) => template!("python-rotation":
            ".gitignore" "README.md" "build.sh" "plugin.py" "requirements.txt" "strategy.py"
            "test_strategy.py" "{{name}}.toml"),
        (PluginKind::Sink, Language::Python) => template!("python-sink":
            ".gitignore" "README.md" "build.sh" "message.py" "plugin.py" "requirements.txt"
            "test_message.py" "{{name}}.toml"),
    }
}

/// Writes a project into a folder of its own.
///
/// # Errors
/// The name won't do; the folder is there already, or can't be written.
pub(super) fn run(args: &NewArgs) -> Result<(), CliError> {
    let name = args.name.as_str();
    if !is_name(name) {
        return Err(CliError::usage(format!(
            "`{name}` is not 1 to 64 of a-z, 0-9, - and _"
        )));
    }
    if args.lang == Language::Rust && name.starts_with(|c: char| !c.is_ascii_lowercase()) {
        let message = format!("`{name}` can't be the name of a Rust crate: begin with a letter");
        return Err(CliError::usage(message));
    }
    let kind = args.kind.parse::<PluginKind>();
    let kind = kind.map_err(|error| CliError::usage(error.to_string()))?;
    let folder = PathBuf::from(name);
    let failed = |error| CliError::failed(format!("can't make {name}: {error}"));
    fs::create_dir(&folder).map_err(failed)?;
    write(&folder, name, template(kind, args.lang)).map_err(failed)?;
    print(&format!(
        "{name}: a {kind} plugin; its README.md explains how to test and build it"
    ))
}

fn write(folder: &Path, name: &str, template: Template) -> std::io::Result<()> {
    let interface = [("wit/plugin.wit", WIT)];
    for (path, content) in template.iter().copied().chain(interface) {
        let path = folder.join(path.replace(NAME, name));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let is_script = path.extension().is_some_and(|ending| ending == "sh");
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        options.mode(if is_script { 0o777 } else { 0o666 });
        options
            .open(path)?
            .write_all(content.replace(NAME, name).as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn a_template_holds_every_file_of_its_folder() {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/templates");
        for (language, prefix) in [
            (Language::Rust, "rust"),
            (Language::Js, "js"),
            (Language::Python, "python"),
        ] {
            for kind in PluginKind::ALL {
                let folder = templates.join(format!("{prefix}-{kind}"));
                let mut there = BTreeSet::new();
                files(&folder, &mut there);
                there.retain(|path| !path.to_string_lossy().contains("__pycache__"));
                let ours = template(*kind, language).iter();
                let ours: BTreeSet<_> = ours.map(|(path, _)| folder.join(path)).collect();
                assert_eq!(ours, there);
            }
        }
    }

    #[test]
    fn a_project_bears_its_name_and_has_the_interface() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("night-owls");
        write(
            &folder,
            "night-owls",
            template(PluginKind::Rotation, Language::Rust),
        )
        .unwrap();
        let mut found = BTreeSet::new();
        files(&folder, &mut found);
        for path in &found {
            assert!(
                !fs::read_to_string(path).unwrap().contains(NAME),
                "{}",
                path.display()
            );
        }
        let manifest = fs::read_to_string(folder.join("night-owls.toml")).unwrap();
        assert!(manifest.contains("name = \"night-owls\""));
        assert!(folder.join("wit/plugin.wit").is_file());
        let mode =
            std::os::unix::fs::MetadataExt::mode(&fs::metadata(folder.join("build.sh")).unwrap());
        assert_eq!(mode & 0o100, 0o100);
    }
}
