//! What lies in the plugin folder, without reading it.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The folder at a look.
#[derive(Debug, Default)]
pub struct Folder {
    /// Where it lies; none where there is no folder.
    device: Option<u64>,
    /// The files, by plugin.
    pub files: BTreeMap<String, Stamp>,
}

/// The stamps of a plugin's manifest and WebAssembly, of those that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Of the manifest.
    pub manifest: Option<FileStamp>,
    /// Of the WebAssembly.
    pub wasm: Option<FileStamp>,
}

/// What tells a changed file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    /// Bytes.
    pub size: u64,
    /// Seconds and nanoseconds.
    modified_at: (i64, i64),
    changed_at: (i64, i64),
}

impl Folder {
    /// Looks at it. One that was never there holds nothing.
    ///
    /// # Errors
    /// It can't be seen, though by the look `before` there were files in it: that's not to say
    /// that they were removed.
    pub fn look(dir: &Path, before: &Self) -> io::Result<Self> {
        let device = match fs::metadata(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && before.files.is_empty() => {
                return Ok(Self::default());
            }
            folder => Some(folder?.dev()),
        };
        let mut files: BTreeMap<String, Stamp> = BTreeMap::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let Some(part) = extension.and_then(Part::of) else {
                continue;
            };
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let known = before.files.get(&*name).and_then(|stamp| part.get(stamp));
            if let Some(stamp) = stamp(fs::metadata(&path), known) {
                let both = files.entry(name.into_owned()).or_default();
                *part.get_mut(both) = Some(stamp);
            }
        }
        let now = Self { device, files };
        if now.is_unmounted(before) {
            let message = "it is empty, and on another device than before";
            return Err(io::Error::other(message));
        }
        Ok(now)
    }

    /// Whether this is what lies under the folder that was seen before.
    fn is_unmounted(&self, before: &Self) -> bool {
        self.files.is_empty() && !before.files.is_empty() && self.device != before.device
    }
}

/// Which of a plugin's files.
#[derive(Clone, Copy)]
enum Part {
    Manifest,
    Wasm,
}

impl Part {
    fn of(extension: &str) -> Option<Self> {
        match extension {
            "toml" => Some(Self::Manifest),
            "wasm" => Some(Self::Wasm),
            _ => None,
        }
    }

    fn get(self, stamp: &Stamp) -> Option<FileStamp> {
        match self {
            Self::Manifest => stamp.manifest,
            Self::Wasm => stamp.wasm,
        }
    }

    fn get_mut(self, stamp: &mut Stamp) -> &mut Option<FileStamp> {
        match self {
            Self::Manifest => &mut stamp.manifest,
            Self::Wasm => &mut stamp.wasm,
        }
    }
}

/// The stamp of a file: as it was `known`, where it can't be seen.
fn stamp(file: io::Result<Metadata>, known: Option<FileStamp>) -> Option<FileStamp> {
    match file {
        Ok(file) => file.is_file().then(|| FileStamp {
            device: file.dev(),
            inode: file.ino(),
            size: file.len(),
            modified_at: (file.mtime(), file.mtime_nsec()),
            changed_at: (file.ctime(), file.ctime_nsec()),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(device: u64, names: &[&str]) -> Folder {
        let file = |name: &&str| ((*name).to_owned(), Stamp::default());
        Folder {
            device: Some(device),
            files: names.iter().map(file).collect(),
        }
    }

    #[test]
    fn an_empty_folder_on_another_device_is_an_unmounted_one() {
        let before = seen(1, &["fair"]);
        assert!(seen(2, &[]).is_unmounted(&before));
        assert!(!seen(1, &[]).is_unmounted(&before), "they were removed");
        assert!(!seen(2, &["other"]).is_unmounted(&before), "it was moved");
        assert!(!seen(2, &[]).is_unmounted(&seen(1, &[])));
    }

    #[test]
    fn a_file_that_cannot_be_seen_is_as_it_was() {
        let file = stamp(fs::metadata("Cargo.toml"), None);
        assert!(file.is_some());
        let error = |kind: io::ErrorKind| Err(io::Error::from(kind));
        assert_eq!(stamp(error(io::ErrorKind::PermissionDenied), file), file);
        assert_eq!(stamp(error(io::ErrorKind::NotFound), file), None);
    }

    #[test]
    fn a_folder_that_was_never_there_holds_nothing_and_one_that_is_gone_cannot_be_seen() {
        let nowhere = tempfile::tempdir().unwrap().path().join("plugins");
        let never = Folder::look(&nowhere, &Folder::default()).unwrap();
        assert!(never.files.is_empty());
        Folder::look(&nowhere, &seen(1, &["fair"])).unwrap_err();
    }
}
