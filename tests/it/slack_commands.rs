//! `/oncall` and the buttons, from what a person types or clicks to what they read.

use std::cell::Cell;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::fake_slack::{APP_TOKEN, FakeSlack, Message, User};
use crate::harness::{Daemon, Team};

/// A team of Ann, who is on call, Bob, and Cat, who leads it; Sam belongs to none. In Socket Mode.
struct Setting {
    fake: FakeSlack,
    daemon: Daemon,
    team: Team,
    asked: Cell<usize>,
}

impl Setting {
    fn new(approval: bool) -> Self {
        Self::of_group(approval, &[])
    }

    /// The same, where the members are those of a Slack group, if there are any.
    fn of_group(approval: bool, users: &[&str]) -> Self {
        let fake = FakeSlack::start();
        for (user, name) in [
            ("UANN", "Ann"),
            ("UBOB", "Bob"),
            ("UCAT", "Cat"),
            ("USAM", "Sam"),
        ] {
            fake.add_user(user, name);
        }
        fake.add_channel("C1", "payments");
        fake.add_group("S1", "payments", users);
        let mut settings = fake.settings();
        for (key, value) in [
            ("SOCKET_MODE", "true"),
            ("APP_TOKEN", APP_TOKEN),
            ("ADMINS", "UADMIN"),
        ] {
            settings.push((format!("ONCALLD__SLACK__{key}"), value.to_owned()));
        }
        let home = Arc::new(tempfile::tempdir().unwrap());
        let daemon = Daemon::start_in(home, settings);
        let team = json!({"slack_channel_id": "C1", "overrides_require_approval": approval});
        let team = daemon.team_with("Payments", team);
        team.members(&["UANN", "UBOB", "UCAT"]);
        let lead = json!({"team_role": "lead"});
        team.patch("/members/UCAT", &lead).ok();
        if !users.is_empty() {
            team.patch("", &json!({"slack_group_id": "S1"})).ok();
            team.post("/members/sync", &json!({})).ok();
        }
        team.rotate(json!({}));
        Self {
            fake,
            daemon,
            team,
            asked: Cell::new(0),
        }
    }

    fn response_url(&self) -> (String, String) {
        self.asked.set(self.asked.get() + 1);
        let name = format!("r{}", self.asked.get());
        let url = self.fake.response_url(&name);
        (name, url)
    }

    #[track_caller]
    fn answer(&self, name: &str) -> Value {
        self.fake.wait_for("answer", |state| {
            let mut responses = state.responses.iter();
            let found = responses.find(|response| response.name == name);
            found.map(|response| response.body.clone())
        })
    }

    /// What a person is answered to a command: seen by them alone.
    #[track_caller]
    fn types(&self, user: &str, text: &str) -> String {
        let answer = self.answered(user, text);
        answer["text"].as_str().unwrap().to_owned()
    }

    /// The same, with its buttons.
    #[track_caller]
    fn answered(&self, user: &str, text: &str) -> Value {
        let (name, url) = self.response_url();
        let command = json!({"command": "/oncall", "text": text, "user_id": user,
            "channel_id": "C1", "response_url": url});
        self.fake.send_envelope("slash_commands", command);
        let answer = self.answer(&name);
        assert_eq!(answer["response_type"], "ephemeral");
        answer
    }

    /// What a click on a message's button brings.
    #[track_caller]
    fn clicks(&self, user: &str, button: &Value) -> Value {
        let (name, url) = self.response_url();
        let click = json!({"type": "block_actions", "user": {"id": user}, "response_url": url,
            "actions": [{"action_id": button["action_id"], "value": button["value"],
                         "type": "button"}]});
        self.fake.send_envelope("interactive", click);
        self.answer(&name)
    }

    #[track_caller]
    fn message(&self, to: &str, part: &str) -> Message {
        self.fake.wait_for(&format!("`{part}` to {to}"), |state| {
            let mut messages = state.messages_to(to).into_iter();
            messages.find(|message| message.text.contains(part))
        })
    }

    fn overrides(&self, field: &str) -> Vec<Value> {
        let list = self.team.get("/oncall-overrides").ok();
        let items = list["items"].as_array().unwrap().iter();
        items.map(|row| row[field].clone()).collect()
    }
}

#[track_caller]
fn button(message: &Message, action: &str) -> Value {
    button_of(&message.blocks, action)
}

#[track_caller]
fn button_of(blocks: &Value, action: &str) -> Value {
    let all = blocks;
    let blocks = blocks.as_array().unwrap().iter();
    let mut buttons = blocks.flat_map(|block| {
        let elements = block["elements"].as_array().cloned();
        elements.unwrap_or_default()
    });
    let found = buttons.find(|button| button["action_id"] == action);
    found.unwrap_or_else(|| panic!("no {action} in {all:#}"))
}

#[test]
fn people_ask_who_is_on_call() {
    let t = Setting::new(false);
    t.daemon
        .api
        .post(
            "/services",
            &json!({"name": "checkout", "team_id": t.team.slug}),
        )
        .created();
    for question in ["payments", "service checkout", "checkout", "Payments"] {
        let answer = t.types("USAM", question);
        assert!(
            answer.contains("<@UANN>") && answer.contains("<@UBOB>"),
            "{question}: {answer}"
        );
    }
    let mine = t.types("UANN", "");
    assert!(mine.contains("Payments"), "{mine}");
    let none = t.types("USAM", "");
    assert!(!none.contains("Payments"), "{none}");
    let help = t.types("USAM", "help");
    assert!(help.contains("/oncall override"), "{help}");
    let near = t.types("USAM", "paymets");
    assert!(near.contains("payments"), "{near}");
}

#[test]
fn cover_is_asked_for_and_comes_into_force() {
    let t = Setting::new(false);
    let day = t.team.day(2);
    let answer = t.types(
        "UANN",
        &format!("override payments <@UBOB|bob> {day} dentist"),
    );
    assert!(answer.contains("<@UBOB>"), "{answer}");
    assert_eq!(t.overrides("status"), ["approved"]);
    assert_eq!(t.overrides("requested_by"), ["UANN"]);
    assert_eq!(t.overrides("reason"), ["dentist"]);
    assert_eq!(t.team.on_call(2).0, "UBOB");
    let entries = t.daemon.api.get("/audit-logs?entity_type=override").ok();
    let entry = &entries["items"][0];
    assert_eq!(entry["metadata"]["source"], "slack");
    assert_eq!(
        (&entry["actor_type"], &entry["actor_id"]),
        (&json!("user"), &json!("UANN"))
    );
    t.message("UBOB", "dentist");

    let taken = t.types("UANN", &format!("override payments <@UCAT> {day}"));
    assert!(taken.contains("verlaps"), "{taken}");
    let foreign = t.types("USAM", "override payments <@USAM> tomorrow");
    assert!(foreign.contains("is in no team"), "{foreign}");
    assert_eq!(t.overrides("status").len(), 1);
    let admin = t.types(
        "UADMIN",
        &format!("override payments <@USAM> {}", t.team.day(4)),
    );
    assert!(admin.contains("<@USAM>"), "{admin}");
    assert_eq!(t.overrides("status").len(), 2);
    for wrong in [
        "override payments @sam tomorrow",
        "override payments <@UBOB> someday",
        "override nobody <@UBOB> tomorrow",
        "override",
        "override payments <@UBOB> 2020-01-01",
    ] {
        let answer = t.types("UANN", wrong);
        assert!(
            !answer.is_empty() && !answer.contains("error"),
            "{wrong}: {answer}"
        );
    }
    assert_eq!(t.overrides("status").len(), 2, "nothing of that was done");
    t.daemon.verify_audit();
}

#[test]
fn a_lead_approves_in_place_and_a_second_click_is_answered_kindly() {
    let t = Setting::new(true);
    let day = t.team.day(2);
    t.types("UANN", &format!("override payments <@UBOB> {day} dentist"));
    assert_eq!(t.overrides("status"), ["pending"]);
    let request = t.message("UCAT", "dentist");
    // What is decided before it was sent isn't asked any more.
    t.message("C1", "dentist");
    let (approve, reject) = (
        button(&request, "override_approve"),
        button(&request, "override_reject"),
    );

    // Who asked doesn't approve, nor does a member.
    for user in ["UANN", "UBOB"] {
        let refused = t.clicks(user, &approve);
        assert_eq!(refused["response_type"], "ephemeral", "{refused}");
        assert_ne!(refused["replace_original"], true);
    }
    assert_eq!(t.overrides("status"), ["pending"]);

    let updated = t.clicks("UCAT", &approve);
    assert_eq!(updated["replace_original"], true, "{updated}");
    assert!(updated["text"].as_str().unwrap().contains("pproved"));
    assert!(!updated["blocks"].to_string().contains("override_approve"));
    assert_eq!(t.overrides("status"), ["approved"]);
    assert_eq!(t.overrides("approved_by"), ["UCAT"]);
    // The channel's message too says what became of it.
    t.fake.wait_for("update in the channel", |state| {
        let mut messages = state.messages_to("C1").into_iter();
        messages.find(|message| message.updates > 0 && message.text.contains("pproved"))
    });

    let second = t.clicks("UCAT", &reject);
    assert_eq!(t.overrides("status"), ["approved"]);
    assert!(second.to_string().contains("pproved"), "{second}");
    assert_eq!(t.daemon.audited("action=override_approved").len(), 1);
}

#[test]
fn a_lead_outside_the_slack_group_is_asked_and_decides() {
    let t = Setting::of_group(true, &["UANN", "UBOB"]);
    let day = t.team.day(2);
    t.types("UANN", &format!("override payments <@UBOB> {day} dentist"));
    let request = t.message("UCAT", "dentist");
    let updated = t.clicks("UCAT", &button(&request, "override_approve"));
    assert_eq!(updated["replace_original"], true, "{updated}");
    assert_eq!(t.overrides("approved_by"), ["UCAT"]);
    // Who leads a team may ask for it too.
    let answer = t.types(
        "UCAT",
        &format!("override payments <@UANN> {}", t.team.day(4)),
    );
    assert!(answer.contains("Requested"), "{answer}");
}

#[test]
fn a_lead_whose_account_is_closed_is_neither_asked_nor_heard() {
    let t = Setting::new(true);
    t.fake.with(|state| {
        // Somebody whom Slack has not been asked about yet.
        let mut gone = User::person("UDAN", "Dan");
        gone.is_deactivated = true;
        state.users.insert("UDAN".to_owned(), gone);
        let users = ["UANN", "UBOB", "UDAN"].map(str::to_owned);
        state.groups.get_mut("S1").unwrap().users = users.to_vec();
    });
    t.team.patch("", &json!({"slack_group_id": "S1"})).ok();
    let lead = json!({"slack_user_id": "UDAN", "team_role": "lead"});
    t.team.post("/members", &lead).created();
    t.team.post("/members/sync", &json!({})).ok();

    let day = t.team.day(2);
    t.types("UANN", &format!("override payments <@UBOB> {day} dentist"));
    let request = t.message("UCAT", "dentist");
    let told = t.daemon.api.get("/notifications?page_size=200").ok();
    let told = told["items"].as_array().unwrap().iter();
    assert_eq!(told.filter(|row| row["recipient"] == "UDAN").count(), 0);
    let refused = t.clicks("UDAN", &button(&request, "override_approve"));
    assert!(refused["text"].as_str().unwrap().contains("neither a lead"));
    assert_eq!(t.overrides("status"), ["pending"]);
}

#[test]
fn somebody_of_no_team_clicks_in_vain() {
    let t = Setting::new(true);
    let day = t.team.day(2);
    t.types("UANN", &format!("override payments <@UBOB> {day} dentist"));
    let request = t.message("C1", "dentist");
    for action in ["override_approve", "override_reject"] {
        let refused = t.clicks("USAM", &button(&request, action));
        assert_eq!(refused["response_type"], "ephemeral", "{refused}");
        assert!(refused["text"].as_str().unwrap().contains("neither a lead"));
    }
    assert_eq!(t.overrides("status"), ["pending"]);
    assert_eq!(t.message("C1", "dentist"), request);
}

#[test]
fn who_asked_takes_it_back_also_after_leaving_the_team() {
    let t = Setting::of_group(true, &["UANN", "UBOB"]);
    let day = t.team.day(2);
    let asked = t.answered("UBOB", &format!("override payments <@UANN> {day} dentist"));
    let cancel = button_of(&asked["blocks"], "override_cancel");
    for to in ["C1", "UCAT"] {
        t.message(to, "dentist");
    }
    t.fake.with(|state| {
        let group = state.groups.get_mut("S1").unwrap();
        group.users = vec!["UANN".to_owned()];
    });
    t.team.post("/members/sync", &json!({})).ok();
    let other = t.types(
        "UBOB",
        &format!("override payments <@UANN> {}", t.team.day(4)),
    );
    assert!(other.contains("is in no team"), "{other}");

    let updated = t.clicks("UBOB", &cancel);
    assert!(
        updated["text"].as_str().unwrap().contains("ancelled"),
        "{updated}"
    );
    assert_eq!(t.overrides("status"), ["cancelled"]);
    for to in ["C1", "UCAT"] {
        t.fake.wait_for("update", |state| {
            let mut messages = state.messages_to(to).into_iter();
            messages.find(|message| message.updates > 0 && message.text.contains("ancelled"))
        });
    }
}
