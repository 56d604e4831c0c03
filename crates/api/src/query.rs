//! The query of a request: known parameters only, each once.

use crate::endpoint::Parameter;
use crate::problem::{Kind, Problem};
use crate::suggestion::suggest;
use crate::text::shown;

/// Parameters by name, decoded.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads a query. What the operation does not know is an error: a filter with a slip in its name
    /// would show everything.
    pub(crate) fn read(text: &str, known: &'static [&'static Parameter]) -> Result<Query, Problem> {
        let mut read: Vec<(&'static str, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(undecodable)?;
            let value = decode(value).ok_or_else(undecodable)?;
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else {
                return Err(unknown(&name, known));
            };
            if read.iter().any(|(earlier, _)| *earlier == parameter.name) {
                let detail = format!("the parameter `{}` is there more than once", parameter.name);
                return Err(Problem::new(Kind::BadRequest, detail));
            }
            read.push((parameter.name, value));
        }
        Ok(Query(read))
    }

    /// The value of a parameter.
    pub(crate) fn value(&self, parameter: &Parameter) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| *name == parameter.name);
        found.map(|(_, value)| value.as_str())
    }
}

fn unknown(name: &str, known: &'static [&'static Parameter]) -> Problem {
    let detail = format!("there is no parameter `{}` here", shown(name));
    let problem = Problem::new(Kind::BadRequest, detail);
    match suggest(name, known.iter().map(|parameter| parameter.name)) {
        Some(meant) => problem.hint(format!("did you mean `{meant}`?")),
        None if known.is_empty() => problem.hint("this operation takes no parameters"),
        None => {
            let names: Vec<String> =
                known.iter().map(|parameter| format!("`{}`", parameter.name)).collect();
            problem.hint(format!("it takes {}", names.join(", ")))
        }
    }
}

fn undecodable() -> Problem {
    Problem::new(Kind::BadRequest, "the query is not percent-encoded UTF-8")
}

/// Takes percent-encoding off; `+` is a space, as forms have it.
fn decode(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                let high = rest.next().and_then(digit)?;
                let low = rest.next().and_then(digit)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Parameter =
        Parameter { name: "limit", about: "", schema: || serde_json::Value::Null };
    const KNOWN: &[&Parameter] = &[&LIMIT];

    #[test]
    fn parameters_are_known_and_there_once() {
        for (text, value) in [
            ("", None),
            ("&", None),
            ("limit=5", Some("5")),
            ("limit=%35&", Some("5")),
            ("limit", Some("")),
            ("limit=a+b", Some("a b")),
        ] {
            let query = Query::read(text, KNOWN).unwrap();
            assert_eq!(query.value(&LIMIT), value, "{text}");
        }
        for (text, hint) in [
            ("limits=5", Some("did you mean `limit`?")),
            ("colour=5", Some("it takes `limit`")),
            ("limit=1&limit=2", None),
            ("limit=%zz", None),
            ("limit=%f", None),
            ("limit=%ff", None),
        ] {
            let problem = Query::read(text, KNOWN).unwrap_err();
            assert_eq!(problem.kind, Kind::BadRequest);
            assert_eq!(problem.hint.as_deref(), hint, "{text}");
        }
    }
}
