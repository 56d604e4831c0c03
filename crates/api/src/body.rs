//! Reading a body of JSON: every fault says where it is and what was meant.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::problem::{Kind, Problem};
use crate::suggestion::suggest;

/// Reads a value, which is an object: `serde` would take a list of its fields as well. Text that is no JSON is [`Kind::MalformedBody`]; JSON that is no such value is
/// [`Kind::Invalid`].
pub(crate) fn read<T: DeserializeOwned>(octets: &[u8]) -> Result<T, Problem> {
    let first = octets.iter().find(|octet| !octet.is_ascii_whitespace());
    if first.is_some_and(|first| *first != b'{')
        && let Ok(other) = serde_json::from_slice::<serde_json::Value>(octets)
    {
        let what = if other.is_array() { "a list" } else { "no object" };
        return Err(Problem::invalid(format!("the body is {what}; an object is expected")));
    }
    let mut json = serde_json::Deserializer::from_slice(octets);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(fault)?;
    json.end().map_err(|why| malformed(&why))?;
    Ok(value)
}

fn fault(why: serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let pointer = pointer(why.path());
    let why = why.into_inner();
    if !why.is_data() {
        return malformed(&why);
    }
    let text = why.to_string();
    // The place in the text helps nobody who sees the field.
    let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(detail, _)| detail);
    let problem = match hint(detail) {
        Some(hint) => Problem::invalid(detail).hint(hint),
        None => Problem::invalid(detail),
    };
    if pointer.is_empty() { problem } else { problem.at(pointer) }
}

fn malformed(why: &serde_json::Error) -> Problem {
    Problem::new(Kind::MalformedBody, why.to_string())
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } | Segment::Enum { variant: key } => {
            format!("/{}", key.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Unknown => String::new(),
    };
    let whole: String = path.iter().map(segment).collect();
    whole.chars().take(POINTER_CHARS_MAX).collect()
}

/// What was most likely meant by a field that is not known: `serde` says it in backticks, first the
/// one that is not known, then those that are.
fn hint(detail: &str) -> Option<String> {
    let words = detail.strip_prefix("unknown field ").or(detail.strip_prefix("unknown variant "))?;
    let mut quoted = words.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    suggest(unknown, quoted).map(|meant| format!("did you mean `{meant}`?"))
}

/// A field that may be left out (it stays as it is), `null` (it goes back to its default) or a value.
pub(crate) fn three_ways<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Longest pointer that is shown.
const POINTER_CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Sample {
        #[serde(default, deserialize_with = "three_ways")]
        ttl_s: Option<Option<u32>>,
        #[serde(default)]
        records: Vec<String>,
    }

    #[test]
    fn faults_say_where_they_are_and_what_was_meant() {
        for (text, kind, pointer, hint) in [
            ("", Kind::MalformedBody, None, None),
            ("{", Kind::MalformedBody, None, None),
            ("{} {}", Kind::MalformedBody, None, None),
            ("[]", Kind::Invalid, None, None),
            (r#"{"ttls":1}"#, Kind::Invalid, Some("/ttls"), Some("did you mean `ttl_s`?")),
            (r#"{"ttl_s":"1"}"#, Kind::Invalid, Some("/ttl_s"), None),
            (r#"{"ttl_s":-1}"#, Kind::Invalid, Some("/ttl_s"), None),
            (r#"{"records":["a",1]}"#, Kind::Invalid, Some("/records/1"), None),
            (r#"{"records":null}"#, Kind::Invalid, Some("/records"), None),
        ] {
            let problem = read::<Sample>(text.as_bytes()).unwrap_err();
            assert_eq!(problem.kind, kind, "{text}");
            assert_eq!(problem.pointer.as_deref(), pointer, "{text}");
            assert_eq!(problem.hint.as_deref(), hint, "{text}");
        }
        assert_eq!(read::<Sample>(b"{}").unwrap().ttl_s, None);
        assert_eq!(read::<Sample>(br#"{"ttl_s":null}"#).unwrap().ttl_s, Some(None));
        assert_eq!(read::<Sample>(br#"{"ttl_s":5}"#).unwrap().ttl_s, Some(Some(5)));
    }
}
