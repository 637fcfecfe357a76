//! Which kind and version of the interface a file speaks. Read from its imports and exports
//! before anything is compiled; a core module with an embedded component type is wrapped first.

use std::borrow::Cow;

use wasmparser::{ComponentTypeRef, Parser, Payload};

use super::error::LoadError;
use crate::wire::plugin::PluginKind;

/// The versions of `oncalld:plugin` that are served.
pub const SERVED: [&str; 1] = ["0.1.0"];

/// The package of the interface.
const PACKAGE: &str = "oncalld:plugin/";

/// Name of the section in which a core module says what component it would be.
const COMPONENT_TYPE: &str = "component-type";

/// A component, and what it says of itself.
#[derive(Debug)]
pub struct Described<'a> {
    /// The component.
    pub component: Cow<'a, [u8]>,
    /// What it exports.
    pub kind: PluginKind,
    /// The version of the interface.
    pub version: &'static str,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
}

/// Reads what a file is, without compiling it.
///
/// # Errors
/// It is neither a component nor a core module with a component type, or speaks no version of
/// the interface that is served.
pub fn describe(file: &[u8]) -> Result<Described<'_>, LoadError> {
    let component = if Parser::is_component(file) {
        Cow::Borrowed(file)
    } else if Parser::is_core_wasm(file) {
        Cow::Owned(wrap(file)?)
    } else {
        let message = "it doesn't start like WebAssembly".to_owned();
        return Err(LoadError::NotAComponent(message));
    };
    let (imports, exports) = outline(&component).map_err(|error| not_a_component(&error))?;
    let version = version(&imports)?;
    let kind = kind(&exports)?;
    refuse_foreign_imports(&imports, kind)?;
    Ok(Described {
        component,
        kind,
        version,
        imports,
        exports,
    })
}

/// Makes a component of a core module that embeds its component type.
fn wrap(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let mut has_type = false;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload.map_err(|error| not_a_component(&error))? {
            has_type |= section.name().starts_with(COMPONENT_TYPE);
        }
    }
    if !has_type {
        let message = "it is a core module without an embedded component type; build it against \
                       plugins/wit with wit-bindgen, or make it a component";
        return Err(LoadError::NotAComponent(message.to_owned()));
    }
    let encoded = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| LoadError::NotAComponent(format!("{error:#}")))
}

/// The names of the outermost component's imported instances and functions, and of its exports.
fn outline(component: &[u8]) -> wasmparser::Result<(Vec<String>, Vec<String>)> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import?;
                    // A type is only a name for what an instance brings.
                    if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                        imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

fn version(imports: &[String]) -> Result<&'static str, LoadError> {
    let ours = imports
        .iter()
        .filter_map(|import| import.strip_prefix(PACKAGE));
    let mut versions: Vec<_> = ours
        .filter_map(|import| Some(import.split_once('@')?.1))
        .collect();
    versions.dedup();
    let served = SERVED.join(", ");
    match versions.as_slice() {
        [] => Err(LoadError::Interface(format!(
            "it doesn't speak the interface oncalld:plugin; served is {served}"
        ))),
        [one] => SERVED
            .into_iter()
            .find(|known| known == one)
            .ok_or_else(|| {
                LoadError::Interface(format!(
                    "it speaks version {one} of the interface oncalld:plugin; served is {served}"
                ))
            }),
        [one, other, ..] => Err(LoadError::Interface(format!(
            "it mixes the versions {one} and {other} of the interface oncalld:plugin"
        ))),
    }
}

fn kind(exports: &[String]) -> Result<PluginKind, LoadError> {
    let has = |name: &str| exports.iter().any(|export| export == name);
    match (has("pick"), has("deliver")) {
        (true, false) => Ok(PluginKind::Rotation),
        (false, true) => Ok(PluginKind::Sink),
        (true, true) => Err(LoadError::Interface(
            "it exports both `pick` and `deliver`: a plugin is of one world".to_owned(),
        )),
        (false, false) => Err(LoadError::Interface(
            "it exports neither `pick` (world rotation-strategy) nor `deliver` (world \
             notification-sink)"
                .to_owned(),
        )),
    }
}

fn refuse_foreign_imports(imports: &[String], kind: PluginKind) -> Result<(), LoadError> {
    let allowed: &[&str] = match kind {
        PluginKind::Rotation => &["types", "rotation", "logging"],
        PluginKind::Sink => &["types", "notifications", "logging", "http"],
    };
    let is_allowed = |import: &&String| {
        let interface = import
            .strip_prefix(PACKAGE)
            .and_then(|rest| rest.split_once('@'));
        interface.is_some_and(|(interface, _)| allowed.contains(&interface))
    };
    match imports.iter().find(|import| !is_allowed(import)) {
        None => Ok(()),
        Some(import) => Err(LoadError::Interface(format!(
            "it wants `{import}`, which a {kind} plugin doesn't get; it gets {}",
            allowed
                .iter()
                .map(|name| format!("{PACKAGE}{name}"))
                .collect::<Vec<_>>()
                .join(", ")
        ))),
    }
}

fn not_a_component(error: &wasmparser::BinaryReaderError) -> LoadError {
    LoadError::NotAComponent(error.to_string())
}
