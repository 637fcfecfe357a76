//! A team to test with.

use chrono::{Days, NaiveDate, Timelike};
use oncalld::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::http::{Client, Reply};

/// A team, as its daemon's admin.
pub struct Team {
    pub api: Client,
    pub slug: String,
    pub id: String,
    /// Its on-call day.
    pub today: NaiveDate,
}

/// A zone in which it is about noon, so that no test runs across midnight, and today there.
pub fn noon_zone() -> (String, NaiveDate) {
    let now = SystemClock.now();
    let behind = i64::from(now.hour()) - 12;
    let zone = match behind {
        0 => "Etc/UTC".to_owned(),
        1.. => format!("Etc/GMT+{behind}"),
        _ => format!("Etc/GMT{behind}"),
    };
    (zone, (now - chrono::TimeDelta::hours(behind)).date_naive())
}

/// A date so many days after another.
pub fn day(from: NaiveDate, days: i64) -> NaiveDate {
    let distance = Days::new(days.unsigned_abs());
    if days < 0 {
        from - distance
    } else {
        from + distance
    }
}

impl Team {
    pub fn create(api: &Client, name: &str, mut fields: Value) -> Self {
        let (zone, today) = noon_zone();
        fields["name"] = name.into();
        if fields.get("timezone").is_none() {
            fields["timezone"] = zone.into();
        }
        let team = api.post("/teams", &fields).created();
        Self {
            api: api.clone(),
            slug: team["slug"].as_str().unwrap().to_owned(),
            id: team["id"].as_str().unwrap().to_owned(),
            today,
        }
    }

    /// The path of what lies below the team.
    pub fn path(&self, rest: &str) -> String {
        format!("/teams/{}{rest}", self.slug)
    }

    pub fn get(&self, rest: &str) -> Reply {
        self.api.get(&self.path(rest))
    }

    pub fn post(&self, rest: &str, body: &Value) -> Reply {
        self.api.post(&self.path(rest), body)
    }

    pub fn patch(&self, rest: &str, body: &Value) -> Reply {
        self.api.patch(&self.path(rest), body)
    }

    /// The day so many days after the team's today, as text.
    pub fn day(&self, days: i64) -> String {
        day(self.today, days).to_string()
    }

    /// Adds members who have been there for long, in this order of seniority.
    pub fn members(&self, users: &[&str]) {
        for (user, number) in users.iter().zip(10..) {
            let joined_at = format!("2026-01-{number}T00:00:00Z");
            let member = json!({"slack_user_id": user, "joined_at": joined_at});
            self.post("/members", &member).created();
        }
    }

    /// Changes the rotation config; switches it on where it says nothing else.
    pub fn rotate(&self, mut config: Value) -> Value {
        if config.get("rotation_enabled").is_none() {
            config["rotation_enabled"] = true.into();
        }
        self.patch("/rotation-config", &config).ok()
    }

    /// Who is on call so many days from today, and by what.
    pub fn on_call(&self, days: i64) -> (Value, Value) {
        let answer = self.get(&format!("/oncall?date={}", self.day(days))).ok();
        (
            answer["engineer_slack_id"].clone(),
            answer["source"].clone(),
        )
    }

    /// The team's rows: `engineer start..end origin`.
    pub fn rows(&self, query: &str) -> Vec<String> {
        let list = self
            .get(&format!("/oncall-schedules?page_size=200&{query}"))
            .ok();
        let text = |row: &Value| {
            let part = |field: &str| row[field].as_str().unwrap().to_owned();
            let (start, end) = (part("start_date"), part("end_date"));
            format!(
                "{} {start}..{end} {}",
                part("engineer_slack_id"),
                part("origin")
            )
        };
        list["items"].as_array().unwrap().iter().map(text).collect()
    }
}
