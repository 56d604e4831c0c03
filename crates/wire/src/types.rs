//! Numbers of the DNS: types, classes, response codes, opcodes (IANA "DNS Parameters").

use std::fmt;
use std::str::FromStr;

/// Type of a record, or a question type (RFC 1035 §3.2.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rtype(pub u16);

/// Class of a record or question (RFC 1035 §3.2.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u16);

/// Response code: 4 bits in the header, 8 more in OPT (RFC 6891 §6.1.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rcode(pub u16);

/// Kind of a message (RFC 1035 §4.1.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opcode(pub u8);

/// A text that is not the mnemonic of a type or class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown type or class")]
pub struct TypeError;

impl Rtype {
    /// Whether this is not the type of a record that a zone can hold (RFC 6895 §3.1: 0, 41 (OPT),
    /// and the question and meta types 128 to 255).
    pub fn is_meta(self) -> bool {
        matches!(self.0, 0 | 41 | 128..=255 | 65535)
    }
}

impl Rcode {
    /// The four bits of the header.
    pub fn header_bits(self) -> u8 {
        (self.0 & 0x0f) as u8
    }

    /// The eight bits of OPT.
    pub fn extended_bits(self) -> u8 {
        (self.0 >> 4) as u8
    }
}

/// Constants, mnemonics and their reading and writing for one kind of number.
macro_rules! numbers {
    ($kind:ident, $prefix:literal, $(($name:ident, $text:literal, $value:literal)),+ $(,)?) => {
        impl $kind {
            $(
                #[doc = concat!("`", $text, "` (", stringify!($value), ").")]
                pub const $name: $kind = $kind($value);
            )+

            fn mnemonic(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.mnemonic() {
                    Some(text) => f.write_str(text),
                    // RFC 3597 §5 for types and classes; the same manner for the others.
                    None => write!(f, concat!($prefix, "{}"), self.0),
                }
            }
        }

        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $kind {
            type Err = TypeError;

            fn from_str(text: &str) -> Result<$kind, TypeError> {
                $(
                    if text.eq_ignore_ascii_case($text) {
                        return Ok($kind($value));
                    }
                )+
                let (prefix, number) = text.split_at_checked($prefix.len()).ok_or(TypeError)?;
                if !prefix.eq_ignore_ascii_case($prefix) || !number.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(TypeError);
                }
                number.parse().map($kind).map_err(|_| TypeError)
            }
        }
    };
}

numbers!(
    Rtype,
    "TYPE",
    (A, "A", 1),
    (NS, "NS", 2),
    (MD, "MD", 3),
    (MF, "MF", 4),
    (CNAME, "CNAME", 5),
    (SOA, "SOA", 6),
    (MB, "MB", 7),
    (MG, "MG", 8),
    (MR, "MR", 9),
    (NULL, "NULL", 10),
    (WKS, "WKS", 11),
    (PTR, "PTR", 12),
    (HINFO, "HINFO", 13),
    (MINFO, "MINFO", 14),
    (MX, "MX", 15),
    (TXT, "TXT", 16),
    (RP, "RP", 17),
    (AFSDB, "AFSDB", 18),
    (X25, "X25", 19),
    (ISDN, "ISDN", 20),
    (RT, "RT", 21),
    (NSAP, "NSAP", 22),
    (NSAP_PTR, "NSAP-PTR", 23),
    (SIG, "SIG", 24),
    (KEY, "KEY", 25),
    (PX, "PX", 26),
    (GPOS, "GPOS", 27),
    (AAAA, "AAAA", 28),
    (LOC, "LOC", 29),
    (NXT, "NXT", 30),
    (EID, "EID", 31),
    (NIMLOC, "NIMLOC", 32),
    (SRV, "SRV", 33),
    (ATMA, "ATMA", 34),
    (NAPTR, "NAPTR", 35),
    (KX, "KX", 36),
    (CERT, "CERT", 37),
    (A6, "A6", 38),
    (DNAME, "DNAME", 39),
    (SINK, "SINK", 40),
    (OPT, "OPT", 41),
    (APL, "APL", 42),
    (DS, "DS", 43),
    (SSHFP, "SSHFP", 44),
    (IPSECKEY, "IPSECKEY", 45),
    (RRSIG, "RRSIG", 46),
    (NSEC, "NSEC", 47),
    (DNSKEY, "DNSKEY", 48),
    (DHCID, "DHCID", 49),
    (NSEC3, "NSEC3", 50),
    (NSEC3PARAM, "NSEC3PARAM", 51),
    (TLSA, "TLSA", 52),
    (SMIMEA, "SMIMEA", 53),
    (HIP, "HIP", 55),
    (NINFO, "NINFO", 56),
    (RKEY, "RKEY", 57),
    (TALINK, "TALINK", 58),
    (CDS, "CDS", 59),
    (CDNSKEY, "CDNSKEY", 60),
    (OPENPGPKEY, "OPENPGPKEY", 61),
    (CSYNC, "CSYNC", 62),
    (ZONEMD, "ZONEMD", 63),
    (SVCB, "SVCB", 64),
    (HTTPS, "HTTPS", 65),
    (DSYNC, "DSYNC", 66),
    (HHIT, "HHIT", 67),
    (BRID, "BRID", 68),
    (SPF, "SPF", 99),
    (NID, "NID", 104),
    (L32, "L32", 105),
    (L64, "L64", 106),
    (LP, "LP", 107),
    (EUI48, "EUI48", 108),
    (EUI64, "EUI64", 109),
    (NXNAME, "NXNAME", 128),
    (TKEY, "TKEY", 249),
    (TSIG, "TSIG", 250),
    (IXFR, "IXFR", 251),
    (AXFR, "AXFR", 252),
    (MAILB, "MAILB", 253),
    (MAILA, "MAILA", 254),
    (ANY, "ANY", 255),
    (URI, "URI", 256),
    (CAA, "CAA", 257),
    (AVC, "AVC", 258),
    (DOA, "DOA", 259),
    (AMTRELAY, "AMTRELAY", 260),
    (RESINFO, "RESINFO", 261),
    (WALLET, "WALLET", 262),
    (CLA, "CLA", 263),
    (IPN, "IPN", 264),
    (TA, "TA", 32768),
    (DLV, "DLV", 32769),
);

numbers!(
    Class,
    "CLASS",
    (IN, "IN", 1),
    (CH, "CH", 3),
    (HS, "HS", 4),
    (NONE, "NONE", 254),
    (ANY, "ANY", 255),
);

numbers!(
    Rcode,
    "RCODE",
    (NOERROR, "NOERROR", 0),
    (FORMERR, "FORMERR", 1),
    (SERVFAIL, "SERVFAIL", 2),
    (NXDOMAIN, "NXDOMAIN", 3),
    (NOTIMP, "NOTIMP", 4),
    (REFUSED, "REFUSED", 5),
    (YXDOMAIN, "YXDOMAIN", 6),
    (YXRRSET, "YXRRSET", 7),
    (NXRRSET, "NXRRSET", 8),
    (NOTAUTH, "NOTAUTH", 9),
    (NOTZONE, "NOTZONE", 10),
    (BADVERS, "BADVERS", 16),
    (BADKEY, "BADKEY", 17),
    (BADTIME, "BADTIME", 18),
    (BADMODE, "BADMODE", 19),
    (BADNAME, "BADNAME", 20),
    (BADALG, "BADALG", 21),
    (BADTRUNC, "BADTRUNC", 22),
    (BADCOOKIE, "BADCOOKIE", 23),
);

numbers!(
    Opcode,
    "OPCODE",
    (QUERY, "QUERY", 0),
    (IQUERY, "IQUERY", 1),
    (STATUS, "STATUS", 2),
    (NOTIFY, "NOTIFY", 4),
    (UPDATE, "UPDATE", 5),
    (DSO, "DSO", 6),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3597_5_unknown_types_and_classes() {
        for (text, number) in [("A", 1), ("aaaa", 28), ("TYPE1", 1), ("type65280", 65280)] {
            assert_eq!(text.parse(), Ok(Rtype(number)), "{text}");
        }
        for text in ["", "TYPE", "TYPE-1", "TYPE+1", "TYPE65536", "TYPEX", "B"] {
            assert_eq!(text.parse::<Rtype>(), Err(TypeError), "{text}");
        }
        assert_eq!(Rtype(65280).to_string(), "TYPE65280");
        assert_eq!(Rtype::HTTPS.to_string(), "HTTPS");
        assert_eq!("CLASS32".parse(), Ok(Class(32)));
        assert_eq!(Class(32).to_string(), "CLASS32");
    }

    #[test]
    fn rfc6891_6_1_3_extended_rcode_bits() {
        assert_eq!((Rcode::BADVERS.header_bits(), Rcode::BADVERS.extended_bits()), (0, 1));
        assert_eq!((Rcode::BADCOOKIE.header_bits(), Rcode::BADCOOKIE.extended_bits()), (7, 1));
    }
}
