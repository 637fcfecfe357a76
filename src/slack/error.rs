//! What goes wrong with Slack, by what can be done about it.

use std::time::Duration;

use crate::delivery::sink::DeliveryError;

/// Why a call of Slack's Web API failed. The messages name the method, and never a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Slack can't be reached, is slow or in trouble. It may go well later; whether Slack did
    /// what it was asked is unknown.
    #[error("Slack {method}: {problem}")]
    Unreachable {
        /// The method that was called.
        method: &'static str,
        /// What happened.
        problem: String,
    },
    /// Something answered, but not as Slack does: HTML, half of an answer. It may go well later.
    #[error("Slack {method}: {problem}")]
    Unexpected {
        /// The method that was called.
        method: &'static str,
        /// What was answered.
        problem: String,
    },
    /// Slack asks to slow down.
    #[error("Slack {method}: rate limited, resuming after {} s", after.as_secs())]
    RateLimited {
        /// The method that was called.
        method: &'static str,
        /// How long to wait; an hour at most.
        after: Duration,
    },
    /// The token is not accepted, whatever it's asked for.
    #[error("Slack {method}: the token is refused ({error}); see [slack] in the config")]
    Auth {
        /// The method that was called.
        method: &'static str,
        /// Slack's word for it, or that there is no such token.
        error: String,
    },
    /// The app isn't allowed what the method needs.
    #[error(
        "Slack {method}: the app lacks the scope {needed}; add it to the app and install the app again"
    )]
    MissingScope {
        /// The method that was called.
        method: &'static str,
        /// The scope that is needed, or several by commas.
        needed: String,
        /// The scopes that the token has, by commas.
        provided: String,
    },
    /// The very call will never go well.
    #[error("Slack {method}: {error}{}", detail.as_ref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Permanent {
        /// The method that was called.
        method: &'static str,
        /// Slack's word for it.
        error: String,
        /// What Slack says beside it.
        detail: Option<String>,
    },
    /// The client can't be set up.
    #[error("{0}")]
    Setup(String),
}

impl SlackError {
    /// Whether the same call may go well later.
    pub fn is_retriable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Unexpected { .. } | Self::RateLimited { .. }
        )
    }

    /// Slack's word for what is wrong with the very call, such as `channel_not_found`.
    pub fn permanent(&self) -> Option<&str> {
        match self {
            Self::Permanent { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<SlackError> for DeliveryError {
    fn from(error: SlackError) -> Self {
        let message = error.to_string();
        match error {
            SlackError::Unreachable { .. } | SlackError::Unexpected { .. } => Self::retry(message),
            SlackError::RateLimited { after, .. } => Self::RateLimited { after },
            SlackError::Auth { .. } | SlackError::MissingScope { .. } | SlackError::Setup(_) => {
                Self::SinkUnusable { message }
            }
            SlackError::Permanent { .. } => Self::Permanent { message },
        }
    }
}

/// What can be done about one of Slack's errors. What concerns a single channel or person is
/// [`Class::Permanent`], or one message could stop all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Wait as long as `Retry-After` says.
    Limited,
    /// Try again later.
    Later,
    /// Give the daemon another token.
    Auth,
    /// Give the app another scope.
    Scope,
    /// Nothing: the call itself is wrong.
    Permanent,
}

/// Slack's errors by class, from the errors tables of the methods' pages at
/// `https://docs.slack.dev/reference/methods/<method>`, as of 2026.
const CLASSES: [(Class, &[&str]); 5] = [
    (Class::Limited, &["rate_limited", "ratelimited"]),
    (
        Class::Later,
        &[
            "external_channel_migrating",
            "fatal_error",
            "internal_error",
            "message_limit_exceeded",
            "org_login_required",
            "request_timeout",
            "service_unavailable",
            "streaming_state_conflict",
            "team_added_to_org",
            "update_failed",
        ],
    ),
    (
        Class::Auth,
        &[
            "accesslimited",
            "account_inactive",
            "enterprise_is_restricted",
            "forbidden_team",
            "invalid_auth",
            "missing_args", // apps.connections.open without a token
            "not_allowed_token_type",
            "not_authed",
            "team_access_not_granted",
            "token_expired",
            "token_revoked",
            "two_factor_setup_required",
        ],
    ),
    (Class::Scope, &["missing_scope"]),
    (
        Class::Permanent,
        &[
            "access_denied",
            "app_cannot_join_channel",
            "as_user_not_supported",
            "block_mismatch",
            "cannot_dm_bot",
            "cant_update_message",
            "channel_not_found",
            "deprecated_endpoint",
            "edit_window_closed",
            "ekm_access_denied",
            "failed_for_some_users",
            "insecure_request",
            "invalid_arg_name",
            "invalid_arguments",
            "invalid_array_arg",
            "invalid_blocks",
            "invalid_blocks_format",
            "invalid_charset",
            "invalid_form_data",
            "invalid_metadata_format",
            "invalid_metadata_schema",
            "invalid_post_type",
            "invalid_user_combination",
            "invalid_users",
            "is_archived",
            "is_inactive",
            "message_not_found",
            "messages_tab_disabled",
            "metadata_must_be_sent_from_app",
            "metadata_too_large",
            "method_deprecated",
            "method_not_supported_for_channel_type",
            "missing_argument",
            "missing_charset",
            "missing_post_type",
            "msg_blocks_too_long",
            "msg_too_long",
            "no_permission",
            "no_such_subteam",
            "no_text",
            "no_users_provided",
            "not_enough_users",
            "not_in_channel",
            "permission_denied",
            "plan_upgrade_required",
            "restricted_action",
            "restricted_action_non_threadable_channel",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "single_channel_guests_cannot_be_added",
            "subteam_max_users_exceeded",
            "team_not_found",
            "too_many_attachments",
            "too_many_users",
            "unknown_method",
            "user_disabled",
            "user_not_found",
            "user_not_visible",
            "users_list_not_supplied",
            "users_not_found",
        ],
    ),
];

/// The class of one of Slack's errors. One that isn't known may be a passing one: it is tried
/// again, and whoever tries does so only so many times.
pub(super) fn class(error: &str) -> Class {
    CLASSES
        .iter()
        .find(|(_, errors)| errors.contains(&error))
        .map_or(Class::Later, |(class, _)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_slack_fall_into_classes() {
        let cases = [
            ("ratelimited", Class::Limited),
            ("internal_error", Class::Later),
            ("invalid_auth", Class::Auth),
            ("token_revoked", Class::Auth),
            ("missing_scope", Class::Scope),
            ("channel_not_found", Class::Permanent),
            ("failed_for_some_users", Class::Permanent),
            ("an_error_of_next_year", Class::Later),
        ];
        for (error, expected) in cases {
            assert_eq!(class(error), expected, "{error}");
        }
    }

    #[test]
    fn each_error_of_slack_stands_in_the_table_once_and_in_order() {
        let mut all: Vec<_> = CLASSES.iter().flat_map(|(_, errors)| *errors).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        for (class, errors) in CLASSES {
            assert!(errors.is_sorted(), "{class:?}");
        }
    }

    #[test]
    fn a_delivery_knows_what_to_do_about_an_error() {
        let method = "chat.postMessage";
        let down = SlackError::Unreachable {
            method,
            problem: "HTTP 503".to_owned(),
        };
        let message = "Slack chat.postMessage: HTTP 503".to_owned();
        assert_eq!(DeliveryError::from(down), DeliveryError::retry(message));

        let after = Duration::from_secs(7);
        let limited = SlackError::RateLimited { method, after };
        assert_eq!(
            DeliveryError::from(limited),
            DeliveryError::RateLimited { after }
        );

        let scope = SlackError::MissingScope {
            method,
            needed: "chat:write".to_owned(),
            provided: "commands".to_owned(),
        };
        let unusable = DeliveryError::from(scope);
        assert!(matches!(unusable, DeliveryError::SinkUnusable { .. }));
        assert!(unusable.to_string().contains("chat:write"), "{unusable}");

        let gone = SlackError::Permanent {
            method,
            error: "is_archived".to_owned(),
            detail: None,
        };
        let gone = DeliveryError::from(gone);
        assert!(matches!(gone, DeliveryError::Permanent { .. }));
    }
}
