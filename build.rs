//! Embeds the files of the web pages: named by a hash of their content, so that browsers may keep
//! them for good, and compressed once, here.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

const FOLDER: &str = "src/web/assets";

fn main() {
    println!("cargo:rerun-if-changed={FOLDER}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut files: Vec<_> = fs::read_dir(FOLDER)
        .expect("the folder of assets is there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.sort();
    let mut code = String::from("/// Every embedded file.\npub const ALL: &[Asset] = &[\n");
    let mut names = String::new();
    for file in &files {
        let asset = embed(file, &out);
        code.push_str(&asset.entry);
        names.push_str(&asset.constant);
    }
    code.push_str("];\n");
    code.push_str(&names);
    fs::write(out.join("assets.rs"), code).expect("OUT_DIR can be written");
}

struct Embedded {
    /// Its entry in the list.
    entry: String,
    /// A constant with its path, for templates.
    constant: String,
}

fn embed(file: &Path, out: &Path) -> Embedded {
    let text = |part: Option<&std::ffi::OsStr>| {
        let part = part.and_then(|part| part.to_str());
        part.expect("names of assets are plain text").to_owned()
    };
    let (stem, extension) = (text(file.file_stem()), text(file.extension()));
    let kind = match extension.as_str() {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        other => panic!(
            "{}: add the content type of .{other} to build.rs",
            file.display()
        ),
    };
    let bytes = fs::read(file).expect("an asset can be read");
    let mut hash = String::new();
    for byte in &Sha256::digest(&bytes)[..6] {
        let _ = write!(hash, "{byte:02x}");
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes)
        .expect("memory takes what it is given");
    let compressed = out.join(format!("{stem}.{extension}.gz"));
    fs::write(
        &compressed,
        gzip.finish().expect("memory takes what it is given"),
    )
    .expect("OUT_DIR can be written");
    let whole = fs::canonicalize(file).expect("an asset can be found");
    let [whole, compressed] = [&whole, &compressed].map(|path| text(Some(path.as_os_str())));
    let path = format!("/assets/{stem}.{hash}.{extension}");
    let constant = format!("{stem}_{extension}")
        .to_uppercase()
        .replace('-', "_");
    Embedded {
        entry: format!(
            "    Asset {{ path: {path:?}, hash: {hash:?}, kind: {kind:?}, \
             plain: include_bytes!({whole:?}), gzip: include_bytes!({compressed:?}) }},\n"
        ),
        constant: format!(
            "/// Path of `{stem}.{extension}`.\npub const {constant}: &str = {path:?};\n"
        ),
    }
}
