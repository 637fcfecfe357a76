//! What callers hand to the actions and get back: the JSON of the API, the same for the CLI,
//! the web pages and Slack. Inputs refuse unknown fields; views are made from the domain.

pub mod audit;
pub mod declaration;
pub mod duty;
pub mod layers;
pub mod member;
pub mod notification;
pub mod oncall;
pub mod overview;
pub mod person;
pub mod plugin;
pub mod review;
pub mod rotation;
pub mod schedule;
pub mod search;
pub mod service;
pub mod shift_override;
pub mod slack;
pub mod team;
pub mod time_off;
pub mod token;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The page's items.
    pub items: Vec<T>,
    /// Items on all pages.
    pub total: usize,
    /// This page, from 1.
    pub page: usize,
    /// Items on a full page.
    pub page_size: usize,
}

impl<T> Page<T> {
    /// The asked-for page of a list that is in memory as a whole.
    pub fn of(all: Vec<T>, paging: &Paging) -> Self {
        let total = all.len();
        let items = all
            .into_iter()
            .skip(paging.skip())
            .take(paging.size())
            .collect();
        Self::new(items, total, paging)
    }

    /// A page whose items were picked already.
    pub fn new(items: Vec<T>, total: usize, paging: &Paging) -> Self {
        Self {
            items,
            total,
            page: paging.page.unwrap_or(1),
            page_size: paging.size(),
        }
    }
}

/// Which page of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// The page, from 1 (default).
    #[param(minimum = 1)]
    pub page: Option<usize>,
    /// Items on a page: 1 to 200, default 50.
    #[param(minimum = 1, maximum = 200)]
    pub page_size: Option<usize>,
}

impl Paging {
    /// The largest page.
    pub const MAX_SIZE: usize = 200;

    /// Items on a full page.
    pub fn size(&self) -> usize {
        self.page_size.unwrap_or(50)
    }

    /// Items on the pages before.
    pub fn skip(&self) -> usize {
        (self.page.unwrap_or(1) - 1).saturating_mul(self.size())
    }
}

/// Reads a field of a PATCH: absent is `None`, null is `Some(None)`.
pub fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// A list parameter: `true`, `false` or `all`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActiveFilter {
    /// The active ones: the default.
    #[default]
    True,
    /// The deleted ones.
    False,
    /// Both.
    All,
}

impl ActiveFilter {
    /// Whether those wanted are active; none where both are.
    pub fn is_active(self) -> Option<bool> {
        match self {
            Self::True => Some(true),
            Self::False => Some(false),
            Self::All => None,
        }
    }
}
