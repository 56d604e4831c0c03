//! Lists, a page at a time.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::json;

use crate::call::Call;
use crate::endpoint::Parameter;
use crate::problem::{Kind, Problem};

/// One page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub(crate) next: Option<String>,
}

/// Which page is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The key of the last thing of the page before.
    pub(crate) after: Option<String>,
    /// Most things on it.
    pub(crate) limit: usize,
}

impl Wanted {
    /// Reads the parameters.
    pub(crate) fn of(call: &Call) -> Result<Wanted, Problem> {
        let limit = call.query.value(&LIMIT).map_or(Ok(LIMIT_USUAL), |text| {
            let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
            limit.ok_or_else(|| bad(format!("`limit` is a number from 1 to {LIMIT_MAX}")))
        })?;
        let after = call.query.value(&CURSOR).map(read).transpose()?;
        Ok(Wanted { after, limit })
    }

    /// The page of the first things of a list that begins where it is wanted.
    pub(crate) fn page<T>(
        &self,
        rest: impl Iterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> Page<T> {
        let mut items: Vec<T> = rest.take(self.limit.saturating_add(1)).collect();
        let has_more = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| has_more).map(|last| write(&key(last)));
        Page { items, next }
    }
}

/// A cursor says nothing to those who get it, so that they do not make their own.
pub(crate) fn write(key: &str) -> String {
    BASE64URL_NOPAD.encode(key.as_bytes())
}

fn read(cursor: &str) -> Result<String, Problem> {
    let octets = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok();
    octets.and_then(|octets| String::from_utf8(octets).ok()).ok_or_else(malformed)
}

/// A cursor that is not one of ours.
pub(crate) fn malformed() -> Problem {
    bad("`cursor` is not one that a page of this list has given".to_owned())
}

fn bad(detail: String) -> Problem {
    Problem::new(Kind::BadRequest, detail)
}

/// How many things are on a page.
pub(crate) const LIMIT: Parameter = Parameter {
    name: "limit",
    about: "Most things on the page.",
    schema: || json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_USUAL }),
};
/// Where the page begins.
pub(crate) const CURSOR: Parameter = Parameter {
    name: "cursor",
    about: "Where the page begins: `next` of the page before.",
    schema: || json!({ "type": "string" }),
};
/// Things on a page when nothing is said.
const LIMIT_USUAL: usize = 100;
/// Most things on a page.
pub(crate) const LIMIT_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_together_are_the_list() {
        let list: Vec<u32> = (0..10).collect();
        for limit in 1..12 {
            let (mut seen, mut after): (Vec<u32>, Option<String>) = (Vec::new(), None);
            loop {
                let wanted = Wanted { after: after.clone(), limit };
                let from = after.map_or(0, |after| after.parse::<usize>().unwrap() + 1);
                let page = wanted.page(list.iter().copied().skip(from), ToString::to_string);
                assert!(page.items.len() <= limit);
                seen.extend(page.items);
                match page.next {
                    Some(next) => after = Some(read(&next).unwrap()),
                    None => break,
                }
            }
            assert_eq!(seen, list, "{limit}");
        }
        for cursor in ["!", "_w", "a"] {
            assert_eq!(read(cursor).unwrap_err().kind, Kind::BadRequest);
        }
    }
}
