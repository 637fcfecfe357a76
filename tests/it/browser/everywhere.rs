//! Every page of the sample company: at every width, in both colour schemes, for everybody, and
//! without a complaint of the browser.

use crate::harness::browser::Browser;
use crate::harness::{Daemon, command};
use std::sync::Arc;

/// What there is to see; an admin may see all of it.
const PAGES: [&str; 31] = [
    "/",
    "/?weeks=4&sort=until&q=pay",
    "/teams",
    "/teams/new",
    "/teams/payments",
    "/teams/payments?month=2026-11",
    "/teams/payments/members",
    "/teams/payments/rotation",
    "/teams/payments/overrides",
    "/teams/payments/overrides/new",
    "/teams/payments/schedule/new",
    "/teams/payments/assign",
    "/teams/payments/fairness",
    "/teams/payments/history",
    "/teams/payments/edit",
    "/teams/payments/delete",
    "/services",
    "/services/new",
    "/audit",
    "/oncall-lookup?q=payments",
    "/oncall-lookup?q=a",
    "/people/UANARUIZ",
    "/my-shifts",
    "/settings/tokens",
    "/settings/plugins",
    "/settings/notifications",
    "/settings/slack",
    "/settings/about",
    "/wall",
    "/sign-in",
    "/nowhere",
];

fn sample_company() -> Daemon {
    let home = Arc::new(tempfile::tempdir().unwrap());
    let mut command = command(home.path());
    command.arg("--demo");
    Daemon::spawn(home, Vec::new(), command)
}

async fn as_admin() -> (Daemon, Browser) {
    let daemon = sample_company();
    let browser = Browser::start(&daemon).await;
    browser.sign_in(daemon.api.token.as_ref().unwrap()).await;
    (daemon, browser)
}

/// Fails with all that was found, not only the first.
#[track_caller]
fn nothing_was(found: &[String]) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn no_page_scrolls_sideways_or_complains_at_any_width() {
    let (_daemon, browser) = as_admin().await;
    let mut found = Vec::new();
    for page in PAGES {
        browser.go(page).await;
        for width in [320, 390, 768, 1440, 3840] {
            browser.resize(width, 900).await;
            let too_wide = browser.too_wide().await;
            found.extend(too_wide.map(|what| format!("{page} at {width}: {what}")));
        }
        let complaints = browser.complaints().await;
        found.extend(complaints.iter().map(|it| format!("{page}: {it}")));
    }
    nothing_was(&found);
}

#[tokio::test]
async fn every_page_is_accessible_in_light_and_dark() {
    let (_daemon, browser) = as_admin().await;
    let mut found = Vec::new();
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        for (page, width) in PAGES.iter().flat_map(|page| [(page, 1280), (page, 390)]) {
            browser.resize(width, 900).await;
            browser.go(page).await;
            let barriers = browser.barriers().await;
            found.extend(
                barriers
                    .iter()
                    .map(|it| format!("{page}, {scheme}, {width}: {it}")),
            );
        }
    }
    nothing_was(&found);
}
