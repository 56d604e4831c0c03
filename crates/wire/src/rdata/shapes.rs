//! Parts of record data whose shape depends on their own octets. Each function skips one such
//! part: what is left after it, or `None` when the octets do not have the shape.

use crate::name::wire_len;

/// Service parameters up to the end, in ascending order of their keys (RFC 9460 §2.2).
pub(super) fn svc_params(octets: &[u8]) -> Option<&[u8]> {
    let mut rest = octets;
    let mut last = None;
    while let Some((head, after)) = rest.split_first_chunk::<4>() {
        let &[k0, k1, l0, l1] = head;
        let key = u16::from_be_bytes([k0, k1]);
        if last.is_some_and(|last| last >= key) {
            return None;
        }
        last = Some(key);
        rest = after.get(usize::from(u16::from_be_bytes([l0, l1]))..)?;
    }
    rest.is_empty().then_some(rest)
}

/// Bits of types up to the end, in windows (RFC 4034 §4.1.2): these ascend, have 1 to 32 octets
/// each, and the last octet of each has a bit.
pub(super) fn types(octets: &[u8]) -> Option<&[u8]> {
    let mut rest = octets;
    let mut last = None;
    while let Some((&[window, len], after)) = rest.split_first_chunk::<2>() {
        let (bits, after) = after.split_at_checked(usize::from(len))?;
        let is_empty = bits.last().is_none_or(|&octet| octet == 0);
        if is_empty || len > 32 || last.is_some_and(|last| last >= window) {
            return None;
        }
        last = Some(window);
        rest = after;
    }
    rest.is_empty().then_some(rest)
}

/// A place on the Earth. Only version 0 has a known form; nothing may be assumed about that of
/// others (RFC 1876 §2).
pub(super) fn place(octets: &[u8]) -> Option<&[u8]> {
    match octets.split_first()? {
        (0, rest) => rest.get(15..),
        _ => Some(&[]),
    }
}

/// Address prefixes up to the end (RFC 3123 §4). Of the families that are known, the address part
/// and the prefix are no longer than an address, and no zeros end the part.
pub(super) fn prefixes(octets: &[u8]) -> Option<&[u8]> {
    let mut rest = octets;
    while let Some((&[f0, f1, prefix, len], after)) = rest.split_first_chunk::<4>() {
        let len = usize::from(len & 0x7f);
        let (part, after) = after.split_at_checked(len)?;
        let len_max = match u16::from_be_bytes([f0, f1]) {
            1 => Some(4),
            2 => Some(16),
            _ => None,
        };
        let is_wrong =
            |len_max| len > len_max || usize::from(prefix) > 8 * len_max || part.last() == Some(&0);
        if len_max.is_some_and(is_wrong) {
            return None;
        }
        rest = after;
    }
    rest.is_empty().then_some(rest)
}

/// Precedence, kind of gateway, algorithm, gateway (RFC 4025 §2.1).
pub(super) fn ipseckey(octets: &[u8]) -> Option<&[u8]> {
    let (&[_, kind, _], rest) = octets.split_first_chunk::<3>()?;
    gateway(kind, rest)
}

/// Precedence, discovery bit and kind of relay, relay (RFC 8777 §4.2).
pub(super) fn amtrelay(octets: &[u8]) -> Option<&[u8]> {
    let (&[_, kind], rest) = octets.split_first_chunk::<2>()?;
    gateway(kind & 0x7f, rest)
}

/// A gateway of a kind that is not known goes up to the end.
fn gateway(kind: u8, octets: &[u8]) -> Option<&[u8]> {
    match kind {
        0 => Some(octets),
        1 => octets.get(4..),
        2 => octets.get(16..),
        3 => octets.get(wire_len(octets)?..),
        _ => Some(&[]),
    }
}

/// Lengths, algorithm, HIT and key, both not empty, and names up to the end (RFC 8005 §5).
pub(super) fn hip(octets: &[u8]) -> Option<&[u8]> {
    let (&[hit_len, _, k0, k1], rest) = octets.split_first_chunk::<4>()?;
    let key_len = u16::from_be_bytes([k0, k1]);
    if hit_len == 0 || key_len == 0 {
        return None;
    }
    let mut rest = rest.get(usize::from(hit_len) + usize::from(key_len)..)?;
    while !rest.is_empty() {
        rest = rest.get(wire_len(rest)?..)?;
    }
    Some(rest)
}

/// Length of a prefix and the suffix that it leaves (RFC 2874 §3.1). The name of the prefix
/// follows, unless the prefix has no length.
pub(super) fn a6_suffix(octets: &[u8]) -> Option<&[u8]> {
    let (&prefix_len, rest) = octets.split_first()?;
    let suffix_bits = 128_u8.checked_sub(prefix_len)?;
    let name = rest.get(usize::from(suffix_bits).div_ceil(8)..)?;
    (name.is_empty() == (prefix_len == 0)).then_some(name)
}
