//! The main job in the pages: from the sign-in over a team, its members and their weights to a
//! rotation, and an override that a second person approves, down to the audit log. By mouse, by
//! mouse without JavaScript, and by keyboard alone.

use serde_json::json;

use crate::harness::browser::{Browser, TAB};
use crate::harness::{Client, Daemon};

/// How somebody works with the pages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Mouse,
    MouseWithoutScript,
    Keyboard,
}

/// Somebody in front of a browser.
struct Person {
    browser: Browser,
    by: By,
}

impl Person {
    async fn at(daemon: &Daemon, by: By) -> Self {
        let browser = match by {
            By::MouseWithoutScript => Browser::without_javascript(daemon).await,
            By::Mouse | By::Keyboard => Browser::start(daemon).await,
        };
        Self { browser, by }
    }

    async fn sign_in(&self, client: &Client) {
        self.browser.go("/").await;
        self.press("Sign in").await;
        self.fill("#token", client.token.as_deref().unwrap()).await;
        // In the form, not the link at the top.
        match self.by {
            By::Keyboard => self.browser.keys("\u{E007}").await,
            _ => self.browser.click("form[action='/sign-in'] button").await,
        }
        self.browser.find(".account").await;
    }

    async fn press(&self, text: &str) {
        if self.by != By::Keyboard {
            return self.browser.press(text).await;
        }
        self.browser.sees(text).await;
        let is_there = format!(
            "const it = document.activeElement; const name = it.ariaLabel ?? it.innerText; \
             return ['A', 'BUTTON', 'SUMMARY'].includes(it.tagName) && name.trim() === {text:?};"
        );
        self.tab_to(text, &is_there).await;
        self.browser.keys("\u{E007}").await;
    }

    async fn fill(&self, css: &str, text: &str) {
        if self.by != By::Keyboard {
            return self.browser.fill(css, text).await;
        }
        self.go_to(css).await;
        self.browser.keys(text).await;
    }

    /// A day in a field for dates, which takes month, day and year one after the other.
    async fn fill_day(&self, css: &str, day: &str) {
        let (year, month_and_day) = day.split_once('-').unwrap();
        match self.by {
            By::Keyboard => {
                let typed = month_and_day.replace('-', "") + year;
                self.fill(css, &typed).await;
            }
            _ => self.fill(css, day).await,
        }
    }

    async fn choose(&self, css: &str, value: &str, label: &str) {
        match self.by {
            By::Keyboard => self.fill(css, label).await,
            _ => self.browser.choose(css, value).await,
        }
    }

    async fn toggle(&self, css: &str) {
        match self.by {
            By::Keyboard => self.fill(css, " ").await,
            _ => self.browser.click(css).await,
        }
    }

    async fn go_to(&self, css: &str) {
        self.browser.find(css).await;
        let is_there = format!("return document.activeElement.matches({css:?});");
        self.tab_to(css, &is_there).await;
    }

    /// Presses the tabulator until something has the focus, which has to be seen all the way.
    async fn tab_to(&self, what: &str, is_there: &str) {
        for _ in 0..120 {
            if self.browser.run(is_there).await == true {
                return;
            }
            self.browser.keys(TAB).await;
            let unseen = self
                .browser
                .run(
                    "const it = document.activeElement, style = getComputedStyle(it); \
                     const has = it === document.body || style.outlineStyle !== 'none' \
                       || style.boxShadow !== 'none' || it.id === 'main'; \
                     return has ? null : it.outerHTML.slice(0, 200);",
                )
                .await;
            assert!(unseen.is_null(), "the focus can't be seen on {unseen}");
        }
        let (path, text) = (self.browser.path().await, self.browser.text().await);
        panic!("the keyboard doesn't reach `{what}` on {path}: {text}");
    }

    /// Reviews what is typed: by itself with a script, by a button without.
    async fn review(&self) {
        if self.by == By::MouseWithoutScript {
            self.press("Review the change").await;
        }
        self.browser.sees("Whose days move").await;
    }
}

async fn main_job(by: By) {
    let daemon = Daemon::start();
    let boss = Person::at(&daemon, by).await;
    boss.sign_in(&daemon.api).await;

    boss.press("Create the first team").await;
    boss.fill("[name=name]", "Payments").await;
    boss.fill("#timezone", "Asia/Tokyo").await;
    boss.toggle("#overrides_require_approval").await;
    boss.press("Create team").await;
    boss.browser.sees("Team Payments is created").await;
    for (user, weight) in [("UANN", "1"), ("UBOB", "0.5"), ("UCAT", "1")] {
        boss.browser.sees("Time off, the next twelve months").await;
        boss.press("Add member").await;
        boss.fill("#slack_user_id", user).await;
        boss.fill("#weight", weight).await;
        boss.press("Add").await;
        boss.browser.sees(&format!("{user} is a member now.")).await;
    }

    boss.press("Rotation").await;
    boss.toggle("[name=rotation_enabled]").await;
    boss.choose("#rotation_type", "weighted", "By weight").await;
    boss.review().await;
    boss.press("Save").await;
    boss.browser.sees("The rotation is saved").await;
    boss.press("Generate schedules").await;
    boss.browser.sees("are published").await;
    boss.press("Members").await;
    boss.browser.sees("40 %").await;
    boss.browser.sees("20 %").await;

    // Somebody asks for cover, and may not decide it; a second person does.
    let api = &daemon.api;
    let lead = json!({"team_role": "lead"});
    api.patch("/teams/payments/members/UANN", &lead).ok();
    let day = api.get("/oncall?team=payments").ok()["end_date"].clone();
    let bob = Person::at(&daemon, by).await;
    bob.sign_in(&daemon.client("editor", Some("UBOB"))).await;
    bob.press("Payments").await;
    bob.press("Ask for cover").await;
    bob.choose("#substitute_slack_id", "UCAT", "UCAT").await;
    bob.fill_day("#start_date", day.as_str().unwrap()).await;
    bob.fill("#reason", "Dentist").await;
    bob.press("Ask").await;
    bob.browser.sees("Dentist").await;
    bob.browser.sees("pending").await;

    let ann = Person::at(&daemon, by).await;
    ann.sign_in(&daemon.client("editor", Some("UANN"))).await;
    ann.browser.sees("UBOB asks that UCAT take").await;
    ann.press("Approve").await;
    ann.browser.sees("is approved").await;
    let answer = api.get(&format!(
        "/oncall?team=payments&date={}",
        day.as_str().unwrap()
    ));
    assert_eq!(answer.ok()["source"], "override");

    boss.press("Audit log").await;
    for line in [
        "override approved",
        "override requested",
        "rotation generated",
        "Payments",
        "UANN",
        "UBOB",
        "UCAT",
    ] {
        boss.browser.sees(line).await;
    }
    for person in [boss, bob, ann] {
        let complaints = person.browser.complaints().await;
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

#[tokio::test]
async fn the_main_job_by_clicking() {
    main_job(By::Mouse).await;
}

#[tokio::test]
async fn the_main_job_without_javascript() {
    main_job(By::MouseWithoutScript).await;
}

#[tokio::test]
async fn the_main_job_by_keyboard() {
    main_job(By::Keyboard).await;
}
