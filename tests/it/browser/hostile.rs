//! Texts that try to be markup, to reorder or to break what stands around them: as names,
//! descriptions, reasons, notes and metadata they stay text, and no page grows wider than its window.

use serde_json::json;

use crate::harness::Daemon;
use crate::harness::browser::Browser;

/// What somebody could type. Each sets `window.pwned`, breaks out of an attribute, runs from
/// right to left, or is too long for its place.
const NASTY: [&str; 5] = [
    "<script>window.pwned=1</script>",
    "\"'><img src=x onerror=window.pwned=1>&amp;",
    "שלום مرحبا (ltr) x",
    "🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀🧑‍🚀",
    "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft",
];

#[tokio::test]
async fn every_text_stays_text_and_breaks_no_layout() {
    let daemon = Daemon::start();
    let mut pages = vec!["/".to_owned(), "/teams".to_owned(), "/services".to_owned()];
    pages.extend(["/audit", "/wall", "/settings/tokens"].map(str::to_owned));
    pages.push("/oncall-lookup?q=%3Cscript%3Ewindow.pwned%3D1%3C%2Fscript%3E".to_owned());
    for (number, text) in NASTY.iter().enumerate() {
        let slug = company_of(&daemon, number, text);
        let team = format!("/teams/{slug}");
        let tabs = ["", "/members", "/rotation", "/overrides", "/fairness"];
        pages.extend(tabs.iter().map(|tab| format!("{team}{tab}")));
        pages.extend(["/history", "/edit"].map(|tab| format!("{team}{tab}")));
        pages.push(format!("/people/UNASTY{number}"));
    }
    let browser = Browser::start(&daemon).await;
    browser.sign_in(daemon.api.token.as_ref().unwrap()).await;
    let mut found = Vec::new();
    for page in &pages {
        browser.go(page).await;
        for width in [390, 1440] {
            browser.resize(width, 900).await;
            let too_wide = browser.too_wide().await;
            found.extend(too_wide.map(|what| format!("{page} at {width}: {what}")));
        }
        let alive = "return [window.pwned, document.querySelector('img[onerror]')?.outerHTML];";
        let alive = browser.run(alive).await;
        if alive != json!([null, null]) {
            found.push(format!("{page}: markup came alive: {alive}"));
        }
        let complaints = browser.complaints().await;
        found.extend(complaints.iter().map(|it| format!("{page}: {it}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    browser.go("/teams").await;
    browser.sees(NASTY[0]).await;
    browser.sees(NASTY[1]).await;
}

/// A team, somebody in it, a service, an override and a token, which all are called so.
fn company_of(daemon: &Daemon, number: usize, text: &str) -> String {
    let name: String = text.chars().take(100).collect();
    let slug = format!("nasty-{number}");
    let user = format!("UNASTY{number}");
    let fields = json!({"slug": slug, "description": text, "overrides_require_approval": true});
    let team = daemon.team_with(&name, fields);
    team.members(&[&user, "UPLAIN"]);
    let profile = json!({"display_name": text.chars().take(80).collect::<String>()});
    let path = format!("/users/{user}/profile");
    let body = profile.to_string();
    daemon.api.send("PUT", &path, &[], body.as_bytes()).ok();
    team.rotate(json!({"rotation_type": "weighted"}));
    let wish = json!({"substitute_slack_id": user, "start_date": team.day(1), "reason": text});
    team.post("/oncall-overrides", &wish).created();
    let shift = json!({
        "engineer_slack_id": user, "start_date": team.day(3), "end_date": team.day(4), "note": text,
    });
    team.post("/oncall-schedules", &shift).created();
    let service = json!({
        "name": name, "team_id": slug, "owner_slack_id": user, "environment": "production",
        "tech_stack": [name], "metadata": {(name.clone()): text},
    });
    daemon.api.post("/services", &service).created();
    daemon
        .api
        .post("/tokens", &json!({"name": name, "role": "viewer"}))
        .created();
    slug
}
