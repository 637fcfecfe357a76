//! People on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::nullable;
use crate::domain::profile::{NameSource, Profile};

/// What is known of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = User)]
pub struct PersonView {
    /// The person.
    pub slack_user_id: String,
    /// Their name; the id where no name is known.
    pub display_name: String,
    /// Where the name comes from. One from Slack is changed there.
    pub name_source: NameSource,
    /// Their e-mail address: the one that was set, else Slack's.
    pub email: Option<String>,
    /// Their IANA time zone: the one that was set, else Slack's.
    pub timezone: Option<String>,
    /// Slugs of the active teams that they belong to, sorted.
    pub teams: Vec<String>,
    /// When something was first set; null where nothing was.
    pub created_at: Option<DateTime<Utc>>,
    /// When what is set was last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Rises by one at each change of what is set.
    pub version: Option<u64>,
}

impl PersonView {
    /// A person as the API shows them.
    pub fn new(profile: &Profile, slack_is_on: bool, teams: Vec<String>) -> Self {
        let id = profile.user.as_str();
        let (name, name_source) = profile.name(slack_is_on).unwrap_or((id, NameSource::None));
        let revision = profile.set.as_ref().map(|set| &set.revision);
        Self {
            slack_user_id: id.to_owned(),
            display_name: name.to_owned(),
            name_source,
            email: profile.email().map(ToOwned::to_owned),
            timezone: profile.timezone().map(ToOwned::to_owned),
            teams,
            created_at: revision.map(|revision| revision.created_at),
            updated_at: revision.map(|revision| revision.updated_at),
            version: revision.map(|revision| revision.version),
        }
    }
}

/// What to set of a person; absent fields stay as they are, null takes back what was set.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileInput {
    /// What to call them: 1 to 80 characters on one line, none of them invisible. Not for
    /// somebody whose name is Slack's.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub display_name: Option<Option<String>>,
    /// E-mail address.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub email: Option<Option<String>>,
    /// IANA time zone.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub timezone: Option<Option<String>>,
    /// The version that this change is based on; another one is a conflict.
    pub version: Option<u64>,
}

/// Which people to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeopleFilter {
    /// Part of the name, the id or the e-mail address; case and accents make no difference.
    pub q: Option<String>,
    /// These people, known or not: up to 200 ids by commas. Not with `q`.
    pub ids: Option<String>,
}
