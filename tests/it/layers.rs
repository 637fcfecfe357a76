//! Who may use whom: every row of the tables in docs/ARCHITECTURE.md, held against the code as
//! a parser reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Ident, Item, ItemMod, ItemUse, Lit, Macro, UseTree};

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
    /// Whether a `use` names it, whose last part may bear any name from then on.
    is_imported: bool,
}

impl Named {
    /// The crate that is named, if one is: a lone name that isn't imported may be anything.
    fn krate(&self) -> &str {
        match self.path.as_slice() {
            [krate, rest @ ..] if self.is_imported || !rest.is_empty() => krate,
            _ => "",
        }
    }
}

/// Collects the paths that a file names, but for those in its tests.
struct Paths {
    /// Where the file lies, in parts.
    folder: Vec<String>,
    module: Vec<String>,
    found: Vec<Named>,
    /// The files, less their endings, that are compiled for tests only.
    for_tests: Vec<Vec<String>>,
    /// The modules that have a file of their own.
    declared: BTreeSet<Vec<String>>,
}

impl Paths {
    /// Of a file in `src`, in parts, less its ending.
    fn of(file: &[&str], code: &str) -> Self {
        let (name, folder) = file.split_last().unwrap();
        let folder: Vec<_> = folder.iter().map(ToString::to_string).collect();
        let mut module = folder.clone();
        if !["mod", "lib", "main"].contains(name) {
            module.push((*name).to_owned());
        }
        let mut paths = Self {
            folder,
            module,
            found: Vec::new(),
            for_tests: Vec::new(),
            declared: BTreeSet::new(),
        };
        paths.visit_file(&syn::parse_file(code).unwrap());
        paths
    }

    fn add(&mut self, path: &[String], is_imported: bool) {
        let mut module = self.module.clone();
        let mut rest = path;
        while let [first, tail @ ..] = rest {
            match first.as_str() {
                "crate" | "oncalld" => module.clear(),
                "self" => {}
                "super" => drop(module.pop()),
                _ => break,
            }
            rest = tail;
        }
        let is_local = rest.len() < path.len();
        let rest = rest.iter().filter(|part| *part != "self").cloned();
        let mut path: Vec<_> = rest.collect();
        if is_local {
            path = [vec!["crate".to_owned()], module, path].concat();
        }
        self.found.push(Named {
            from: self.module.clone(),
            path,
            is_imported,
        });
    }

    fn add_tree(&mut self, tree: &UseTree, prefix: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.unraw().to_string());
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
                prefix.push(ident.unraw().to_string());
                self.add(prefix, true);
                prefix.pop();
            }
            UseTree::Glob(_) => self.add(prefix, true),
        }
    }

    /// What macros and attributes are handed is no syntax tree yet: paths are read off the
    /// tokens, those in braces after a `prefix::` with it before them.
    fn add_tokens(&mut self, tokens: TokenStream, prefix: &[String]) {
        let mut path = prefix.to_vec();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    let name = ident.unraw().to_string();
                    let is_path = ["crate", "self", "super"].contains(&&*name)
                        || syn::parse_str::<Ident>(&ident.to_string()).is_ok();
                    if colons != 2 && path != prefix {
                        self.add(&std::mem::replace(&mut path, prefix.to_vec()), false);
                    }
                    path.extend(is_path.then_some(name));
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) if colons == 2 => {
                    self.add_tokens(group.stream(), &path);
                    (path, colons) = (prefix.to_vec(), 0);
                }
                other => {
                    self.add(&std::mem::replace(&mut path, prefix.to_vec()), false);
                    colons = 0;
                    match other {
                        TokenTree::Group(group) => self.add_tokens(group.stream(), &[]),
                        TokenTree::Literal(literal) => self.add_literal(&literal.to_string()),
                        TokenTree::Ident(_) | TokenTree::Punct(_) => {}
                    }
                }
            }
        }
        self.add(&path, false);
    }

    /// `#[serde(with = "path::of")]`
    fn add_literal(&mut self, literal: &str) {
        let text = syn::parse_str::<syn::LitStr>(literal);
        if let Some(path) = text.ok().and_then(|text| text.parse::<syn::Path>().ok()) {
            self.visit_path(&path);
        }
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

/// `#[path = "of.rs"]`
fn file_of(item: &ItemMod) -> Option<String> {
    let attribute = item.attrs.iter().find(|a| a.path().is_ident("path"))?;
    match &attribute.meta.require_name_value().unwrap().value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }) => Some(name.value()),
        _ => None,
    }
}

impl Visit<'_> for Paths {
    fn visit_item_use(&mut self, item: &ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.add_tree(&item.tree, &mut Vec::new());
        }
    }

    fn visit_item_extern_crate(&mut self, item: &syn::ItemExternCrate) {
        self.add(&[item.ident.unraw().to_string()], true);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let segments = path.segments.iter();
        let names: Vec<_> = segments
            .map(|segment| segment.ident.unraw().to_string())
            .collect();
        self.add(&names, false);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &Macro) {
        self.add_tokens(item.tokens.clone(), &[]);
        visit::visit_macro(self, item);
    }

    fn visit_meta_list(&mut self, list: &syn::MetaList) {
        self.add_tokens(list.tokens.clone(), &[]);
        visit::visit_meta_list(self, list);
    }

    fn visit_item_mod(&mut self, item: &ItemMod) {
        self.module.push(item.ident.unraw().to_string());
        let elsewhere = file_of(item);
        if !is_for_tests(&item.attrs) {
            assert_eq!(elsewhere, None, "a room's file has its room's name");
            if item.content.is_none() {
                self.declared.insert(self.module.clone());
            }
            visit::visit_item_mod(self, item);
        } else if let Some(name) = elsewhere {
            let file = name.trim_end_matches(".rs").split('/');
            let file = file.map(str::to_owned).collect();
            self.for_tests.push([self.folder.clone(), file].concat());
        } else if item.content.is_none() {
            self.for_tests.push(self.module.clone());
        }
        self.module.pop();
    }

    fn visit_item(&mut self, item: &Item) {
        let is_read = !matches!(item, Item::Verbatim(_));
        assert!(is_read, "{:?} has an item of unknown syntax", self.module);
        visit::visit_item(self, item);
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
    let (mut named, mut for_tests) = (Vec::new(), Vec::new());
    let (mut modules, mut declared) = (Vec::new(), BTreeSet::from([Vec::new()]));
    for file in found {
        let code = fs::read_to_string(&file).unwrap();
        // But for the list of embedded files, which build.rs writes.
        let code = code.replace(r#"include!(concat!(env!("OUT_DIR"), "/assets.rs"));"#, "");
        assert!(!code.contains("include!("), "{}", file.display());
        let file = file.strip_prefix(&root).unwrap().with_extension("");
        let file: Vec<_> = file.iter().map(|part| part.to_str().unwrap()).collect();
        let paths = Paths::of(&file, &code);
        named.extend(paths.found);
        for_tests.extend(paths.for_tests);
        declared.extend(paths.declared);
        modules.push(paths.module);
    }
    let is_for_tests = |module: &[String]| for_tests.iter().any(|test| module.starts_with(test));
    named.retain(|named| !is_for_tests(&named.from));
    modules.retain(|module| !is_for_tests(module) && !declared.contains(module));
    assert_eq!(
        modules,
        Vec::<Vec<String>>::new(),
        "files that no module declares"
    );
    assert!(named.len() > 10_000, "this reads the code");
    named
}

/// The room of a path, as the table names it: areas of use cases are rooms of their own.
fn room(path: &[String]) -> String {
    match path {
        [] => String::new(),
        [actions, area, ..] if actions == "actions" && is_area(area) => format!("actions/{area}"),
        _ => path[0].clone(),
    }
}

fn is_area(name: &str) -> bool {
    let actions = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/actions");
    actions.join(name).is_dir() || actions.join(name).with_extension("rs").is_file()
}

/// Whether what is imported holds rooms, whose names would no longer show where they are used.
fn hides_a_room(named: &Named) -> bool {
    let holds_rooms = matches!(named.path.as_slice(), [krate] if krate == "crate")
        || matches!(named.path.as_slice(), [krate, actions] if krate == "crate" && actions == "actions");
    named.is_imported && holds_rooms
}

#[test]
fn a_room_uses_what_its_row_says() {
    let rooms = table("room");
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for named in named() {
        if hides_a_room(&named) {
            let (from, path) = (named.from.join("/"), named.path.join("::"));
            wrong.push(format!("{from} imports {path}: name the room itself"));
        }
        let uses = used.entry(room(&named.from)).or_default();
        if let [krate, path @ ..] = named.path.as_slice()
            && krate == "crate"
            && !path.is_empty()
        {
            uses.insert(room(path));
        }
    }
    // The binary and the list of rooms.
    assert_eq!(used.remove(""), Some(["cli".to_owned()].into()));
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
    for named in named() {
        let Some(homes) = homes.get(named.krate()) else {
            continue;
        };
        let Named { from, path, .. } = named;
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
    let host = ["env", "fs", "io", "net", "process", "thread"];
    let clocks = ["SystemTime", "Instant", "Local"];
    let mut wrong = Vec::new();
    for named in named() {
        let krate = named.krate().to_owned();
        let Named { from, path, .. } = named;
        if !matches!(room(&from).as_str(), "domain" | "rotation") {
            continue;
        }
        let asks_host = krate == "std" && path.iter().any(|part| host.contains(&&**part));
        // The zone rules are the host's where those are newer.
        let may_ask = from == ["domain", "zone"];
        let does_io = io.contains(&&*krate) || asks_host && !may_ask;
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
    let paths = Paths::of(
        &["room", "file"],
        r#"
        use crate::{domain, store::{self, Reader as R}};
        use super::other::*;
        use {r#redb as r, ring};
        use ::jiff::{civil::{Date, Time}};
        extern crate bincode as b;
        mod inner { fn f() { super::g(); axum::open() } }
        fn g() { let _ = format!("{}", crate::wire::x()); }
        fn h(of: &<crate::app::A as crate::http::B>::C) -> impl Fn() + use<> { crate::sinks::D }
        macro_rules! m { () => { use crate::{slack::{y, z}, cli}; return ::wasmtime::x() } }
        #[derive(crate::derived::E)]
        struct S { #[serde(with = "crate::config::f")] field: [u8; crate::sized::N] }
        #[utoipa::path(responses((body = crate::api::G)))]
        fn i() { use crate::local::j; oncalld::named::k() }
        #[cfg(test)] mod tests { use crate::hidden::X; }
        #[cfg(test)] mod more;
        #[cfg(test)] #[path = "most_tests.rs"] mod most;
        #[test] fn t() { crate::hidden::y() }
    "#,
    );
    let found: BTreeSet<_> = paths.found.iter().map(|n| n.path.join("::")).collect();
    for path in [
        "crate::domain",
        "crate::store",
        "crate::store::Reader",
        "crate::room::other",
        "redb",
        "jiff::civil::Time",
        "bincode",
        "crate::room::file::g",
        "axum::open",
        "crate::wire::x",
        "crate::app::A",
        "crate::http::B::C",
        "crate::sinks::D",
        "crate::slack::z",
        "crate::cli",
        "wasmtime::x",
        "crate::derived::E",
        "crate::config::f",
        "crate::sized::N",
        "crate::api::G",
        "crate::local::j",
        "crate::named::k",
    ] {
        assert!(found.contains(path), "{path} of {found:?}");
    }
    assert!(!found.iter().any(|path| path.contains("hidden")));
    let more = ["room", "file", "more"].map(str::to_owned).to_vec();
    let most = ["room", "most_tests"].map(str::to_owned).to_vec();
    assert_eq!(paths.for_tests, [more, most]);
}

#[test]
fn what_holds_rooms_is_not_imported() {
    for code in [
        "use crate as c;",
        "use crate::*;",
        "use crate::{self as c};",
        "use super::super as root;",
        "use crate::actions::{self, teams};",
        "use crate::{actions::*, store};",
    ] {
        let paths = Paths::of(&["room", "file"], code);
        assert!(paths.found.iter().any(hides_a_room), "{code}");
    }
    let good = "pub(crate) use crate::actions::teams; use super::*; pub(in crate::room) fn f() {}";
    let paths = Paths::of(&["room", "file"], good);
    assert!(!paths.found.iter().any(hides_a_room));
}
