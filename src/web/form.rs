//! Forms: what was posted, and the state in which a form is shown, again with what was typed and
//! what is wrong with it.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};

use crate::http::Api;
use crate::http::body::read_body;
use crate::http::problem::Problem;

/// A posted form.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// A field's text without blanks around it; empty where it is missing.
    pub fn text(&self, name: &str) -> &str {
        let mut fields = self.0.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// A field's text; none where it is missing or blank.
    pub fn filled(&self, name: &str) -> Option<String> {
        let text = self.text(name);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The texts of all fields of a name, blank ones left out.
    pub fn all(&self, name: &str) -> Vec<String> {
        let fields = self.0.iter().filter(|(field, _)| field == name);
        let texts = fields.map(|(_, value)| value.trim().to_owned());
        texts.filter(|text| !text.is_empty()).collect()
    }

    /// Whether the form has the field at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }

    /// Whether a checkbox is ticked.
    pub fn is_on(&self, name: &str) -> bool {
        self.has(name)
    }

    /// Somebody who is chosen from a list, or, before that, named by their id beside it: see
    /// `ui::person_choice`.
    pub fn person(&self, name: &str) -> Option<String> {
        self.filled(&format!("{name}_other"))
            .or_else(|| self.filled(name))
    }

    /// As [`Form::read`], of a field that has to be filled in.
    ///
    /// # Errors
    /// As there; and where it is blank.
    pub fn read_needed<T: std::str::FromStr>(
        &self,
        name: &str,
        expected: &str,
    ) -> Result<T, Problem> {
        let missing =
            || crate::domain::invalid::Invalid::one(name, format!("is needed: {expected}"));
        self.read(name, expected)?.ok_or_else(|| missing().into())
    }

    /// A field that is read as something else, if it is filled in.
    ///
    /// # Errors
    /// 422, which names the field and says that `expected` was.
    pub fn read<T: std::str::FromStr>(
        &self,
        name: &str,
        expected: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.filled(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            let message = format!("`{text}` is not {expected}");
            crate::domain::invalid::Invalid::one(name, message).into()
        })
    }
}

impl FromIterator<(String, String)> for Form {
    /// A form that came in a query.
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl FromRequest<Api> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            let detail = format!("Content-Type is `{kind}`, expected a form");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let bytes = read_body(request, api).await?;
        let pairs = form_urlencoded::parse(&bytes).into_owned();
        Ok(Self(pairs.collect()))
    }
}

impl From<&Form> for FormState {
    /// The form as it was typed.
    fn from(form: &Form) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in &form.0 {
            let lines: &mut String = values.entry(name.clone()).or_default();
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(value);
        }
        Self {
            values,
            ..Self::default()
        }
    }
}

/// A form as it is shown.
#[derive(Clone, Debug, Default)]
pub struct FormState {
    values: BTreeMap<String, String>,
    errors: BTreeMap<String, String>,
    /// What is wrong with the whole of it.
    pub message: Option<String>,
    /// Where it was refused, with which status.
    refused: Option<StatusCode>,
    /// Where somebody else has changed the same thing meanwhile: what stands there now, of the
    /// fields in which it differs.
    theirs: BTreeMap<String, String>,
    /// Where the form is shown without what was typed, if there is a choice between both.
    pub drop_mine: Option<String>,
}

impl FormState {
    /// A form with these values in its fields.
    pub fn of<'v>(values: impl IntoIterator<Item = (&'v str, String)>) -> Self {
        let values = values.into_iter();
        Self {
            values: values
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            ..Self::default()
        }
    }

    /// A form that was sent and could not be done, with what was typed; or the problem itself,
    /// where nothing in the form could be corrected.
    ///
    /// # Errors
    /// The problem is not one of the form's values.
    pub fn to_correct(form: &Form, problem: Problem) -> Result<Self, Problem> {
        let status = StatusCode::from_u16(problem.status).unwrap_or_default();
        if !matches!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT | StatusCode::BAD_REQUEST
        ) {
            return Err(problem);
        }
        let typed = Self::from(form);
        let known = |name: &str| form.has(name);
        let (fields, others): (Vec<_>, Vec<_>) =
            problem.errors.iter().partition(|error| known(&error.field));
        let errors = fields
            .into_iter()
            .map(|error| (error.field.clone(), error.message.clone()))
            .collect::<BTreeMap<_, _>>();
        // Of a field that the form lacks, the form itself tells.
        let message = if problem.errors.is_empty() {
            Some(problem.detail.clone())
        } else if others.is_empty() {
            None
        } else {
            let others = others.iter();
            let texts = others.map(|error| format!("{} {}", error.field, error.message));
            Some(texts.collect::<Vec<_>>().join("; "))
        };
        Ok(Self {
            errors,
            message,
            refused: Some(status),
            ..typed
        })
    }

    /// Puts what stands there now beside what was typed, where somebody else has changed it since
    /// the form was shown: its field `version` tells. Sent again, it goes over theirs; at `path` is
    /// the form without what was typed.
    #[must_use]
    pub fn beside(mut self, present: &Self, path: &str) -> Self {
        let (mine, now) = (self.value("version"), present.value("version"));
        if mine.is_empty() || mine == now {
            return self;
        }
        let differing = present.values.iter().filter(|(name, value)| {
            *name != "version" && comparable(self.value(name)) != comparable(value)
        });
        self.theirs = differing
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        self.values.insert("version".to_owned(), now.to_owned());
        self.message = Some(
            "Somebody else has changed this meanwhile, and nothing of yours was saved. Beside what \
             you typed stands what is there now: send it again, or drop it."
                .to_owned(),
        );
        self.refused = Some(StatusCode::CONFLICT);
        self.drop_mine = Some(path.to_owned());
        self
    }

    /// What stands in a field by now, where somebody else has changed it meanwhile.
    pub fn theirs(&self, name: &str) -> Option<&str> {
        self.theirs.get(name).map(String::as_str)
    }

    /// Whether a field of theirs has exactly this value: for options.
    pub fn is_theirs(&self, name: &str, value: &str) -> bool {
        self.theirs(name) == Some(value)
    }

    /// Whether it was refused because of what others have done, so that nothing in it is wrong.
    pub fn is_conflict(&self) -> bool {
        self.drop_mine.is_some()
    }

    /// Sets a field.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// Empties a field.
    pub fn clear(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// The status of the page that shows it.
    pub fn status(&self) -> StatusCode {
        self.refused.unwrap_or(StatusCode::OK)
    }

    /// Whether it has the field at all.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// What stands in a field.
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// The id that was typed beside a choice of people: see `ui::person_choice`.
    pub fn other(&self, name: &str) -> &str {
        self.value(&format!("{name}_other"))
    }

    /// Whether a field has exactly this value: for options and checkboxes.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// Whether a checkbox is ticked.
    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.value(name), "on" | "true" | "yes" | "1")
    }

    /// What is wrong with a field; empty where nothing is.
    pub fn error(&self, name: &str) -> &str {
        self.errors.get(name).map_or("", String::as_str)
    }

    /// What is wrong with fields: name and complaint.
    pub fn complaints(&self) -> impl Iterator<Item = (&str, &str)> {
        let errors = self.errors.iter();
        errors.map(|(name, message)| (name.as_str(), message.as_str()))
    }

    /// Whether anything is wrong.
    pub fn is_wrong(&self) -> bool {
        self.message.is_some() || !self.errors.is_empty()
    }
}

/// A value as fields are compared by: line breaks as browsers send them, and checkboxes as they
/// were ticked or as a bool, make no difference.
fn comparable(value: &str) -> String {
    match value.trim() {
        "true" => "on".to_owned(),
        "false" => String::new(),
        text => text.replace("\r\n", "\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::invalid::Invalid;

    fn form() -> Form {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Form(
            [("name", " Core "), ("order", "U1"), ("order", "U2")]
                .map(pair)
                .into(),
        )
    }

    #[test]
    fn what_was_typed_stays_beside_what_is_wrong() {
        let mut invalid = Invalid::default();
        invalid.add("name", "is taken");
        invalid.add("slug", "is odd");
        let state = FormState::to_correct(&form(), invalid.into()).unwrap();
        assert_eq!(
            (state.value("name"), state.error("name")),
            (" Core ", "is taken")
        );
        assert_eq!(state.value("order"), "U1\nU2");
        assert_eq!(state.message.as_deref(), Some("slug is odd"));
        assert_eq!(state.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[test]
    fn what_others_did_meanwhile_stands_beside_what_was_typed() {
        let typed = [
            ("version", "3"),
            ("name", "Core"),
            ("text", "a\r\nb"),
            ("on", "on"),
            ("zone", "UTC"),
        ];
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let form = Form(typed.map(pair).into());
        let conflict = Problem::new(StatusCode::CONFLICT, "version 3 is not the current one, 4");
        let present = |version: &str| {
            let fields = [
                ("version", version),
                ("name", "Hub"),
                ("text", "a\nb"),
                ("on", "true"),
                ("off", "false"),
                ("zone", ""),
            ];
            FormState::of(fields.map(|(name, value)| (name, value.to_owned())))
        };
        let state = FormState::to_correct(&form, conflict).unwrap();
        let same = state.clone().beside(&present("3"), "/back");
        assert!(!same.is_conflict());
        assert_eq!(
            same.message.as_deref(),
            Some("version 3 is not the current one, 4")
        );
        let state = state.beside(&present("4"), "/back");
        assert_eq!(state.status(), StatusCode::CONFLICT);
        assert_eq!(
            (state.value("name"), state.theirs("name")),
            ("Core", Some("Hub"))
        );
        assert_eq!(state.theirs("zone"), Some(""));
        assert_eq!(
            ["text", "on", "off"].map(|name| state.theirs(name)),
            [None; 3]
        );
        assert_eq!(
            (state.value("version"), state.drop_mine.as_deref()),
            ("4", Some("/back"))
        );
    }

    #[test]
    fn what_no_correction_helps_is_a_problem() {
        let problem = Problem::new(StatusCode::FORBIDDEN, "no");
        assert!(FormState::to_correct(&form(), problem).is_err());
    }

    #[test]
    fn blank_fields_are_not_filled() {
        let form = form();
        assert_eq!(form.text("name"), "Core");
        assert_eq!(form.filled("other"), None);
        assert_eq!(form.all("order"), ["U1", "U2"]);
        assert!(form.read::<u8>("name", "a number").is_err());
    }
}
