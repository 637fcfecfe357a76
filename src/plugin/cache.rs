//! Compiled plugins on disk, by content and engine. Machine code is run as it is, so only what
//! this program wrote is read: each file carries a hash under a key that only the owner of the
//! folder can read.

use std::fs::{self, DirBuilder, File, Metadata};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::engine::{Engine, TrustedCode};
use crate::domain::hex::hex;
use crate::private_file;

/// Name of the key's file.
const KEY_FILE: &str = "key";

/// Extension of compiled plugins.
const EXTENSION: &str = "cwasm";

/// A SHA-256.
pub type Hash = [u8; 32];

/// A folder of compiled plugins.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
    key: Hash,
    /// Of the engine that compiles: its version, settings and the machine's features.
    engine: u64,
}

impl Cache {
    /// Opens the folder, and makes it if it isn't there.
    ///
    /// # Errors
    /// It can't be created, or other users can access it.
    pub fn open(dir: &Path, engine: &Engine) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let found = fs::symlink_metadata(dir)?;
        if !found.is_dir() || !is_private(&found) {
            let message = format!(
                "{} is not a folder of this program's user and of mode 0700",
                dir.display()
            );
            return Err(io::Error::other(message));
        }
        Ok(Self {
            key: key(dir)?,
            dir: dir.to_owned(),
            engine: fingerprint(engine),
        })
    }

    /// The code compiled from a file of this content, if it's there and whole.
    pub fn find(&self, content: &Hash) -> Option<TrustedCode> {
        let mut file = open_private(&self.path(content))?;
        let (mut seal, mut code) = (Hash::default(), Vec::new());
        file.read_exact(&mut seal).ok()?;
        file.read_to_end(&mut code).ok()?;
        (seal == self.seal(content, &code)).then_some(TrustedCode(code))
    }

    /// Keeps compiled code.
    ///
    /// # Errors
    /// It can't be written; a plugin works without.
    pub fn put(&self, content: &Hash, code: &TrustedCode) -> io::Result<()> {
        let seal = self.seal(content, &code.0);
        private_file::replace(&self.path(content), &[&seal, &code.0])
    }

    /// Drops all code but that of these contents.
    pub fn keep_only(&self, contents: &[Hash]) {
        let kept: Vec<_> = contents.iter().map(|content| self.path(content)).collect();
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let is_code = path
                .extension()
                .is_some_and(|extension| extension == EXTENSION);
            if is_code && !kept.contains(&path) {
                // What can't be dropped is a waste of space and nothing worse.
                let _ = fs::remove_file(path);
            }
        }
    }

    fn path(&self, content: &Hash) -> PathBuf {
        let name = format!("{}-{:016x}.{EXTENSION}", hex(content), self.engine);
        self.dir.join(name)
    }

    /// Under the key, over hashes of fixed length: nothing can be appended to what it covers.
    fn seal(&self, content: &Hash, code: &[u8]) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(self.key);
        hasher.update(content);
        hasher.update(self.engine.to_be_bytes());
        hasher.update(Sha256::digest(code));
        Sha256::digest(hasher.finalize()).into()
    }
}

/// The folder's key; a fresh one where there is none, or none that is whole and private.
fn key(dir: &Path) -> io::Result<Hash> {
    let path = dir.join(KEY_FILE);
    let mut key = Vec::new();
    if let Some(mut file) = open_private(&path)
        && file.read_to_end(&mut key).is_ok()
        && let Ok(key) = Hash::try_from(key)
    {
        return Ok(key);
    }
    let mut key = Hash::default();
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    private_file::replace(&path, &[&key])?;
    Ok(key)
}

/// Whether what has this metadata is of this program's user, and nobody else may touch it.
fn is_private(metadata: &Metadata) -> bool {
    let for_others = metadata.mode() & 0o077;
    metadata.uid() == rustix::process::geteuid().as_raw() && for_others == 0
}

/// Opens a file that is no link and that nobody else may have written.
fn open_private(path: &Path) -> Option<File> {
    let found = fs::symlink_metadata(path).ok()?;
    let file = File::open(path).ok()?;
    let opened = file.metadata().ok()?;
    // What was put in its place between the two is another file.
    let is_same = (found.dev(), found.ino()) == (opened.dev(), opened.ino());
    (is_same && opened.is_file() && is_private(&opened)).then_some(file)
}

fn fingerprint(engine: &Engine) -> u64 {
    /// `precompile_compatibility_hash` feeds any `Hasher`; this one gives the same in each run
    /// and each build.
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            let hash: Hash = self.0.clone().finalize().into();
            let (first, _) = hash.split_at(8);
            first
                .iter()
                .fold(0, |all, byte| all << 8 | u64::from(*byte))
        }
    }
    let mut hasher = Sha(Sha256::new());
    engine
        .wasm()
        .precompile_compatibility_hash()
        .hash(&mut hasher);
    hasher.finish()
}
