//! Answers to who asked, seen by nobody else.

use serde_json::{Value, json};

use crate::app::ActionError;
use crate::domain::human_date::DATE_FORMS;
use crate::domain::ids::UserId;
use crate::wording::blocks::{Blocks, Button};
use crate::wording::escape;

/// An answer that only who asked sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    /// In Slack's markup.
    paragraphs: Vec<String>,
    buttons: Vec<Button>,
}

impl Reply {
    /// An answer of one paragraph, in Slack's markup.
    pub fn of(paragraph: String) -> Self {
        Self {
            paragraphs: vec![paragraph],
            buttons: Vec::new(),
        }
    }

    /// Adds a paragraph, in Slack's markup.
    #[must_use]
    pub fn and(mut self, paragraph: String) -> Self {
        self.paragraphs.push(paragraph);
        self
    }

    /// Adds a button at the end.
    #[must_use]
    pub fn with_button(mut self, button: Button) -> Self {
        self.buttons.push(button);
        self
    }

    /// As `response_url` takes it.
    pub fn into_json(self) -> Value {
        let mut blocks = Blocks::default();
        for paragraph in &self.paragraphs {
            blocks.paragraph(paragraph);
        }
        blocks.buttons(&self.buttons);
        json!({
            "response_type": "ephemeral",
            "replace_original": false,
            "text": self.paragraphs.join("\n\n"),
            "blocks": blocks.into_json(),
        })
    }
}

/// What can be typed.
pub(super) fn help() -> Reply {
    let commands = "*Who is on call?*\n`/oncall` – your own shifts, in all teams\n`/oncall \
        payments` – a team: who is on call, until when, and who is next\n`/oncall service \
        checkout` – who is on call for a service\n\n*Cover for some days*\n`/oncall override \
        payments @sam 24 Dec..27 Dec reason` – @sam covers these days; in some teams a lead has \
        to approve\n`/oncall cancel payments 24 Dec` – cancels it";
    Reply::of(commands.to_owned()).and(format!(
        "Days can be typed as {DATE_FORMS}. Nobody else sees the answers."
    ))
}

/// What to say where an action was not done.
pub(super) fn sorry(error: &ActionError) -> Reply {
    let text = match error {
        ActionError::Store(_) | ActionError::Internal(_) => {
            tracing::error!(%error, "a request from Slack failed");
            return trouble();
        }
        ActionError::Invalid(invalid) => {
            let faults = invalid.0.iter();
            let faults = faults.map(|e| format!("{}: {}", e.field.replace('_', " "), e.message));
            faults.collect::<Vec<_>>().join("; ")
        }
        ActionError::NotFound(_)
        | ActionError::Conflict { .. }
        | ActionError::BadTransition(_)
        | ActionError::Forbidden(_)
        | ActionError::Unauthenticated => error.to_string(),
    };
    Reply::of(sentence(&with_mentions(&text)))
}

/// What to say where the fault is ours.
pub(super) fn trouble() -> Reply {
    Reply::of(
        "Something went wrong in oncalld; its log has the details. Please try again.".to_owned(),
    )
}

/// With a capital at the beginning and a stop at the end.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    let stop = if text.ends_with(['?', '.']) { "" } else { "." };
    format!("{}{}{stop}", first.collect::<String>(), rest.as_str())
}

/// Escaped text in which the ids of people are mentions.
pub(super) fn with_mentions(text: &str) -> String {
    let escaped = escape(text);
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let mut marked = String::with_capacity(escaped.len());
    let mut rest = escaped.as_str();
    while let Some(start) = rest.find(is_word) {
        let (between, here) = rest.split_at(start);
        let (word, after) = here.split_at(here.find(|c| !is_word(c)).unwrap_or(here.len()));
        let is_id = word.len() >= 9 && word.contains(|c: char| c.is_ascii_digit());
        marked.push_str(between);
        match word.parse::<UserId>().ok().filter(|_| is_id) {
            Some(user) => marked.extend(["<@", user.as_str(), ">"]),
            None => marked.push_str(word),
        }
        rest = after;
    }
    marked.push_str(rest);
    marked
}
