//! Answering a query from one zone: the ladder of RFC 1034 §4.3.2.

use wire::{Full, Name, QName, Query, Rcode, Rdata, Rtype, Section, Writer, target_octets};

use crate::index::State;
use crate::index::image::Image;
use crate::index::key::relative_to;
use crate::index::set::Set;
use crate::zone::Zone;

impl Zone {
    /// Composes the answer to a query whose name lies in this zone.
    ///
    /// All of it comes from one state of the zone. What does not fit into the message is cut at
    /// whole RRsets and marked as truncated, and so is a referral without the glue that it needs
    /// (RFC 9471 §3.1); other additional records are left out without a mark.
    pub fn answer(&self, query: &Query<'_>, response: &mut Writer<'_>) {
        let mark = response.mark();
        loop {
            response.set_aa(true);
            response.set_rcode(Rcode::NOERROR);
            let state = self.index.read();
            let has_cuts = state.facts().cuts > 0;
            let ladder = Ladder { zone: self, state: &state, has_cuts, qtype: query.qtype };
            let complete = ladder.resolve(query.qname, response);
            // What was composed of two states is forgotten.
            if state.check().is_ok() {
                if complete == Err(Full) {
                    response.set_tc();
                }
                return;
            }
            response.rewind(mark);
        }
    }
}

/// One query on its way through one state of a zone.
struct Ladder<'a> {
    zone: &'a Zone,
    state: &'a State<'a>,
    /// Whether there is any delegation or DNAME.
    has_cuts: bool,
    qtype: Rtype,
}

/// Where the ladder leads after one name: when a CNAME was answered, to its target.
type Next = Option<QName>;

/// What stands on the way down from the apex to a name; names are relative to the apex.
enum Way<'a, 'n> {
    /// A delegation, at the name or above it.
    Cut(&'n [u8], Set),
    /// A DNAME above the name.
    Dname(&'n [u8], Set),
    /// The name itself.
    Here(Image<'a>),
    /// The name does not exist; this one above it is the last that does.
    Missing(&'n [u8], Option<Image<'a>>),
}

/// What a chain has answered already; nothing is allocated while there is no DNAME.
#[derive(Default)]
struct Walked {
    /// Hashes of names that were looked up.
    names: Seen<CHAIN_MAX>,
    /// Owners of DNAMEs in the answer.
    dnames: Vec<Name>,
}

/// Names that were met before, by their hashes. The hash is keyed and has 64 bits: that two names
/// share one is not to be expected, and nobody can bring it about.
struct Seen<const MOST: usize> {
    hashes: [u64; MOST],
    count: usize,
}

impl<'a> Ladder<'a> {
    /// Follows a chain of names; each step answers one. A chain that comes back to a name ends
    /// there: all its records stand in the answer already.
    fn resolve(&self, qname: QName, response: &mut Writer<'_>) -> Result<(), Full> {
        let mut qname = qname;
        let mut walked = Walked::default();
        while walked.names.count < CHAIN_MAX {
            let Some(target) = self.step(&qname, &mut walked, response)? else { break };
            walked.names.add(self.hash(&qname));
            // Out of the zone the resolver goes on.
            if !self.is_inside(&target) || walked.names.has(self.hash(&target)) {
                break;
            }
            qname = target;
        }
        Ok(())
    }

    fn step(
        &self,
        qname: &QName,
        walked: &mut Walked,
        response: &mut Writer<'_>,
    ) -> Result<Next, Full> {
        let owner = qname.folded();
        let relative = self.zone.relative(owner);
        match self.descend(relative) {
            Way::Cut(cut, ns) => self.refer(self.absolute(owner, cut), &ns, response),
            Way::Dname(above, dname) => {
                let from = self.absolute(owner, above);
                self.push_dname(from, &dname, &mut walked.dnames, response)?;
                self.substitute(owner, from, &dname, response)
            }
            Way::Here(node) => self.matched(owner, node, &mut walked.dnames, response),
            Way::Missing(encloser, node) => match self.wildcard(encloser, node) {
                Some(node) => self.matched(owner, node, &mut walked.dnames, response),
                None => {
                    response.set_rcode(Rcode::NXDOMAIN);
                    self.negative(response)?;
                    Ok(None)
                }
            },
        }
    }

    /// The way down from the apex: delegations (step 3b), DNAMEs (RFC 6672 §3.2), and how far the
    /// names exist. It ends where they end, so a name costs no more than its closest encloser.
    fn descend<'n>(&self, relative: &'n [u8]) -> Way<'a, 'n> {
        // While there is neither, nothing above the name matters.
        if !self.has_cuts
            && let Some(node) = self.state.node(relative)
        {
            return Way::Here(node);
        }
        let mut encloser = (relative.get(relative.len()..).unwrap_or_default(), None);
        for name in top_down(relative) {
            let is_last = name.len() == relative.len();
            let known_missing = is_last && !self.has_cuts;
            let found = if known_missing { None } else { self.state.node(name) };
            let Some(node) = found else { break };
            if let Some(ns) = self.cut(name, node)
                && !(is_last && self.qtype == Rtype::DS)
            {
                return Way::Cut(name, ns);
            }
            if is_last {
                return Way::Here(node);
            }
            if self.has_cuts
                && let Some(dname) = node.set(Rtype::DNAME)
            {
                return Way::Dname(name, dname);
            }
            encloser = (name, Some(node));
        }
        let (name, node) = encloser;
        Way::Missing(name, node)
    }

    /// The NS RRset of a delegation.
    fn cut(&self, name: &[u8], node: Image<'_>) -> Option<Set> {
        if self.has_cuts && !name.is_empty() { node.set(Rtype::NS) } else { None }
    }

    /// A node exists: its CNAME, its RRset, or nothing of the type (step 3a).
    fn matched(
        &self,
        owner: &[u8],
        node: Image<'_>,
        dnames: &mut Vec<Name>,
        response: &mut Writer<'_>,
    ) -> Result<Next, Full> {
        if self.qtype == Rtype::ANY {
            // RFC 8482 §4.1: one RRset is enough of an answer.
            match node.sets().first() {
                Some(set) => push_set(Section::Answer, owner, set, response)?,
                None => self.negative(response)?,
            }
            return Ok(None);
        }
        if let Some(set) = node.set(self.qtype) {
            // A chain may end at the DNAME that it came through.
            if self.qtype == Rtype::DNAME {
                self.push_dname(owner, &set, dnames, response)?;
                return Ok(None);
            }
            push_set(Section::Answer, owner, &set, response)?;
            self.add_targets(&set, response);
            return Ok(None);
        }
        let follows = !stands_beside_cname(self.qtype);
        let Some(cname) = node.set(Rtype::CNAME).filter(|_| follows) else {
            self.negative(response)?;
            return Ok(None);
        };
        push_set(Section::Answer, owner, &cname, response)?;
        Ok(targets(&cname).next())
    }

    /// The wildcard below a closest encloser, which covers what does not exist there
    /// (RFC 4592 §3.3.1).
    fn wildcard(&self, encloser: &[u8], node: Option<Image<'_>>) -> Option<Image<'a>> {
        if !node?.has_wildcard() {
            return None;
        }
        let mut source = [0; 255];
        let len = 2 + encloser.len();
        source.get_mut(..2)?.copy_from_slice(b"\x01*");
        source.get_mut(2..len)?.copy_from_slice(encloser);
        self.state.node(source.get(..len)?)
    }

    /// No such name or no such type: the SOA tells for how long (RFC 2308 §3).
    fn negative(&self, response: &mut Writer<'_>) -> Result<(), Full> {
        let soa = self.state.node(&[]).and_then(|apex| apex.set(Rtype::SOA));
        let Some(soa) = soa else { return Ok(()) };
        let Some(data) = soa.records().next() else { return Ok(()) };
        // RFC 1035 §3.3.13: MINIMUM is the last field.
        let minimum_s = data.last_chunk().map_or(soa.ttl_s, |field| u32::from_be_bytes(*field));
        let key = (Rtype::SOA, soa.ttl_s.min(minimum_s));
        response.push_wire(Section::Authority, self.zone.apex().as_wire(), key, data)
    }

    /// A referral: the NS RRset of the cut, and addresses of its servers that lie below it, without
    /// which nobody finds them (RFC 9471 §3.1); others when there is room.
    fn refer(&self, cut: &[u8], ns: &Set, response: &mut Writer<'_>) -> Result<Next, Full> {
        if response.count(Section::Answer) == 0 {
            response.set_aa(false);
        }
        push_set(Section::Authority, cut, ns, response)?;
        let is_below = |target: &QName| relative_to(target.folded(), cut).is_some();
        for target in targets(ns).filter(|target| is_below(target)) {
            self.push_addresses(&target, response)?;
        }
        for target in targets(ns).filter(|target| !is_below(target)) {
            if self.push_addresses(&target, response).is_err() {
                break;
            }
        }
        Ok(None)
    }

    /// A DNAME that the chain meets again is not sent again.
    fn push_dname(
        &self,
        from: &[u8],
        dname: &Set,
        dnames: &mut Vec<Name>,
        response: &mut Writer<'_>,
    ) -> Result<(), Full> {
        let name = Name::from_wire(from).unwrap_or_else(|_| self.zone.apex().clone());
        if dnames.contains(&name) {
            return Ok(());
        }
        dnames.push(name);
        push_set(Section::Answer, from, dname, response)
    }

    /// The CNAME that a DNAME means for this name (RFC 6672 §3.1, §3.2).
    fn substitute(
        &self,
        owner: &[u8],
        from: &[u8],
        dname: &Set,
        response: &mut Writer<'_>,
    ) -> Result<Next, Full> {
        let to = dname.records().next().and_then(|data| Name::from_wire(data).ok());
        let (Some(to), Ok(name), Ok(from)) = (to, Name::from_wire(owner), Name::from_wire(from))
        else {
            return Ok(None);
        };
        let Ok(target) = name.rebase(&from, &to) else {
            response.set_rcode(Rcode::YXDOMAIN);
            return Ok(None);
        };
        let rdata = Rdata::name(&target);
        response.push(Section::Answer, owner, (Rtype::CNAME, dname.ttl_s), &rdata)?;
        if matches!(self.qtype, Rtype::CNAME | Rtype::ANY) {
            return Ok(None);
        }
        Ok(Some(QName::of(&target)))
    }

    /// Addresses of the names that an answer leads to, as far as they fit. Several records may
    /// lead to one name; glue is given for name servers only, who cannot be found without it.
    fn add_targets(&self, set: &Set, response: &mut Writer<'_>) {
        if !matches!(set.rtype, Rtype::NS | Rtype::MX | Rtype::SRV) {
            return;
        }
        let mut given = Seen::<TARGETS_MAX>::default();
        for target in targets(set) {
            let hash = self.hash(&target);
            if given.has(hash) || !(set.rtype == Rtype::NS || self.is_ours(&target)) {
                continue;
            }
            if given.count == TARGETS_MAX || self.push_addresses(&target, response).is_err() {
                return;
            }
            given.add(hash);
        }
    }

    /// Whether a name is in the zone, and neither at nor below a delegation nor below a DNAME.
    fn is_ours(&self, name: &QName) -> bool {
        self.is_inside(name)
            && matches!(self.descend(self.zone.relative(name.folded())), Way::Here(_))
    }

    /// A and AAAA of a name in the zone, as additional records.
    fn push_addresses(&self, target: &QName, response: &mut Writer<'_>) -> Result<(), Full> {
        let owner = target.folded();
        if !self.is_inside(target) {
            return Ok(());
        }
        let Some(node) = self.state.node(self.zone.relative(owner)) else { return Ok(()) };
        for set in [Rtype::A, Rtype::AAAA].into_iter().filter_map(|rtype| node.set(rtype)) {
            push_set(Section::Additional, owner, &set, response)?;
        }
        Ok(())
    }

    fn is_inside(&self, name: &QName) -> bool {
        relative_to(name.folded(), self.zone.apex().as_wire()).is_some()
    }

    /// The octets of a name at or above `owner` that is given relative to the apex.
    fn absolute<'n>(&self, owner: &'n [u8], relative: &[u8]) -> &'n [u8] {
        let len = relative.len() + self.zone.apex().as_wire().len();
        owner.get(owner.len().saturating_sub(len)..).unwrap_or_default()
    }

    fn hash(&self, name: &QName) -> u64 {
        self.zone.index.hash(name.folded())
    }
}

impl<const MOST: usize> Seen<MOST> {
    fn has(&self, hash: u64) -> bool {
        self.hashes.iter().take(self.count).any(|&seen| seen == hash)
    }

    fn add(&mut self, hash: u64) {
        if let Some(place) = self.hashes.get_mut(self.count) {
            *place = hash;
            self.count += 1;
        }
    }
}

impl<const MOST: usize> Default for Seen<MOST> {
    fn default() -> Seen<MOST> {
        Seen { hashes: [0; MOST], count: 0 }
    }
}

/// The names that an RRset's records lead to.
fn targets(set: &Set) -> impl Iterator<Item = QName> {
    set.records().filter_map(|data| QName::from_wire(target_octets(set.rtype, data)?))
}

/// A whole RRset or nothing of it.
fn push_set(
    section: Section,
    owner: &[u8],
    set: &Set,
    response: &mut Writer<'_>,
) -> Result<(), Full> {
    let mark = response.mark();
    for data in set.records() {
        if let Err(full) = response.push_wire(section, owner, (set.rtype, set.ttl_s), data) {
            response.rewind(mark);
            return Err(full);
        }
    }
    Ok(())
}

/// The apex, then each name below it down to the name itself.
fn top_down(relative: &[u8]) -> impl Iterator<Item = &[u8]> {
    // A relative name has at most 254 octets, so offsets fit.
    let mut starts = [0_u8; LABELS_MAX];
    let mut count = 0;
    let mut rest = relative;
    while let (Some((&len, after)), Some(start)) = (rest.split_first(), starts.get_mut(count)) {
        *start = (relative.len() - rest.len()) as u8;
        count += 1;
        rest = after.get(usize::from(len)..).unwrap_or_default();
    }
    let apex = relative.get(relative.len()..).unwrap_or_default();
    let below = (0..count).rev().map(move |label| {
        let start = starts.get(label).copied().map_or(0, usize::from);
        relative.get(start..).unwrap_or_default()
    });
    std::iter::once(apex).chain(below)
}

/// Types that a name may own beside a CNAME, so the CNAME is not followed for them.
fn stands_beside_cname(qtype: Rtype) -> bool {
    matches!(qtype, Rtype::CNAME | Rtype::RRSIG | Rtype::NSEC | Rtype::KEY)
}

/// Most names of a chain of CNAMEs and DNAMEs that are followed.
const CHAIN_MAX: usize = 16;
/// Most names of which one answer gives the addresses beside it.
const TARGETS_MAX: usize = 32;
/// Most labels of a name.
const LABELS_MAX: usize = 127;
