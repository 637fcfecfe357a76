//! Files that nobody but their owner can open, at any time: a descriptor that somebody got outlives a
//! later change of mode. What lies in a file's place may be a crash's, or another's link to elsewhere: it
//! is removed, never opened.

use std::fs::{File, OpenOptions, remove_file, rename};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// A new file, to be read and written, in the place of what is there.
///
/// # Errors
/// What is there can't be removed; the file can't be made.
pub fn create(path: &Path) -> io::Result<File> {
    match remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create_new(true);
    options.mode(0o600).open(path)
}

/// Puts a file with this content in the place of what is there, whole or not at all, by way of one that
/// ends in `.partial`. It is on the disk then.
///
/// # Errors
/// It can't be written; what was there is there still.
pub fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = create(&partial)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    rename(&partial, path)?;
    sync_folder_of(path)
}

/// Has the names in a path's folder last.
///
/// # Errors
/// The folder can't be opened or synced.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_link_in_its_place_is_not_followed_and_the_file_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let [path, elsewhere] = ["token.txt", "elsewhere"].map(|name| folder.path().join(name));
        fs::write(&elsewhere, "mine").unwrap();
        for link in [path.clone(), path.with_extension("partial")] {
            symlink(&elsewhere, link).unwrap();
        }
        replace(&path, &[b"se", b"cret"]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "secret");
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
        let found = fs::symlink_metadata(&path).unwrap();
        assert!(found.is_file());
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
        assert!(!path.with_extension("partial").exists());
    }
}
