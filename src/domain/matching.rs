//! What people type to find something, compared with what it's called: without case, accents and
//! spare blanks.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// How well a name fits, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It begins so.
    Beginning,
    /// One of its words begins so.
    Word,
    /// It holds the text, or all of its words somewhere.
    Within,
}

/// A text as it's compared: lower case, letters without their marks, words one blank apart.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    if text.is_ascii() {
        folded.push_str(&text.to_ascii_lowercase());
    } else {
        let decomposed = const { DecomposingNormalizerBorrowed::new_nfkd() }.normalize(text);
        for c in decomposed.chars().flat_map(char::to_lowercase) {
            match c {
                '\u{300}'..='\u{36f}' => {}
                'ß' => folded.push_str("ss"),
                'æ' => folded.push_str("ae"),
                'œ' => folded.push_str("oe"),
                'þ' => folded.push_str("th"),
                'ø' => folded.push('o'),
                'ł' => folded.push('l'),
                'đ' | 'ð' => folded.push('d'),
                'ı' => folded.push('i'),
                '’' => folded.push('\''),
                c => folded.push(c),
            }
        }
    }
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How a name fits what somebody looks for, both folded; nothing looked for fits all.
pub fn fit(name: &str, wanted: &str) -> Option<Fit> {
    let mut is_within = false;
    for (at, _) in name.match_indices(wanted) {
        if at == 0 {
            return Some(Fit::Beginning);
        }
        let before = name.get(..at).and_then(|before| before.chars().next_back());
        if before.is_some_and(|before| !before.is_alphanumeric()) {
            return Some(Fit::Word);
        }
        is_within = true;
    }
    let has_all = || wanted.split(' ').all(|word| name.contains(word));
    (is_within || has_all()).then_some(Fit::Within)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_accents_and_blanks_make_no_difference() {
        for (text, folded) in [
            ("Zoë  NÚÑEZ ", "zoe nunez"),
            ("Søren Łukasz Straße", "soren lukasz strasse"),
            ("İlker ILGAZ", "ilker ilgaz"),
            ("O’Hara", "o'hara"),
            ("Ｓａｍ", "sam"),
            ("山田　太郎", "山田 太郎"),
            ("", ""),
        ] {
            assert_eq!(fold(text), folded);
        }
        assert_eq!(fold("대라"), fold("\u{1103}\u{1162}\u{1105}\u{1161}"));
    }

    #[test]
    fn beginnings_fit_best_then_words_then_anything() {
        for (name, wanted, expected) in [
            ("sam okoye", "sam", Some(Fit::Beginning)),
            ("sam okoye", "sam ok", Some(Fit::Beginning)),
            ("sam okoye", "oko", Some(Fit::Word)),
            ("edge-cdn", "cdn", Some(Fit::Word)),
            ("balsam sam", "sam", Some(Fit::Word)),
            ("balsam", "sam", Some(Fit::Within)),
            ("sam okoye", "okoye sam", Some(Fit::Within)),
            ("sam okoye", "sam x", None),
            ("sam", "", Some(Fit::Beginning)),
            ("", "s", None),
        ] {
            assert_eq!(fit(name, wanted), expected, "{wanted} in {name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_of_a_name_in_whatever_case_finds_it(
            first in "[a-zA-Zà-ÿ가-힣]{1,9}", last in "[a-zA-Zà-ÿ가-힣]{1,9}", taken in 1usize..9,
        ) {
            let name = fold(&format!("{first} {last}"));
            let beginning: String = first.to_uppercase().chars().take(taken).collect();
            prop_assert_eq!(fit(&name, &fold(&beginning)), Some(Fit::Beginning));
            prop_assert!(fit(&name, &fold(&last)).is_some_and(|fit| fit <= Fit::Word));
            let turned = fold(&format!("{last}  {first}"));
            prop_assert!(fit(&name, &turned).is_some());
        }
    }
}
