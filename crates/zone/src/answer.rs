//! Answering a query from one zone: the ladder of RFC 1034 §4.3.2.

use wire::{Full, Name, QName, Query, Rcode, Rdata, Rtype, Section, Writer};

use crate::index::{Index, Node, Set};
use crate::zone::Zone;

impl Zone {
    /// Composes the answer to a query whose name lies in this zone.
    ///
    /// All of it comes from one state of the zone. What does not fit into the message is cut at
    /// whole RRsets and marked as truncated, and so is a referral without the glue that it needs
    /// (RFC 9471 §3.1); other additional records are left out without a mark.
    pub fn answer(&self, query: &Query<'_>, response: &mut Writer<'_>) {
        let state = self.read();
        response.set_aa(true);
        let ladder = Ladder { index: &state.index, apex: self.apex(), qtype: query.qtype };
        if ladder.resolve(query.qname, response) == Err(Full) {
            response.set_tc();
        }
    }
}

/// One query on its way through one state of a zone.
struct Ladder<'a> {
    index: &'a Index,
    apex: &'a Name,
    qtype: Rtype,
}

/// Where the ladder leads after one name.
enum Next {
    Done,
    /// A CNAME was answered: go on with its target.
    Follow(Name),
}

/// What stands on the way down from the apex to a name; names are relative to the apex.
enum Way<'a, 'n> {
    /// A delegation, at the name or above it.
    Cut(&'n [u8], &'a Set),
    /// A DNAME above the name.
    Dname(&'n [u8], &'a Set),
    /// The name itself.
    Here(&'a Node),
    /// The name does not exist; this one above it is the last that does.
    Missing(&'n [u8]),
}

/// What a chain has answered already; nothing is allocated while there is no chain.
#[derive(Default)]
struct Walked {
    /// Names that were looked up.
    names: Vec<Name>,
    /// Owners of DNAMEs in the answer.
    dnames: Vec<Name>,
}

impl<'a> Ladder<'a> {
    /// Follows a chain of names; each step answers one. A chain that comes back to a name ends
    /// there: all its records stand in the answer already.
    fn resolve(&self, qname: QName, response: &mut Writer<'_>) -> Result<(), Full> {
        let mut qname = qname;
        let mut walked = Walked::default();
        while walked.names.len() < CHAIN_MAX {
            let Next::Follow(target) = self.step(&qname, &mut walked, response)? else { break };
            walked.names.extend(Name::from_wire(qname.folded()));
            // Out of the zone the resolver goes on.
            if !target.is_subdomain_of(self.apex) || walked.names.contains(&target) {
                break;
            }
            qname = QName::of(&target);
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
        let relative = self.relative(owner);
        match self.descend(relative) {
            Way::Cut(cut, ns) => self.refer(cut, ns, response),
            Way::Dname(above, dname) => {
                let from = Name::join(above, self.apex).unwrap_or_else(|_| self.apex.clone());
                self.push_dname(&from, dname, &mut walked.dnames, response)?;
                self.substitute(owner, &from, dname, response)
            }
            Way::Here(node) => self.matched(owner, node, &mut walked.dnames, response),
            Way::Missing(encloser) => match self.wildcard(encloser) {
                Some(node) => self.matched(owner, node, &mut walked.dnames, response),
                None => {
                    response.set_rcode(Rcode::NXDOMAIN);
                    self.negative(response)?;
                    Ok(Next::Done)
                }
            },
        }
    }

    /// The way down from the apex: delegations (step 3b), DNAMEs (RFC 6672 §3.2), and how far the
    /// names exist. It ends where they end, so a name costs no more than its closest encloser.
    fn descend<'n>(&self, relative: &'n [u8]) -> Way<'a, 'n> {
        // While there is neither, nothing above the name matters.
        if !self.index.has_cuts()
            && let Some(node) = self.index.node(relative)
        {
            return Way::Here(node);
        }
        let mut encloser = relative.get(relative.len()..).unwrap_or_default();
        for name in top_down(relative) {
            let Some(node) = self.index.node(name) else { return Way::Missing(encloser) };
            let is_last = name.len() == relative.len();
            if let Some(ns) = node.set(Rtype::NS)
                && !name.is_empty()
                && !(is_last && self.qtype == Rtype::DS)
            {
                return Way::Cut(name, ns);
            }
            if is_last {
                return Way::Here(node);
            }
            if let Some(dname) = node.set(Rtype::DNAME) {
                return Way::Dname(name, dname);
            }
            encloser = name;
        }
        Way::Missing(encloser)
    }

    /// A node exists: its CNAME, its RRset, or nothing of the type (step 3a).
    fn matched(
        &self,
        owner: &[u8],
        node: &Node,
        dnames: &mut Vec<Name>,
        response: &mut Writer<'_>,
    ) -> Result<Next, Full> {
        if self.qtype == Rtype::ANY {
            // RFC 8482 §4.1: one RRset is enough of an answer.
            match node.sets().first() {
                Some(set) => self.push_set(Section::Answer, owner, set, response)?,
                None => self.negative(response)?,
            }
            return Ok(Next::Done);
        }
        if let Some(set) = node.set(self.qtype) {
            // A chain may end at the DNAME that it came through.
            if self.qtype == Rtype::DNAME {
                let from = Name::from_wire(owner).unwrap_or_else(|_| self.apex.clone());
                self.push_dname(&from, set, dnames, response)?;
                return Ok(Next::Done);
            }
            self.push_set(Section::Answer, owner, set, response)?;
            self.add_targets(set, response);
            return Ok(Next::Done);
        }
        let cname = node.set(Rtype::CNAME).filter(|_| !stands_beside_cname(self.qtype));
        let Some(cname) = cname else {
            self.negative(response)?;
            return Ok(Next::Done);
        };
        self.push_set(Section::Answer, owner, cname, response)?;
        let target = cname.many().first().and_then(|rdata| rdata.target(Rtype::CNAME));
        Ok(target.map_or(Next::Done, Next::Follow))
    }

    /// The wildcard below a closest encloser, which covers what does not exist there
    /// (RFC 4592 §3.3.1).
    fn wildcard(&self, encloser: &[u8]) -> Option<&Node> {
        let mut source = [0; 255];
        let len = 2 + encloser.len();
        source.get_mut(..2)?.copy_from_slice(b"\x01*");
        source.get_mut(2..len)?.copy_from_slice(encloser);
        self.index.node(source.get(..len)?)
    }

    /// No such name or no such type: the SOA tells for how long (RFC 2308 §3).
    fn negative(&self, response: &mut Writer<'_>) -> Result<(), Full> {
        let soa = self.index.node(&[]).and_then(|apex| apex.set(Rtype::SOA));
        let Some(soa) = soa else { return Ok(()) };
        let Some(rdata) = soa.many().first() else { return Ok(()) };
        let minimum_s = rdata.soa_fields().map_or(soa.ttl_s, |fields| fields.minimum_s);
        let ttl_s = soa.ttl_s.min(minimum_s);
        response.push(Section::Authority, self.apex.as_wire(), (Rtype::SOA, ttl_s), rdata)
    }

    /// A referral: the NS RRset of the cut, and addresses of its servers that lie below it, without
    /// which nobody finds them (RFC 9471 §3.1); others when there is room.
    fn refer(&self, cut: &[u8], ns: &Set, response: &mut Writer<'_>) -> Result<Next, Full> {
        if response.count(Section::Answer) == 0 {
            response.set_aa(false);
        }
        let Ok(owner) = Name::join(cut, self.apex) else { return Ok(Next::Done) };
        self.push_set(Section::Authority, owner.as_wire(), ns, response)?;
        let targets = || ns.many().iter().filter_map(|rdata| rdata.target(Rtype::NS));
        for target in targets().filter(|target| target.is_subdomain_of(&owner)) {
            self.push_addresses(&target, response)?;
        }
        for target in targets().filter(|target| !target.is_subdomain_of(&owner)) {
            if self.push_addresses(&target, response).is_err() {
                break;
            }
        }
        Ok(Next::Done)
    }

    /// A DNAME that the chain meets again is not sent again.
    fn push_dname(
        &self,
        from: &Name,
        dname: &Set,
        dnames: &mut Vec<Name>,
        response: &mut Writer<'_>,
    ) -> Result<(), Full> {
        if dnames.contains(from) {
            return Ok(());
        }
        dnames.push(from.clone());
        self.push_set(Section::Answer, from.as_wire(), dname, response)
    }

    /// The CNAME that a DNAME means for this name (RFC 6672 §3.1, §3.2).
    fn substitute(
        &self,
        owner: &[u8],
        from: &Name,
        dname: &Set,
        response: &mut Writer<'_>,
    ) -> Result<Next, Full> {
        let to = dname.many().first().and_then(|rdata| rdata.target(Rtype::DNAME));
        let (Some(to), Ok(name)) = (to, Name::from_wire(owner)) else { return Ok(Next::Done) };
        let Ok(target) = name.rebase(from, &to) else {
            response.set_rcode(Rcode::YXDOMAIN);
            return Ok(Next::Done);
        };
        let rdata = Rdata::name(&target);
        response.push(Section::Answer, owner, (Rtype::CNAME, dname.ttl_s), &rdata)?;
        if matches!(self.qtype, Rtype::CNAME | Rtype::ANY) {
            return Ok(Next::Done);
        }
        Ok(Next::Follow(target))
    }

    /// Addresses of the names that an answer leads to, as far as they fit. Several records may
    /// lead to one name; glue is given for name servers only, who cannot be found without it.
    fn add_targets(&self, set: &Set, response: &mut Writer<'_>) {
        if !matches!(set.rtype, Rtype::NS | Rtype::MX | Rtype::SRV) {
            return;
        }
        let mut given: Vec<Name> = Vec::new();
        for target in set.many().iter().filter_map(|rdata| rdata.target(set.rtype)) {
            if given.contains(&target) || !(set.rtype == Rtype::NS || self.is_ours(&target)) {
                continue;
            }
            if given.len() == TARGETS_MAX || self.push_addresses(&target, response).is_err() {
                return;
            }
            given.push(target);
        }
    }

    /// Whether a name is in the zone, and neither at nor below a delegation nor below a DNAME.
    fn is_ours(&self, name: &Name) -> bool {
        name.is_subdomain_of(self.apex)
            && matches!(self.descend(self.relative(QName::of(name).folded())), Way::Here(_))
    }

    /// A and AAAA of a name in the zone, as additional records.
    fn push_addresses(&self, target: &Name, response: &mut Writer<'_>) -> Result<(), Full> {
        if !target.is_subdomain_of(self.apex) {
            return Ok(());
        }
        let folded = QName::of(target);
        let Some(node) = self.index.node(self.relative(folded.folded())) else { return Ok(()) };
        for set in [Rtype::A, Rtype::AAAA].into_iter().filter_map(|rtype| node.set(rtype)) {
            self.push_set(Section::Additional, target.as_wire(), set, response)?;
        }
        Ok(())
    }

    /// A whole RRset or nothing of it.
    fn push_set(
        &self,
        section: Section,
        owner: &[u8],
        set: &Set,
        response: &mut Writer<'_>,
    ) -> Result<(), Full> {
        let mark = response.mark();
        for rdata in set.rdata() {
            let key = (set.rtype, set.ttl_s);
            if let Err(full) = response.push_wire(section, owner, key, rdata.as_ref()) {
                response.rewind(mark);
                return Err(full);
            }
        }
        Ok(())
    }

    /// The labels before the apex, of a folded name that lies in the zone.
    fn relative<'n>(&self, folded: &'n [u8]) -> &'n [u8] {
        let len = folded.len().saturating_sub(self.apex.as_wire().len());
        folded.get(..len).unwrap_or_default()
    }
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
