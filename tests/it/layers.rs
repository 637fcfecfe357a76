//! Who may use whom: every row of the tables in docs/ARCHITECTURE.md, held against the code as
//! a parser reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, Macro, UseTree};

const ARCHITECTURE: &str = include_str!("../../docs/ARCHITECTURE.md");

/// The rows of the table whose first column has this title: each row's first cell, and the
/// names in backticks of its last.
fn table(title: &str) -> BTreeMap<String, BTreeSet<String>> {
    let names = |cell: &str| -> Vec<String> {
        let quoted = cell.split('`').skip(1).step_by(2);
        quoted.map(str::to_owned).collect()
    };
    let rows = ARCHITECTURE.lines();
    let rows = rows.skip_while(|line| !line.starts_with(&format!("| {title} |")));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let cells: Vec<_> = line.trim_matches('|').split(" |").collect();
        let uses = names(cells.last().unwrap()).into_iter().collect();
        (names(cells[0]).remove(0), uses)
    };
    rows.map(row).collect()
}

/// A path that the code names, and the module that names it.
#[derive(Debug)]
struct Named {
    from: Vec<String>,
    path: Vec<String>,
}

/// Collects the paths that a file names, but for those in its tests.
struct Paths {
    module: Vec<String>,
    found: Vec<Named>,
}

impl Paths {
    fn add(&mut self, path: &[String]) {
        let mut module = self.module.clone();
        let mut rest = path;
        while let [first, tail @ ..] = rest {
            match first.as_str() {
                "crate" => module.clear(),
                "self" => {}
                "super" => drop(module.pop()),
                _ => break,
            }
            rest = tail;
        }
        let is_local = rest.len() < path.len();
        let mut path = rest.to_vec();
        if is_local {
            path = [vec!["crate".to_owned()], module, path].concat();
        }
        let from = self.module.clone();
        self.found.push(Named { from, path });
    }

    fn add_tree(&mut self, tree: &UseTree, prefix: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.add_tree(&path.tree, prefix);
                prefix.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(tree, prefix);
                }
            }
            UseTree::Name(syn::UseName { ident, .. })
            | UseTree::Rename(syn::UseRename { ident, .. }) => {
                prefix.push(ident.to_string());
                self.add(prefix);
                prefix.pop();
            }
            UseTree::Glob(_) => self.add(prefix),
        }
    }

    /// What macros are handed is no syntax tree yet: paths are read off the tokens.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add(&std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.add(&std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                }
            }
        }
        self.add(&path);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let is_cfg = path.is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|condition| condition.is_ident("test"));
        is_cfg || path.is_ident("test")
    })
}

impl Visit<'_> for Paths {
    fn visit_item_use(&mut self, item: &ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.add_tree(&item.tree, &mut Vec::new());
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let segments = path.segments.iter();
        let names: Vec<_> = segments.map(|segment| segment.ident.to_string()).collect();
        self.add(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &Macro) {
        self.add_tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        if !is_for_tests(&item.attrs) {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }
}

/// Files that are compiled for tests only.
fn tests_only(file: &Path) -> bool {
    let text = file.to_str().unwrap();
    text.ends_with("tests.rs") || text.contains("/testing") || text.contains("/tests/")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every path that the code names, outside of tests.
fn named() -> Vec<Named> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    let mut named = Vec::new();
    for file in found.iter().filter(|file| !tests_only(file)) {
        let module = file.strip_prefix(&root).unwrap().with_extension("");
        let mut module: Vec<_> = module
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        if matches!(module.last().unwrap().as_str(), "mod" | "lib" | "main") {
            module.pop();
        }
        if module.is_empty() {
            continue;
        }
        let found = Vec::new();
        let mut paths = Paths { module, found };
        let text = fs::read_to_string(file).unwrap();
        paths.visit_file(&syn::parse_file(&text).unwrap());
        named.extend(paths.found);
    }
    assert!(named.len() > 10_000, "this reads the code");
    named
}

/// The room of a path, as the table names it: areas of use cases are rooms of their own.
fn room(path: &[String]) -> String {
    match path {
        [actions, area, ..] if actions == "actions" && is_area(area) => format!("actions/{area}"),
        _ => path[0].clone(),
    }
}

fn is_area(name: &str) -> bool {
    let actions = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/actions");
    actions.join(name).is_dir() || actions.join(name).with_extension("rs").is_file()
}

#[test]
fn a_room_uses_what_its_row_says() {
    let rooms = table("room");
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Named { from, path } in named() {
        let uses = used.entry(room(&from)).or_default();
        if let [krate, path @ ..] = path.as_slice()
            && krate == "crate"
            && !path.is_empty()
        {
            uses.insert(room(path));
        }
    }
    let mut wrong = Vec::new();
    for (room, uses) in &used {
        let Some(may) = rooms.get(room) else {
            wrong.push(format!("{room} has no row"));
            continue;
        };
        let beyond = uses.iter().filter(|other| *other != room);
        for other in beyond.filter(|other| !may.contains(*other)) {
            wrong.push(format!("{room} uses {other}"));
        }
        for other in may.difference(uses) {
            wrong.push(format!("{room} no longer uses {other}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let gone: Vec<_> = rooms.keys().filter(|r| !used.contains_key(*r)).collect();
    assert!(gone.is_empty(), "rows without a room: {gone:?}");
}

#[test]
fn a_room_uses_only_rooms_above_it() {
    let rooms = table("room");
    let order: Vec<_> = ARCHITECTURE
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let place = |room: &str| order.iter().position(|known| *known == room);
    for (room, uses) in &rooms {
        for used in uses {
            assert!(place(used) < place(room), "{used} stands below {room}");
            assert!(rooms.contains_key(used), "{room} uses {used}: no such row");
        }
    }
}

#[test]
fn some_crates_have_one_home() {
    let homes = table("crate");
    let mut wrong = Vec::new();
    for Named { from, path } in named() {
        let homes = path.first().and_then(|krate| homes.get(krate));
        let Some(homes) = homes.filter(|_| path.len() > 1) else {
            continue;
        };
        let from = from.join("/");
        if !homes
            .iter()
            .any(|home| from == *home || from.starts_with(&format!("{home}/")))
        {
            wrong.push(format!("{from} uses {}", path.join("::")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_pure_rooms_know_no_io_and_no_clock() {
    let io = ["tokio", "axum", "reqwest", "wasmtime", "redb", "bincode"];
    let clocks = ["SystemTime", "Instant", "Local"];
    let mut wrong = Vec::new();
    for Named { from, path } in named() {
        if !matches!(from[0].as_str(), "domain" | "rotation") {
            continue;
        }
        let does_io = path.len() > 1 && io.contains(&path[0].as_str());
        let is_clock = path.iter().any(|part| clocks.contains(&part.as_str()));
        let asks_now = path.len() > 1 && path.last().is_some_and(|last| last == "now");
        if does_io || is_clock || asks_now {
            wrong.push(format!("{} uses {}", from.join("/"), path.join("::")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_paths_reads_them() {
    let code = r#"
        use crate::{domain, store::{self, Reader as R}};
        use super::other::*;
        mod inner { fn f() { super::g(); redb::open() } }
        fn g() { let _ = format!("{}", crate::wire::x()); }
        #[cfg(test)] mod tests { use crate::hidden::X; }
    "#;
    let module = vec!["room".to_owned(), "file".to_owned()];
    let found = Vec::new();
    let mut paths = Paths { module, found };
    paths.visit_file(&syn::parse_file(code).unwrap());
    let found: BTreeSet<_> = paths.found.iter().map(|n| n.path.join("::")).collect();
    for path in [
        "crate::domain",
        "crate::store::self",
        "crate::store::Reader",
        "crate::room::other",
        "crate::room::file::g",
        "redb::open",
        "crate::wire::x",
    ] {
        assert!(found.contains(path), "{path} of {found:?}");
    }
    assert!(!found.iter().any(|path| path.contains("hidden")));
}
