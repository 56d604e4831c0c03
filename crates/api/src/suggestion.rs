//! The known word that somebody most likely meant.

/// The word that is most like one that is not known, when there is one like it.
pub(crate) fn suggest<'w>(unknown: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let unknown = unknown.to_lowercase().replace('-', "_");
    if unknown.len() > WORD_OCTETS_MAX {
        return None;
    }
    let (distance, word) = known.map(|word| (distance(&unknown, word), word)).min()?;
    // A longer word has room for more slips.
    (distance <= (unknown.len() / LETTERS_PER_SLIP).max(1)).then_some(word)
}

/// Letters that are to be inserted, deleted or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (column, wanted) in row.iter_mut().skip(1).zip(&to) {
            let kept = diagonal + usize::from(letter != *wanted);
            diagonal = *column;
            left = kept.min(left + 1).min(*column + 1);
            *column = left;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// A word has one slip for so many letters.
const LETTERS_PER_SLIP: usize = 3;
/// Longest word that something is suggested for, in octets.
const WORD_OCTETS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let known = ["ttl_s", "records", "private_ok"];
        for (unknown, meant) in [
            ("ttl", None),
            ("ttls", Some("ttl_s")),
            ("ttl-s", Some("ttl_s")),
            ("record", Some("records")),
            ("privateok", Some("private_ok")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(suggest(unknown, known.into_iter()), meant, "{unknown}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
