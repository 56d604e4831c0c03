//! A token that cannot be printed by accident.

use std::fmt;

/// The password of a host at its service.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token as it stands in a file or variable: surrounding white space, such as the line
    /// end of a file, is not part of it.
    ///
    /// # Errors
    /// A reason, without the token, when it is empty or has control characters within.
    pub fn parse(text: &str) -> Result<Token, &'static str> {
        match text.trim() {
            "" => Err("the token is empty"),
            token if token.chars().any(char::is_control) => {
                Err("the token has control characters in it")
            }
            token if token.len() > TOKEN_OCTETS_MAX => Err("the token is too long"),
            token => Ok(Token(token.to_owned())),
        }
    }

    /// The token itself, for the one place that sends it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// Longer than any token of any service, and short enough for every server's limit on a header.
const TOKEN_OCTETS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_shows_itself() {
        let token = Token::parse(" byn_secret\n").unwrap();
        assert_eq!(token.reveal(), "byn_secret");
        assert_eq!(format!("{token:?}"), "Token(hidden)");
    }

    #[test]
    fn a_token_that_would_break_a_header_is_refused() {
        for text in ["", " \n", "a\r\nb", &"x".repeat(TOKEN_OCTETS_MAX + 1)] {
            assert!(Token::parse(text).is_err(), "{text:?}");
        }
    }
}
