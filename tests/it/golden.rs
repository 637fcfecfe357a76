//! The API's description, as it was when somebody last looked.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::Daemon;

/// `UPDATE_GOLDEN=1` rewrites it.
#[test]
fn the_committed_api_description_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openapi.json");
    let text = oncalld::api::openapi_json();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "tests/golden/openapi.json is out of date: UPDATE_GOLDEN=1"
    );
    let daemon = Daemon::start();
    assert_eq!(daemon.api.get("/openapi.json").body, text);
    let document: Value = serde_json::from_str(&text).unwrap();
    for path in [
        "/teams",
        "/oncall",
        "/services/{service}",
        "/teams/{team}/rotation/preview",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}
