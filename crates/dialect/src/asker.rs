//! Who asks: the places where languages put a user name and a secret.

use crate::Hint;
use crate::hint::note;
use crate::http::{Credentials, Request};

/// The credentials of the head (Basic, Bearer, the target's user information), or when they have no
/// password, user name and password from parameters with these names.
pub(crate) fn header_or_parameters(
    request: &Request,
    users: &[&str],
    passwords: &[&str],
) -> Option<Credentials> {
    match parameter_password(request, passwords) {
        Some(password) => {
            let user = request.parameter(users).unwrap_or_default();
            Some(Credentials { user: user.to_owned(), password: password.to_owned() })
        }
        None => request.credentials.clone(),
    }
}

/// Notes that the secret came where logs and proxies keep it, when it counts.
pub(crate) fn note_token_in_url(request: &Request, passwords: &[&str], hints: &mut Vec<Hint>) {
    let secret = |name: &str| passwords.iter().any(|p| p.eq_ignore_ascii_case(name));
    let mut in_url = request.parameters.iter().take(request.parameters_in_url);
    let counts = parameter_password(request, passwords).is_some();
    if counts && in_url.any(|p| secret(&p.0) && !p.1.is_empty()) {
        note(hints, Hint::TokenInUrl);
    }
}

/// The password among the parameters, unless the request has one where it belongs.
fn parameter_password<'a>(request: &'a Request, passwords: &[&str]) -> Option<&'a str> {
    let in_header = request.credentials.as_ref().is_some_and(|c| !c.password.is_empty());
    if in_header { None } else { request.parameter(passwords) }
}

/// The other way round: the last of the parameters with these names, or else the credentials of the
/// head, for languages that have no head in their documents.
pub(crate) fn parameters_or_header(request: &Request, passwords: &[&str]) -> Option<Credentials> {
    match request.parameter(passwords) {
        Some(password) => Some(Credentials { user: String::new(), password: password.to_owned() }),
        None => request.credentials.clone(),
    }
}

/// The half that is the secret, where either may be: tokens are longer than what people write into
/// the other field.
pub(crate) fn longer_half(credentials: &Credentials) -> Credentials {
    let Credentials { user, password } = credentials.clone();
    if user.len() > password.len() {
        return Credentials { user: password, password: user };
    }
    Credentials { user, password }
}

/// The header field that goes with 401: curl and wget send credentials only after it.
pub(crate) fn challenge() -> (&'static str, String) {
    ("WWW-Authenticate", "Basic realm=\"byname\", charset=\"UTF-8\"".to_owned())
}
