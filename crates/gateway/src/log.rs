//! What the log and the metrics say of requests: never a secret, never a whole URL.

use std::borrow::Cow;
use std::fmt::Write;

use dialect::http::Request;
use dialect::{Hint, Outcome, Profile};

use crate::source::Source;

/// One line of the log: what came of an update of one host.
pub(crate) struct Line<'a> {
    /// The host as the client wrote it, or `-`.
    pub(crate) host: &'a str,
    /// The language of the request.
    pub(crate) profile: Profile,
    /// The answer.
    pub(crate) outcome: &'a Outcome,
    /// Why, when it is not a success.
    pub(crate) why: Option<&'a str>,
    /// Where the request came from.
    pub(crate) source: Source,
    /// The request.
    pub(crate) request: &'a Request,
}

/// Writes the line.
pub(crate) fn line(line: &Line<'_>) {
    tracing::info!(
        host = %shown(line.host),
        source = %line.source.nearest,
        dialect = line.profile.name(),
        outcome = line.outcome.code.word(),
        addresses = addresses(line.outcome),
        why = line.why,
        agent = %shown(line.request.user_agent.as_deref().unwrap_or("-")),
        "update"
    );
}

/// What a name has now, when that is what the client was told.
fn addresses(outcome: &Outcome) -> Option<String> {
    if !outcome.code.is_success() {
        return None;
    }
    let mut list = String::with_capacity(outcome.addresses.len() * ADDRESS_OCTETS_USUAL);
    for (place, address) in outcome.addresses.iter().enumerate() {
        // A `String` takes all that is written.
        let _ = write!(list, "{}{address}", if place == 0 { "" } else { "," });
    }
    Some(list)
}

/// Writes that an update was asked for where there is none, or by a method that makes none.
pub(crate) fn astray(request: &Request, source: Source, status: u16) {
    tracing::info!(
        path = %shown(&path(&request.path)),
        source = %source.nearest,
        status,
        agent = %shown(request.user_agent.as_deref().unwrap_or("-")),
        hint = "updates are taken at `/nic/update`, by GET or POST",
        "no update"
    );
}

/// A path without what may be a secret in it, of ours or of another service: no such word is short.
fn path(path: &str) -> String {
    let word =
        |word: &str| if word.len() > WORD_OCTETS_MAX { "*".to_owned() } else { word.to_owned() };
    path.split('/').map(word).collect::<Vec<_>>().join("/")
}

/// Notes what was odd.
pub(crate) fn hints(hints: &[Hint], request: &Request, source: Source) {
    for hint in hints {
        metrics::counter!("byname_http_hints_total", "kind" => format!("{hint:?}")).increment(1);
        tracing::debug!(
            %hint,
            source = %source.nearest,
            agent = %shown(request.user_agent.as_deref().unwrap_or("-")),
            "odd request"
        );
    }
}

/// Text of a client's, fit for a log: short, printable, and without anything like a token.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let mut parts = text.as_bytes().windows(TOKEN_MARK.len());
    if parts.any(|part| part.eq_ignore_ascii_case(TOKEN_MARK.as_bytes())) {
        return Cow::Borrowed("(holds a token)");
    }
    // No line end, no colour, no text that runs backwards; and neither `=` nor `"`, with which a
    // client could write fields of its own into our line.
    let is_plain = |c: char| match c {
        '=' | '"' => false,
        ' '..='~' => true,
        _ => c.is_alphanumeric(),
    };
    if text.len() <= TEXT_OCTETS_MAX && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let plain = text.chars().map(|c| if is_plain(c) { c } else { '?' });
    Cow::Owned(plain.take(TEXT_OCTETS_MAX).collect())
}

/// Room for an address and its comma; more is no trouble.
const ADDRESS_OCTETS_USUAL: usize = 24;
/// What every token begins with (see `account::secret`), in any case.
const TOKEN_MARK: &str = "byn_";
/// Longest part of a path that is shown, in octets: `update.php` is, a token is not.
const WORD_OCTETS_MAX: usize = 15;
/// Most octets of a client's text in the log.
const TEXT_OCTETS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use dialect::Code;

    use super::*;

    #[test]
    fn path_shows_what_was_mistyped_and_no_secret() {
        for (asked, said) in [
            ("/", "/"),
            ("/nic/updat", "/nic/updat"),
            ("/dyndns/update.php", "/dyndns/update.php"),
            ("/update/01234567-89ab-cdef-0123-456789abcdef/x", "/update/*/x"),
        ] {
            assert_eq!(path(asked), said);
        }
    }

    #[test]
    fn addresses_are_shown_of_successes_only() {
        let both = vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let outcome = |code| Outcome { addresses: both.clone(), ..Outcome::bare("h", code) };
        let shown = Some("192.0.2.1,2001:db8::1".to_owned());
        assert_eq!(addresses(&outcome(Code::Good)), shown);
        assert_eq!(addresses(&outcome(Code::Nochg)), shown);
        assert_eq!(addresses(&outcome(Code::Badauth)), None);
    }

    #[test]
    fn shown_text_is_short_and_printable_and_holds_no_token() {
        assert_eq!(shown("ddclient/3.10"), "ddclient/3.10");
        assert_eq!(shown("a\nb\x1b[31m\u{2028}"), "a?b?[31m?");
        assert_eq!(shown("b\u{fc}ro\u{202e}\u{200b}\u{fffd}"), "b\u{fc}ro???");
        assert_eq!(shown("x outcome=\"good\" host=y"), "x outcome??good? host?y");
        assert_eq!(shown(&"x".repeat(1000)).len(), TEXT_OCTETS_MAX);
        let secret = account::secret::Secret::from_random([7; 16]);
        for text in [secret.reveal().to_owned(), format!("h.{}", secret.reveal().to_lowercase())] {
            assert_eq!(shown(&text), "(holds a token)");
        }
    }
}
