//! Files of this daemon that other users of the host get at.
//!
//! Whatever the daemon makes is its user's alone. Folders and files that were there before, or whose
//! mode was changed, are not changed back (that may be meant), but not passed over in silence either.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{ADMIN_TOKEN_FILE, STORE_FILE};
use crate::config::Config;

/// Permissions of the group and of everybody else.
const FOR_OTHERS: u32 = 0o077;
/// Permissions of everybody else, and the group's to write: secrets are often handed to a daemon by
/// files that its group may read.
const FOR_STRANGERS: u32 = 0o027;
const WRITING: u32 = 0o022;

/// What of the data folder and of the files with secrets others can read or write: a sentence each,
/// which says how to close it. What isn't there is closed.
pub fn exposed(config: &Config) -> Vec<String> {
    let dir = &config.server.data_dir;
    let own = [
        dir.clone(),
        dir.join(STORE_FILE),
        dir.join(ADMIN_TOKEN_FILE),
    ];
    let own = own.iter().filter_map(|path| judge(path, FOR_OTHERS));
    let secrets = config.secret_files().into_iter();
    let secrets = secrets.filter_map(|path| judge(path, FOR_STRANGERS));
    own.chain(secrets).collect()
}

fn judge(path: &Path, closed: u32) -> Option<String> {
    let meta = fs::metadata(path).ok()?;
    let open = meta.mode() & closed;
    if open == 0 {
        return None;
    }
    let (what, should) = if meta.is_dir() {
        ("enter or list", "700")
    } else {
        ("read", "600")
    };
    let can = match (open & WRITING, open & !WRITING) {
        (0, _) => what.to_owned(),
        (_, 0) => "write to".to_owned(),
        _ => format!("{what}, and write to,"),
    };
    let (path, mode) = (path.display(), meta.mode() & 0o7777);
    Some(format!(
        "other users of this host can {can} {path} (mode {mode:04o}): `chmod {should} {path}` closes it"
    ))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::config::CliOverrides;

    #[test]
    fn what_others_can_read_or_write_is_named_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("bot");
        let (store, token) = (
            dir.path().join(STORE_FILE),
            dir.path().join(ADMIN_TOKEN_FILE),
        );
        for (path, text) in [(&secret, "xoxb-1"), (&store, ""), (&token, "")] {
            fs::write(path, text).unwrap();
        }
        let folder = dir.path().display().to_string();
        let env = [
            ("ONCALLD__SERVER__DATA_DIR", folder),
            (
                "ONCALLD__SLACK__BOT_TOKEN_FILE",
                secret.display().to_string(),
            ),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value));
        let config = Config::load(None, env.into_iter(), CliOverrides::default()).unwrap();
        let with = |modes: [u32; 4]| {
            for (path, mode) in [dir.path(), &store, &token, &secret].into_iter().zip(modes) {
                fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            }
            exposed(&config)
        };
        assert_eq!(with([0o700, 0o600, 0o400, 0o640]), Vec::<String>::new());
        let all = with([0o755, 0o620, 0o644, 0o666]);
        let says = |at: usize, text: &str| assert!(all[at].contains(text), "{all:?}");
        assert_eq!(all.len(), 4, "{all:?}");
        says(0, "can enter or list ");
        says(0, "(mode 0755): `chmod 700 ");
        says(1, "can write to ");
        says(2, "can read ");
        says(3, "can read, and write to, ");
        fs::remove_file(&token).unwrap();
        assert_eq!(exposed(&config).len(), 3);
    }
}
