#![no_main]
//! Any bytes as a plugin's two files: what they are, or why they are none. Nothing is compiled:
//! what gets that far is the compiler's own fuzzers' to judge.

use libfuzzer_sys::fuzz_target;
use oncalld::plugin::Files;
use oncalld::plugin::trial::inspect;

/// A manifest that holds, so that the other file is looked at too.
const MANIFEST: &str = "name = \"x\"\nversion = \"1\"\nkind = \"rotation\"\n";

fuzz_target!(|bytes: &[u8]| {
    let files = Files {
        manifest: MANIFEST,
        wasm: bytes,
    };
    if let Ok(found) = inspect(&files) {
        assert_eq!(found.interface, "0.1.0");
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(manifest) = oncalld::plugin::Manifest::read(text) {
        assert!(oncalld::plugin::is_name(&manifest.name));
        let own = serde_json::json!({"a": 1});
        let config = manifest.config_with(&own);
        if let Some(schema) = &manifest.schema {
            let _ = schema.problems(&config);
        }
    }
});
