//! Answering a query from one zone: the ladder of RFC 1034 §4.3.2.

use wire::{Full, Name, QName, Query, Rcode, Rdata, Rtype, Section, Writer};

use crate::index::{Index, Node, Set, parent};
use crate::zone::Zone;

impl Zone {
    /// Composes the answer to a query whose name lies in this zone.
    ///
    /// All of it comes from one state of the zone. What does not fit into the message is cut at
    /// whole RRsets and marked as truncated; additional records are left out without a mark.
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

impl Ladder<'_> {
    /// Follows a chain of names; each step answers one.
    fn resolve(&self, qname: QName, response: &mut Writer<'_>) -> Result<(), Full> {
        let mut qname = qname;
        for _ in 0..CHAIN_MAX {
            match self.step(&qname, response)? {
                Next::Done => return Ok(()),
                Next::Follow(target) if target.is_subdomain_of(self.apex) => {
                    qname = QName::of(&target);
                }
                // Out of the zone: the resolver goes on.
                Next::Follow(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn step(&self, qname: &QName, response: &mut Writer<'_>) -> Result<Next, Full> {
        let owner = qname.folded();
        let relative = self.relative(owner);
        if self.index.has_cuts()
            && let Some(next) = self.above(owner, relative, response)?
        {
            return Ok(next);
        }
        if let Some(node) = self.index.node(relative) {
            return self.matched(owner, node, response);
        }
        match self.wildcard(relative) {
            Some(node) => self.matched(owner, node, response),
            None => {
                response.set_rcode(Rcode::NXDOMAIN);
                self.negative(response)?;
                Ok(Next::Done)
            }
        }
    }

    /// Delegations and DNAMEs on the way down from the apex (steps 3b and RFC 6672 §3.2).
    fn above(
        &self,
        owner: &[u8],
        relative: &[u8],
        response: &mut Writer<'_>,
    ) -> Result<Option<Next>, Full> {
        for ancestor in ancestors_top_down(relative) {
            let Some(node) = self.index.node(ancestor) else { continue };
            let is_qname = ancestor.len() == relative.len();
            if let Some(ns) = node.set(Rtype::NS)
                && !ancestor.is_empty()
                && !(is_qname && self.qtype == Rtype::DS)
            {
                self.refer(ancestor, ns, response)?;
                return Ok(Some(Next::Done));
            }
            if let Some(dname) = node.set(Rtype::DNAME)
                && !is_qname
            {
                return self.substitute(owner, ancestor, dname, response).map(Some);
            }
        }
        Ok(None)
    }

    /// A node exists: its CNAME, its RRset, or nothing of the type (step 3a).
    fn matched(&self, owner: &[u8], node: &Node, response: &mut Writer<'_>) -> Result<Next, Full> {
        if self.qtype == Rtype::ANY {
            // RFC 8482 §4.1: one RRset is enough of an answer.
            match node.sets().first() {
                Some(set) => self.push_set(Section::Answer, owner, set, response)?,
                None => self.negative(response)?,
            }
            return Ok(Next::Done);
        }
        if let Some(set) = node.set(self.qtype) {
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

    /// The wildcard that covers a name that does not exist (RFC 4592 §3.3.1): the one directly
    /// below its closest encloser.
    fn wildcard(&self, relative: &[u8]) -> Option<&Node> {
        let mut encloser = parent(relative)?;
        while self.index.node(encloser).is_none() {
            encloser = parent(encloser)?;
        }
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
    fn refer(&self, cut: &[u8], ns: &Set, response: &mut Writer<'_>) -> Result<(), Full> {
        if response.count(Section::Answer) == 0 {
            response.set_aa(false);
        }
        let Ok(owner) = Name::join(cut, self.apex) else { return Ok(()) };
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
        Ok(())
    }

    /// RFC 6672 §3.2: the DNAME, and the CNAME that it means for this name.
    fn substitute(
        &self,
        owner: &[u8],
        ancestor: &[u8],
        dname: &Set,
        response: &mut Writer<'_>,
    ) -> Result<Next, Full> {
        let Ok(from) = Name::join(ancestor, self.apex) else { return Ok(Next::Done) };
        self.push_set(Section::Answer, from.as_wire(), dname, response)?;
        let to = dname.many().first().and_then(|rdata| rdata.target(Rtype::DNAME));
        let (Some(to), Ok(name)) = (to, Name::from_wire(owner)) else { return Ok(Next::Done) };
        let Ok(target) = name.rebase(&from, &to) else {
            response.set_rcode(Rcode::YXDOMAIN);
            return Ok(Next::Done);
        };
        let rdata = Rdata::name(&target);
        response.push(Section::Answer, owner, (Rtype::CNAME, dname.ttl_s), &rdata)?;
        if stands_beside_cname(self.qtype) || self.qtype == Rtype::ANY {
            return Ok(Next::Done);
        }
        Ok(Next::Follow(target))
    }

    /// Addresses of the names that an answer leads to, as far as they fit.
    fn add_targets(&self, set: &Set, response: &mut Writer<'_>) {
        if !matches!(set.rtype, Rtype::NS | Rtype::MX | Rtype::SRV) {
            return;
        }
        for rdata in set.many() {
            let Some(target) = rdata.target(set.rtype) else { continue };
            if self.push_addresses(&target, response).is_err() {
                return;
            }
        }
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
fn ancestors_top_down(relative: &[u8]) -> impl Iterator<Item = &[u8]> {
    let depth = std::iter::successors(Some(relative), |name| parent(name)).count();
    (0..depth).rev().map(move |up| {
        std::iter::successors(Some(relative), |name| parent(name)).nth(up).unwrap_or_default()
    })
}

/// Types that a name may own beside a CNAME, so the CNAME is not followed for them.
fn stands_beside_cname(qtype: Rtype) -> bool {
    matches!(qtype, Rtype::CNAME | Rtype::RRSIG | Rtype::NSEC | Rtype::KEY)
}

/// Most names of a chain of CNAMEs and DNAMEs that are followed.
const CHAIN_MAX: usize = 16;
