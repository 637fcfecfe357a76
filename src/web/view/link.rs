//! Texts that may be addresses.

/// A text, and where it leads if it is the address of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// As it is shown: an address without its scheme.
    pub text: String,
    /// An http or https address; none where browsers can't open it.
    pub href: Option<String>,
}

impl Link {
    /// A text as somebody has typed it.
    pub fn new(text: &str) -> Self {
        let rest = ["https://", "http://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        Self {
            text: rest.unwrap_or(text).trim_end_matches('/').to_owned(),
            href: rest
                .filter(|rest| !rest.is_empty() && !text.contains(char::is_whitespace))
                .map(|_| text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_opens_is_a_link() {
        let link = Link::new("https://git.example/pay/");
        assert_eq!(link.text, "git.example/pay");
        assert_eq!(link.href.as_deref(), Some("https://git.example/pay/"));
        for text in [
            "git@git.example:pay",
            "javascript:alert(1)",
            "see https://a",
            "https://",
            "https://a b",
        ] {
            assert_eq!(Link::new(text).href, None, "{text}");
        }
    }
}
