//! EDNS(0): what the OPT pseudo-record carries (RFC 6891).

/// The OPT record of a message that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns<'a> {
    /// Largest UDP payload that the sender takes, in octets; values below 512 count as 512.
    pub udp_size: u16,
    /// Upper eight bits of the response code.
    pub extended_rcode: u8,
    /// Version; only 0 exists.
    pub version: u8,
    /// DNSSEC records are wanted (RFC 3225).
    pub do_bit: bool,
    /// The options, checked to be well-formed in version 0.
    options: &'a [u8],
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdnsOption<'a> {
    /// Its code (IANA "DNS EDNS0 Option Codes").
    pub code: u16,
    /// Its data.
    pub data: &'a [u8],
}

/// An extended error (RFC 8914) for a response: code, and a text for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ede {
    /// Its code (RFC 8914 §4).
    pub code: u16,
    /// Why, in words; may be empty.
    pub text: &'static str,
}

/// How long records that an UPDATE adds shall live (RFC 9664 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateLease {
    /// So many seconds.
    pub lease_s: u32,
    /// KEY records so many seconds; `None`: as long as the others.
    pub key_lease_s: Option<u32>,
}

impl UpdateLease {
    /// The code of the option.
    pub const CODE: u16 = 2;

    /// Reads the data of the option; `None`: it is malformed.
    pub fn read(data: &[u8]) -> Option<UpdateLease> {
        let (lease, rest) = data.split_first_chunk::<4>()?;
        let key_lease_s = match rest {
            [] => None,
            &[a, b, c, d] => Some(u32::from_be_bytes([a, b, c, d])),
            _ => return None,
        };
        Some(UpdateLease { lease_s: u32::from_be_bytes(*lease), key_lease_s })
    }

    /// The option as it stands in OPT: code, length and data; its first octets, as many as the
    /// second value says.
    pub fn to_wire(self) -> ([u8; 12], usize) {
        let mut octets = [0; 12];
        let len = if self.key_lease_s.is_some() { 12 } else { 8 };
        let fields = [u32::from(Self::CODE) << 16 | (len - 4), self.lease_s];
        let fields = fields.into_iter().chain(self.key_lease_s);
        for (place, field) in octets.as_chunks_mut::<4>().0.iter_mut().zip(fields) {
            *place = field.to_be_bytes();
        }
        (octets, len as usize)
    }
}

impl<'a> Edns<'a> {
    /// Reads OPT from its class, TTL and data fields; `None` when the options are malformed.
    /// Of other versions than 0 nothing is known but that number (§6.1.3).
    pub fn from_fields(class: u16, ttl: u32, options: &'a [u8]) -> Option<Edns<'a>> {
        let [extended_rcode, version, flags, _] = ttl.to_be_bytes();
        let mut rest = options;
        while version == 0 && !rest.is_empty() {
            (_, rest) = split_option(rest)?;
        }
        Some(Edns {
            udp_size: class.max(MIN_UDP_SIZE),
            extended_rcode,
            version,
            do_bit: flags & 0x80 != 0,
            options,
        })
    }

    /// The options, in order.
    pub fn options(&self) -> impl Iterator<Item = EdnsOption<'a>> + use<'a> {
        let mut rest = self.options;
        std::iter::from_fn(move || {
            let (option, after) = split_option(rest)?;
            rest = after;
            Some(option)
        })
    }
}

fn split_option(octets: &[u8]) -> Option<(EdnsOption<'_>, &[u8])> {
    let (&[c0, c1, l0, l1], rest) = octets.split_first_chunk::<4>()?;
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    let (data, rest) = rest.split_at_checked(len)?;
    Some((EdnsOption { code: u16::from_be_bytes([c0, c1]), data }, rest))
}

/// RFC 6891 §6.2.3: smaller values count as this.
const MIN_UDP_SIZE: u16 = 512;
