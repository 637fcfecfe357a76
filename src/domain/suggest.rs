//! What somebody may have meant who named something that isn't there.

/// The candidate that the name comes near: a slip of the hand, or its beginning.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    let slips = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let is_beginning = name.chars().count() >= 2 && candidate.starts_with(&name);
        if is_beginning {
            1
        } else {
            strsim::damerau_levenshtein(&name, &candidate)
        }
    };
    candidates
        .into_iter()
        .map(|candidate| (slips(candidate), candidate))
        .filter(|(slips, _)| *slips <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_and_beginnings_are_understood() {
        let teams = ["payments", "platform", "edge-cdn", "data"];
        assert_eq!(nearest("paymetns", teams), Some("payments"));
        assert_eq!(nearest("Payment", teams), Some("payments"));
        assert_eq!(nearest("pay", teams), Some("payments"));
        assert_eq!(nearest("edge", teams), Some("edge-cdn"));
        assert_eq!(nearest("dat", teams), Some("data"));
        assert_eq!(nearest("billing", teams), None);
        assert_eq!(nearest("x", teams), None);
        assert_eq!(nearest("payments", []), None);
    }
}
