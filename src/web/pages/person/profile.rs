//! What is known of a person, to be set: name, e-mail address, zone.

use crate::actions::members::profiles;
use crate::domain::profile::NameSource;
use crate::domain::zone::Zone;
use crate::web::pages::prelude::*;
use crate::wire::person::{PersonView, ProfileInput};

#[derive(Template)]
#[template(path = "profile_form.html")]
struct ProfilePage {
    layout: Layout,
    profile: PersonView,
    /// Whether their name is Slack's, and changed there.
    is_named_by_slack: bool,
    zones: Vec<&'static str>,
    form: FormState,
}

/// `GET /people/{user}/edit`
pub async fn show(State(api): State<Api>, visitor: Visitor, Path(user): Path<String>) -> Shown {
    let profile = api.run(move |app| profiles::show(app, &user)).await?;
    let form = form_of(&profile);
    show_form(&visitor, profile, form)
}

fn form_of(profile: &PersonView) -> FormState {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let version = profile.version.map(|version| version.to_string());
    FormState::of([
        ("display_name", name_of(profile).to_owned()),
        ("email", text(&profile.email)),
        ("timezone", text(&profile.timezone)),
        ("version", version.unwrap_or_default()),
    ])
}

/// The name that is known, where one is.
fn name_of(profile: &PersonView) -> &str {
    match profile.name_source {
        NameSource::None => "",
        _ => &profile.display_name,
    }
}

fn show_form(visitor: &Visitor, profile: PersonView, form: FormState) -> Shown {
    let status = form.status();
    let page = ProfilePage {
        layout: visitor.layout("Edit profile", Nav::None),
        is_named_by_slack: profile.name_source == NameSource::Slack,
        zones: Zone::names(),
        profile,
        form,
    };
    visitor.page_with(status, &page)
}

/// `POST /people/{user}/edit`
pub async fn save(
    State(api): State<Api>,
    visitor: Visitor,
    Path(user): Path<String>,
    form: Form,
) -> Shown {
    let (whom, ctx) = (user.clone(), visitor.ctx.clone());
    let present = api.run(move |app| profiles::show(app, &whom)).await?;
    let done = match input_of(&form, &present) {
        Ok(input) => {
            let whom = user.clone();
            api.run(move |app| profiles::set(app, &ctx, &whom, &input))
                .await
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => Ok(redirect_saying(
            &format!("/people/{user}"),
            "The profile is saved.",
        )),
        Err(problem) => {
            let sent = FormState::to_correct(&form, problem)?;
            let form = sent.beside(&form_of(&present), &format!("/people/{user}/edit"));
            show_form(&visitor, present, form)
        }
    }
}

/// What differs from what is known: what Slack tells is not set again as it stands.
fn input_of(form: &Form, present: &PersonView) -> std::result::Result<ProfileInput, Problem> {
    let changed = |name: &str, present: Option<&str>| {
        let typed = form.filled(name);
        (form.has(name) && typed.as_deref() != present).then_some(typed)
    };
    let name = Some(name_of(present)).filter(|name| !name.is_empty());
    Ok(ProfileInput {
        display_name: changed("display_name", name),
        email: changed("email", present.email.as_deref()),
        timezone: changed("timezone", present.timezone.as_deref()),
        version: form.read("version", "a version")?,
    })
}
