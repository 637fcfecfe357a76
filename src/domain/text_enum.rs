//! Enums with one fixed text name a variant, the same in JSON, queries and messages.

/// The text names no variant.
#[derive(Debug, thiserror::Error)]
#[error("`{value}` is not one of: {expected}")]
pub struct UnknownName {
    /// What was given.
    pub value: String,
    /// The names that are known, comma separated.
    pub expected: String,
}

/// Declares an enum, its text names, `Display` and `FromStr`. On disk a variant is its
/// position: add new ones at the end only.
macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The variant's text name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::text_enum::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| {
                    $crate::domain::text_enum::UnknownName {
                        value: text.to_owned(),
                        expected: [$($text),+].join(", "),
                    }
                })
            }
        }
    };
}
pub(crate) use text_enum;
