//! What a slash command asks for.

use crate::domain::ids::UserId;

/// A slash command, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Nothing was typed: one's own shifts.
    MyShifts,
    /// What can be typed.
    Help,
    /// A team; or a service, where there is no such team.
    Whoever(String),
    /// A team, whatever it is called.
    Team(String),
    /// A service.
    Service(String),
    /// An override is asked for.
    Override(Wish),
    /// An override is taken back.
    Cancel {
        /// The team as it was typed.
        team: String,
        /// Its days as they were typed.
        days: String,
    },
}

/// An override as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The team.
    pub team: String,
    /// Who takes the days.
    pub substitute: Substitute,
    /// The days, then the reason.
    pub days_and_reason: String,
}

/// Who takes the days of an override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Substitute {
    /// Whoever typed the command.
    Me,
    /// A person.
    User(UserId),
}

/// Why a command was not understood, and what to type, in Slack's markup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACommand {
    /// A word is missing.
    #[error("Type it as `/oncall {0}`.")]
    Incomplete(&'static str),
    /// The person to be on call is missing.
    #[error(
        "Who should be on call? Name them with an @mention, or yourself with `me`: \
         `/oncall {OVERRIDE_FORM}`."
    )]
    Nobody,
    /// Slack handed over a name instead of a mention.
    #[error(
        "Slack sent me `{0}` as plain text, so I can't tell who that is. Whoever manages the \
         Slack app can fix that: turn on _Escape channels, users, and links sent to your app_ \
         for `/oncall`. Until then, type their member id (`U…`, in their profile under ⋮)."
    )]
    PlainMention(String),
}

const OVERRIDE_FORM: &str = "override payments @sam 24 Dec..27 Dec reason";
const CANCEL_FORM: &str = "cancel payments 24 Dec";

/// Reads the text of a slash command.
///
/// # Errors
/// It is incomplete; what to type instead.
pub fn parse(text: &str) -> Result<Command, NotACommand> {
    let (first, rest) = split_word(text.trim());
    let some = |name: &str, form| match plain(name) {
        name if name.is_empty() => Err(NotACommand::Incomplete(form)),
        name => Ok(name),
    };
    match first.to_lowercase().as_str() {
        "" => Ok(Command::MyShifts),
        "help" | "?" if rest.is_empty() => Ok(Command::Help),
        "team" => some(rest, "team payments").map(Command::Team),
        "service" => some(rest, "service checkout").map(Command::Service),
        "override" => wish(rest).map(Command::Override),
        "cancel" => {
            let (team, days) = split_word(rest);
            Ok(Command::Cancel {
                team: some(team, CANCEL_FORM)?,
                days: some(days, CANCEL_FORM)?,
            })
        }
        _ => Ok(Command::Whoever(plain(text))),
    }
}

/// `payments @sam 24 Dec reason`; the team is all that stands before the person.
fn wish(text: &str) -> Result<Wish, NotACommand> {
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let (before, here) = text.split_at(at);
        if let Some((substitute, after)) = substitute(here)? {
            let (team, days_and_reason) = (plain(before), plain(after));
            if team.is_empty() || days_and_reason.is_empty() {
                return Err(NotACommand::Incomplete(OVERRIDE_FORM));
            }
            return Ok(Wish {
                team,
                substitute,
                days_and_reason,
            });
        }
        at += word.len();
    }
    Err(NotACommand::Nobody)
}

/// The person at the beginning of a text, and what follows.
fn substitute(text: &str) -> Result<Option<(Substitute, &str)>, NotACommand> {
    if let Some((mention, after)) = text.strip_prefix("<@").and_then(|m| m.split_once('>')) {
        let (id, _) = mention.split_once('|').unwrap_or((mention, ""));
        return Ok(id.parse().ok().map(|user| (Substitute::User(user), after)));
    }
    let (word, after) = split_word(text);
    if word.starts_with('@') {
        return Err(NotACommand::PlainMention(plain(word).replace('`', "")));
    }
    if word.eq_ignore_ascii_case("me") {
        return Ok(Some((Substitute::Me, after)));
    }
    // Real ids bear digits; a team called `WEB` bears none.
    let is_id = word.contains(|c: char| c.is_ascii_digit());
    let user = word.parse().ok().filter(|_| is_id);
    Ok(user.map(|user| (Substitute::User(user), after)))
}

/// The first word, and what follows it.
fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// A text without Slack's markup: `<@U1|sam>` is `@sam`, `<#C1|web>` is `#web`, a link is what
/// it was typed as, and `&amp;` is `&`.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.trim();
    while let Some((before, marked)) = rest.split_once('<') {
        let Some((inner, after)) = marked.split_once('>') else {
            break;
        };
        plain.push_str(before);
        let (target, label) = inner.split_once('|').unwrap_or((inner, ""));
        let sign = target.chars().next().filter(|c| "@#!".contains(*c));
        let shown = match sign {
            Some(sign) if label.is_empty() => target.strip_prefix(sign).unwrap_or(target),
            None if label.is_empty() => target,
            _ => label,
        };
        plain.extend(sign.map(|sign| if sign == '!' { '@' } else { sign }));
        plain.push_str(shown.trim_start_matches('@'));
        rest = after;
    }
    plain.push_str(rest);
    plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
