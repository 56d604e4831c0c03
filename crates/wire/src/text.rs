//! Presentation form of record data: through the `domain` crate where it knows the type, and by
//! RFC 3597 §5 for all others.

use std::fmt;

use bytes::Bytes;
use domain::base::ParsedName;
use domain::base::iana;
use domain::base::rdata::{ComposeRecordData, ParseRecordData};
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};
use octseq::Parser;

use crate::name::Name;
use crate::rdata::{Rdata, RdataError};
use crate::types::Rtype;

impl Rdata {
    /// Reads presentation form, such as `10 mail` for MX. Relative names are completed by
    /// `origin`. `\# 4 0a000001` is read for every type (RFC 3597 §5).
    pub fn parse(rtype: Rtype, text: &str, origin: &Name) -> Result<Rdata, RdataError> {
        let bad = |why: String| RdataError::Text(rtype, why);
        if text.contains(['\n', '\r', '(', ')', ';']) && !text.contains('"') {
            return Err(bad("line breaks, parentheses and comments do not belong here".into()));
        }
        let mut zonefile = Zonefile::from(format!(". 0 IN {rtype} {text}\n").as_str());
        zonefile.set_origin(their_name(origin));
        let entry = zonefile.next_entry().map_err(|error| bad(error.to_string()))?;
        let record = match entry {
            Some(Entry::Record(record)) => record,
            Some(Entry::Include { .. }) | None => return Err(bad("no data".into())),
        };
        if !matches!(zonefile.next_entry(), Ok(None)) {
            return Err(bad("more than one record".into()));
        }
        rdata_of(rtype, record.data())
    }

    /// Presentation form, without owner, TTL, class and type.
    pub fn display(&self, rtype: Rtype) -> impl fmt::Display + '_ {
        Shown { rtype, octets: self.as_wire() }
    }
}

struct Shown<'a> {
    rtype: Rtype,
    octets: &'a [u8],
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        type Data<'a> = ZoneRecordData<&'a [u8], ParsedName<&'a [u8]>>;
        let mut parser = Parser::from_ref(self.octets);
        let rtype = iana::Rtype::from_int(self.rtype.0);
        match Data::parse_rdata(rtype, &mut parser) {
            Ok(None | Some(Data::Unknown(_))) | Err(_) => self.fmt_unknown(f),
            Ok(Some(data)) => write!(f, "{}", data.display_zonefile(DisplayKind::Simple)),
        }
    }
}

impl Shown<'_> {
    fn fmt_unknown(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\\# {}", self.octets.len())?;
        if !self.octets.is_empty() {
            write!(f, " {}", data_encoding::HEXLOWER.encode(self.octets))?;
        }
        Ok(())
    }
}

/// Record data of the other crate as ours, checked against our table.
pub(crate) fn rdata_of<D: ComposeRecordData>(rtype: Rtype, data: &D) -> Result<Rdata, RdataError> {
    let mut octets = Vec::new();
    data.compose_rdata(&mut octets).map_err(|_| RdataError::Malformed(rtype))?;
    Rdata::new(rtype, &octets)
}

/// A name as the other crate has it.
pub(crate) fn their_name(name: &Name) -> domain::base::Name<Bytes> {
    let octets = Bytes::copy_from_slice(name.as_wire());
    domain::base::Name::from_octets(octets).unwrap_or_else(|_| domain::base::Name::root_bytes())
}
