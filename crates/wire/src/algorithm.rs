//! The algorithms of TSIG by their names on the wire.

/// A TSIG algorithm (RFC 8945 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TsigAlgorithm {
    /// hmac-md5.sig-alg.reg.int: for old devices, only where a key opts in.
    HmacMd5,
    /// hmac-sha1.
    HmacSha1,
    /// hmac-sha224.
    HmacSha224,
    /// hmac-sha256.
    HmacSha256,
    /// hmac-sha384.
    HmacSha384,
    /// hmac-sha512.
    HmacSha512,
}

impl TsigAlgorithm {
    /// All of them.
    pub const ALL: [TsigAlgorithm; 6] = [
        TsigAlgorithm::HmacMd5,
        TsigAlgorithm::HmacSha1,
        TsigAlgorithm::HmacSha224,
        TsigAlgorithm::HmacSha256,
        TsigAlgorithm::HmacSha384,
        TsigAlgorithm::HmacSha512,
    ];

    /// Its name in wire form, lower case.
    pub fn as_wire(self) -> &'static [u8] {
        match self {
            TsigAlgorithm::HmacMd5 => b"\x08hmac-md5\x07sig-alg\x03reg\x03int\x00",
            TsigAlgorithm::HmacSha1 => b"\x09hmac-sha1\x00",
            TsigAlgorithm::HmacSha224 => b"\x0bhmac-sha224\x00",
            TsigAlgorithm::HmacSha256 => b"\x0bhmac-sha256\x00",
            TsigAlgorithm::HmacSha384 => b"\x0bhmac-sha384\x00",
            TsigAlgorithm::HmacSha512 => b"\x0bhmac-sha512\x00",
        }
    }

    /// The algorithm with this name in wire form, in letters of either case.
    pub fn from_wire(name: &[u8]) -> Option<TsigAlgorithm> {
        // No octet of length is a letter.
        Self::ALL.into_iter().find(|algorithm| algorithm.as_wire().eq_ignore_ascii_case(name))
    }

    /// Octets of a MAC that was not truncated.
    pub fn mac_octets(self) -> usize {
        match self {
            TsigAlgorithm::HmacMd5 => 16,
            TsigAlgorithm::HmacSha1 => 20,
            TsigAlgorithm::HmacSha224 => 28,
            TsigAlgorithm::HmacSha256 => 32,
            TsigAlgorithm::HmacSha384 => 48,
            TsigAlgorithm::HmacSha512 => 64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Name;

    #[test]
    fn names_of_algorithms_are_those_of_rfc8945_6() {
        let table = [
            ("HMAC-MD5.SIG-ALG.REG.INT.", Some(TsigAlgorithm::HmacMd5)),
            ("hmac-sha1.", Some(TsigAlgorithm::HmacSha1)),
            ("hmac-sha224.", Some(TsigAlgorithm::HmacSha224)),
            ("hmac-sha256.", Some(TsigAlgorithm::HmacSha256)),
            ("hmac-SHA384.", Some(TsigAlgorithm::HmacSha384)),
            ("hmac-sha512.", Some(TsigAlgorithm::HmacSha512)),
            ("hmac-sha256-128.", None),
            ("gss-tsig.", None),
        ];
        for (text, expected) in table {
            let name = Name::parse(text).unwrap();
            assert_eq!(TsigAlgorithm::from_wire(name.as_wire()), expected, "{text}");
        }
    }
}
