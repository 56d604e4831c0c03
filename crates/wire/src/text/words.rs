//! The words of a record's data, read one after the other.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::slice;

use crate::name::Name;
use crate::rdata::RdataError;
use crate::types::Rtype;
use crate::zonefile::entry::Word;

/// What is still to be read of the data of one record.
pub(super) struct Words<'r> {
    rtype: Rtype,
    words: slice::Iter<'r, Word<'r>>,
    origin: &'r Name,
}

impl<'r> Words<'r> {
    pub(super) fn new(rtype: Rtype, words: &'r [Word<'r>], origin: &'r Name) -> Words<'r> {
        Words { rtype, words: words.iter(), origin }
    }

    /// The error that says what was expected.
    pub(super) fn bad(&self, why: &str) -> RdataError {
        RdataError::Text(self.rtype, why.into())
    }

    pub(super) fn is_done(&self) -> bool {
        self.words.len() == 0
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), RdataError> {
        if self.is_done() {
            Ok(())
        } else {
            Err(self.bad("there are more fields than the type has"))
        }
    }

    /// The next word, quoted or not.
    fn word(&mut self) -> Result<&'r Word<'r>, RdataError> {
        self.words.next().ok_or_else(|| self.bad("a field is missing"))
    }

    /// The next word, which must not be quoted.
    pub(super) fn plain(&mut self) -> Result<&'r str, RdataError> {
        let word = self.word()?;
        if word.is_quoted {
            return Err(self.bad("a field is quoted that is no text"));
        }
        word.text().ok_or_else(|| self.bad("a field is not ASCII"))
    }

    pub(super) fn number(&mut self, max: u64) -> Result<u64, RdataError> {
        let number = decimal(self.plain()?, max);
        number.ok_or_else(|| self.bad(&format!("a number up to {max} is expected")))
    }

    pub(super) fn u8(&mut self) -> Result<u8, RdataError> {
        let text = self.plain()?;
        self.u8_of(text)
    }

    pub(super) fn u16(&mut self) -> Result<u16, RdataError> {
        let text = self.plain()?;
        self.u16_of(text)
    }

    /// A word that was taken already, as a number of 8 bits.
    pub(super) fn u8_of(&self, text: &str) -> Result<u8, RdataError> {
        let number = decimal(text, u8::MAX.into()).and_then(|number| u8::try_from(number).ok());
        number.ok_or_else(|| self.bad("a number up to 255 is expected"))
    }

    /// A word that was taken already, as a number of 16 bits.
    pub(super) fn u16_of(&self, text: &str) -> Result<u16, RdataError> {
        let number = decimal(text, u16::MAX.into()).and_then(|number| u16::try_from(number).ok());
        number.ok_or_else(|| self.bad("a number up to 65535 is expected"))
    }

    pub(super) fn ipv4(&mut self) -> Result<Ipv4Addr, RdataError> {
        self.plain()?.parse().map_err(|_| self.bad("an IPv4 address is expected"))
    }

    pub(super) fn ipv6(&mut self) -> Result<Ipv6Addr, RdataError> {
        self.plain()?.parse().map_err(|_| self.bad("an IPv6 address is expected"))
    }

    /// A name; a relative one is completed, `@` is the origin.
    pub(super) fn name(&mut self) -> Result<Name, RdataError> {
        Ok(super::read_name(self.word()?, self.origin)?)
    }

    /// A character string, its length in front.
    pub(super) fn char_string(&mut self, octets: &mut Vec<u8>) -> Result<(), RdataError> {
        super::push_string(self.rtype, self.word()?, octets)
    }

    pub(super) fn rtype(&mut self) -> Result<Rtype, RdataError> {
        self.plain()?.parse().map_err(|_| self.bad("the mnemonic of a type is expected"))
    }

    /// Octets in base64: one word.
    pub(super) fn base64_word(&mut self) -> Result<Vec<u8>, RdataError> {
        let digits = self.plain()?.as_bytes();
        data_encoding::BASE64.decode(digits).map_err(|_| self.bad("base64 is expected"))
    }

    /// Octets in base64, in all words that are left, at least one.
    pub(super) fn base64(&mut self) -> Result<Vec<u8>, RdataError> {
        let digits = self.joined()?;
        data_encoding::BASE64.decode(&digits).map_err(|_| self.bad("base64 is expected"))
    }

    /// Octets in base64 as `base64` reads them, none where there is `-`.
    pub(super) fn base64_or_dash(&mut self) -> Result<Vec<u8>, RdataError> {
        match self.words.as_slice() {
            [dash] if dash.is_sign(b"-") => {
                self.words.next();
                Ok(Vec::new())
            }
            _ => self.base64(),
        }
    }

    /// Octets in hexadecimal: one word.
    pub(super) fn hex_word(&mut self) -> Result<Vec<u8>, RdataError> {
        let digits = self.plain()?.as_bytes();
        self.hex_of(digits)
    }

    /// Octets in hexadecimal, in all words that are left, at least one.
    pub(super) fn hex(&mut self) -> Result<Vec<u8>, RdataError> {
        let digits = self.joined()?;
        self.hex_of(&digits)
    }

    /// Digits that were taken already, as the octets they stand for.
    pub(super) fn hex_of(&self, digits: &[u8]) -> Result<Vec<u8>, RdataError> {
        let octets = data_encoding::HEXLOWER_PERMISSIVE.decode(digits);
        octets.map_err(|_| self.bad("hexadecimal digits are expected"))
    }

    fn joined(&mut self) -> Result<Vec<u8>, RdataError> {
        let mut all = self.plain()?.as_bytes().to_vec();
        while !self.is_done() {
            all.extend_from_slice(self.plain()?.as_bytes());
        }
        Ok(all)
    }
}

/// A decimal number without sign, at most `max`.
pub(super) fn decimal(text: &str, max: u64) -> Option<u64> {
    // `parse` alone takes `+1`.
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|&number| is_number && number <= max)
}
