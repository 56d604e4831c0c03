//! Addresses as devices write them, and what a request says about each family.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::ask::{Prefix, Wanted};
use crate::hint::note;
use crate::{Code, Hint};

/// Addresses in one request.
const ADDRESSES_MAX: usize = 16;

/// What a request says about addresses: for either family, for IPv4, for IPv6. `None` where it
/// has no such parameter.
pub(crate) struct Mention {
    either: Option<Value>,
    ipv4: Option<Value>,
    ipv6: Option<Value>,
}

/// What one group of parameters says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// Empty, or a placeholder that the device did not fill in.
    Unset,
    Source,
    Preserve,
    Delete,
    Addresses(Vec<IpAddr>),
}

impl Mention {
    /// Reads the values of the three groups of parameters; of each the last that is set counts.
    pub(crate) fn parse(
        either: &[&str],
        ipv4: &[&str],
        ipv6: &[&str],
        hints: &mut Vec<Hint>,
    ) -> Result<Mention, Code> {
        let mention = Mention {
            either: last_set(either, hints)?,
            ipv4: last_set(ipv4, hints)?,
            ipv6: last_set(ipv6, hints)?,
        };
        let wrong = |value: &Option<Value>, is_wrong: fn(&IpAddr) -> bool| matches!(value, Some(Value::Addresses(list)) if list.iter().any(is_wrong));
        if wrong(&mention.ipv4, IpAddr::is_ipv6) || wrong(&mention.ipv6, IpAddr::is_ipv4) {
            note(hints, Hint::OtherFamily);
            return Err(Code::Dnserr);
        }
        Ok(mention)
    }

    /// Whether no parameter for addresses was there at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.either.is_none() && self.ipv4.is_none() && self.ipv6.is_none()
    }

    /// What is wanted of IPv4.
    pub(crate) fn ipv4(&self) -> Wanted<Ipv4Addr> {
        self.wanted(self.ipv4.as_ref(), self.ipv6.as_ref(), |address| match address {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        })
    }

    /// What is wanted of IPv6.
    pub(crate) fn ipv6(&self) -> Wanted<Ipv6Addr> {
        self.wanted(self.ipv6.as_ref(), self.ipv4.as_ref(), |address| match address {
            IpAddr::V6(v6) => Some(v6),
            IpAddr::V4(_) => None,
        })
    }

    /// A parameter of the family's own decides, then one for either family. A family that no
    /// parameter mentions is preserved, except that a request without any takes the source.
    fn wanted<A>(
        &self,
        own: Option<&Value>,
        other: Option<&Value>,
        pick: fn(IpAddr) -> Option<A>,
    ) -> Wanted<A> {
        let decided = match own {
            Some(Value::Unset) | None => self.either.as_ref(),
            set => set,
        };
        let unset = match (own, &self.either, other) {
            // Empty, or nothing mentioned at all.
            (Some(_), _, _) | (None, Some(Value::Unset), _) | (None, None, None) => Wanted::Source,
            (None, ..) => Wanted::Preserve,
        };
        match decided {
            Some(Value::Unset) | None => unset,
            Some(Value::Source) => Wanted::Source,
            Some(Value::Preserve) => Wanted::Preserve,
            Some(Value::Delete) => Wanted::Delete,
            Some(Value::Addresses(list)) => {
                let family: Vec<A> = list.iter().copied().filter_map(pick).collect();
                if family.is_empty() { unset } else { Wanted::Addresses(family) }
            }
        }
    }
}

/// Whether a value is what a device was to replace: `<ipaddr>`, `[IP]`, `{ip}`, `${ip}`,
/// `__MYIP__`, `%IP%`, `%i`, or a lone `%` of which the device has eaten the rest.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let is_word = |word: &str| {
        (1..=32).contains(&word.len())
            && word.bytes().all(|o| o.is_ascii_alphanumeric() || matches!(o, b'_' | b'-'))
    };
    let between = |open: &str, close: &str| {
        value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(is_word)
    };
    PLACEHOLDERS.iter().any(|(open, close)| between(open, close)) || value == "%"
}

/// Reads the values of the parameters for a prefix, of which the last that is set counts; `None`
/// when none is.
pub(crate) fn prefix(
    values: &[&str],
    hints: &mut Vec<Hint>,
) -> Result<Option<Wanted<Prefix>>, Code> {
    let mut last = None;
    for value in values.iter().filter(|value| !value.is_empty()) {
        let is = |word: &str| value.eq_ignore_ascii_case(word);
        if is_placeholder(value) {
            note(hints, Hint::AddressPlaceholder);
        } else if is("auto") {
            last = Some(Wanted::Source);
        } else if is("preserve") {
            last = Some(Wanted::Preserve);
        } else if is("-") || is("delete") {
            last = Some(Wanted::Delete);
        } else {
            let Some(prefix) = one_prefix(value) else {
                note(hints, Hint::NotAPrefix);
                return Err(Code::Dnserr);
            };
            last = Some(Wanted::Addresses(vec![prefix]));
        }
    }
    Ok(last)
}

/// `2001:db8:1::/64`, perhaps with bits of a host, which are cleared.
fn one_prefix(text: &str) -> Option<Prefix> {
    let (address, length) = text.split_once('/')?;
    let address: Ipv6Addr = address.parse().ok()?;
    let length = self::length(length, 128).filter(|length| *length > 0)?;
    let mask = u128::MAX << (128 - u32::from(length));
    Some(Prefix { address: Ipv6Addr::from_bits(address.to_bits() & mask), length })
}

/// The last value that says something; `Unset` when there are only empty ones.
fn last_set(values: &[&str], hints: &mut Vec<Hint>) -> Result<Option<Value>, Code> {
    let mut last = None;
    for value in values {
        match self::value(value, hints)? {
            Value::Unset => last = last.or(Some(Value::Unset)),
            set => last = Some(set),
        }
    }
    Ok(last)
}

fn value(text: &str, hints: &mut Vec<Hint>) -> Result<Value, Code> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("auto") || is("self") {
        return Ok(Value::Source);
    }
    if is("preserve") {
        return Ok(Value::Preserve);
    }
    if is("-") || is("delete") {
        return Ok(Value::Delete);
    }
    if is_placeholder(text) {
        note(hints, Hint::AddressPlaceholder);
        return Ok(Value::Unset);
    }
    let mut addresses = Vec::new();
    let mut link_local = false;
    for part in text.split([',', ' ', ';']).filter(|part| !part.is_empty()) {
        // Each one is compared with all before it: a list that is too long is not read to its end.
        if addresses.len() > ADDRESSES_MAX {
            break;
        }
        if is_placeholder(part) {
            note(hints, Hint::AddressPlaceholder);
            continue;
        }
        match address(part, hints)? {
            None => link_local = true,
            Some(address) if addresses.contains(&address) => {}
            Some(address) => addresses.push(address),
        }
    }
    if addresses.len() > ADDRESSES_MAX {
        note(hints, Hint::TooManyAddresses);
        return Err(Code::Dnserr);
    }
    match (addresses.is_empty(), link_local) {
        (false, _) => Ok(Value::Addresses(addresses)),
        // Something was sent, and it was no address for others: not the same as nothing.
        (true, true) => Err(Code::Dnserr),
        (true, false) => Ok(Value::Unset),
    }
}

/// One address without what devices put around it; `None` for a link-local address with its zone,
/// which is left out.
fn address(sent: &str, hints: &mut Vec<Hint>) -> Result<Option<IpAddr>, Code> {
    let mut text = sent;
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        note(hints, Hint::BracketsStripped);
        text = inner;
    }
    let (text, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let (text, zone) = match text.split_once('%') {
        Some((address, zone)) if !zone.is_empty() => (address, true),
        Some(_) => return garbage(Hint::NotAnAddress, hints),
        None => (text, false),
    };
    let Ok(address) = text.parse::<IpAddr>() else {
        return garbage(Hint::NotAnAddress, hints);
    };
    if let Some(length) = length {
        let Some(is_prefix) = is_prefix(address, length) else {
            return garbage(Hint::NotAnAddress, hints);
        };
        if is_prefix {
            return garbage(Hint::BarePrefix, hints);
        }
        note(hints, Hint::PrefixLengthStripped);
    }
    let IpAddr::V6(v6) = address else {
        // IPv4 has no zones.
        return if zone { garbage(Hint::NotAnAddress, hints) } else { Ok(Some(address)) };
    };
    if zone {
        note(hints, Hint::ZoneStripped);
        if v6.is_unicast_link_local() {
            note(hints, Hint::LinkLocal);
            return Ok(None);
        }
    }
    match v6.to_ipv4_mapped() {
        Some(v4) => {
            note(hints, Hint::MappedAddress);
            Ok(Some(IpAddr::V4(v4)))
        }
        None => Ok(Some(address)),
    }
}

fn garbage(hint: Hint, hints: &mut Vec<Hint>) -> Result<Option<IpAddr>, Code> {
    note(hints, hint);
    Err(Code::Dnserr)
}

/// Whether an address with this prefix length has no bit of a host; `None` if it is no length.
fn is_prefix(address: IpAddr, length: &str) -> Option<bool> {
    let (bits, width) = match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let length = self::length(length, width)?;
    Some(length != width && bits << length == 0)
}

/// The number after the slash of a prefix.
fn length(text: &str, width: u8) -> Option<u8> {
    let length: u8 = text.bytes().all(|o| o.is_ascii_digit()).then(|| text.parse().ok())??;
    (length <= width).then_some(length)
}

const PLACEHOLDERS: [(&str, &str); 9] = [
    ("<", ">"),
    ("[", "]"),
    ("{", "}"),
    ("{{", "}}"),
    ("${", "}"),
    ("__", "__"),
    ("%", "%"),
    ("%", ""),
    ("$", ""),
];
