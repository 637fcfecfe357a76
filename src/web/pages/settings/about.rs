//! What runs here: versions, the store, the audit log.

use super::Tab;
use crate::actions::admin::health::{self, Running};
use crate::domain::zone;
use crate::web::pages::prelude::*;

#[derive(Template)]
#[template(path = "about.html")]
struct About {
    layout: Layout,
    tab: Tab,
    version: &'static str,
    started: When,
    rules_version: &'static str,
    rules_source: &'static str,
    size: String,
    running: Running,
    schema: u32,
    oldest_pending: Option<When>,
}

/// `GET /settings/about`
pub async fn show(State(api): State<Api>, visitor: Visitor) -> Shown {
    let ctx = visitor.ctx.clone();
    let running = api.run(move |app| health::running(app, &ctx)).await?;
    let rules = zone::rules();
    let page = About {
        layout: visitor.layout("About", Nav::Settings),
        tab: Tab::About,
        version: env!("CARGO_PKG_VERSION"),
        started: When::utc(running.started_at, visitor.now),
        rules_version: rules.version(),
        rules_source: rules.source(),
        size: bytes(running.store_bytes),
        schema: health::SCHEMA_VERSION,
        oldest_pending: running
            .oldest_pending_at
            .map(|at| When::utc(at, visitor.now)),
        running,
    };
    visitor.page(&page)
}

/// `1.5 MB`
fn bytes(count: u64) -> String {
    let mut unit = "bytes";
    let (mut whole, mut tenth) = (count, None);
    for next in ["kB", "MB", "GB", "TB"] {
        if whole < 1000 {
            break;
        }
        (whole, tenth, unit) = (whole / 1000, Some(whole % 1000 / 100), next);
    }
    match tenth {
        Some(tenth) => format!("{whole}.{tenth} {unit}"),
        None => format!("{whole} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_short_as_they_can_be() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_590_000), "1.5 MB");
        assert_eq!(bytes(24_000_000_000), "24.0 GB");
    }
}
