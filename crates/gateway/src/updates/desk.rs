//! The thread that works on updates.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use account::Actor;
use engine::{Lease, Operation, Outcome, Request};
use server::{Parcel, Transport, answer_all};
use update::{About, Unread, Verdict};
use wire::{Envelope, Name, Query, QueryError, Rcode, UpdateLease};
use zone::Change;

use super::replies::{Known, Replies};
use super::said::Said;
use super::shares::{Full, Shares};
use super::signature::{self, ByNumber, Signer, Unsigned};
use super::{Inbox, UpdateSettings};
use crate::attempts::Attempts;
use crate::client::{Client, Letter, ReplyTo, SubmitError};
use crate::clock;
use crate::quota::{Quota, Taken};

/// What the thread works with.
pub(super) struct Desk {
    settings: UpdateSettings,
    client: Client,
    inbox: Arc<Inbox>,
    ready: Arc<AtomicBool>,
    under_way: ByNumber<UnderWay>,
    shares: Shares,
    last: u64,
    replies: Replies,
    /// Signatures by public keys that did not fit, over TCP by source, and all over UDP together.
    attempts: Attempts,
    datagram_attempts: Attempts,
    quota: Quota,
    answers: Vec<(Parcel, Option<Vec<u8>>)>,
    swept: Instant,
}

/// A message that the writer has.
struct UnderWay {
    /// It, and the same come again meanwhile. None, once they were told that nobody knows yet.
    parcels: Vec<Parcel>,
    zone_section: Box<[u8]>,
    weight: usize,
    time_s: u64,
    signer: Signer,
    zone: Name,
    head: Head,
    lease: Option<UpdateLease>,
    since: Instant,
}

/// What the answer repeats of a message, and how long it may be.
#[derive(Clone, Copy)]
struct Head {
    envelope: Envelope,
    zone_octets: usize,
    limit: usize,
}

impl Head {
    /// What can be told of a message without reading it; `None`: nothing is to be said to it.
    fn glance(message: &[u8]) -> Option<Head> {
        let Err(QueryError::Update(envelope)) = Query::parse(message) else { return None };
        let body = message.get(HEADER..)?;
        let zone = Name::length_of(body).map_or(0, |name| name + TYPE_AND_CLASS);
        let is_one = message.get(4..6) == Some(&[0, 1]) && zone <= body.len();
        let zone_octets = if is_one { zone } else { 0 };
        // What every receiver takes.
        Some(Head { envelope, zone_octets, limit: 512 })
    }

    fn of(about: &About<'_>, transport: Transport) -> Head {
        let limit = match transport {
            Transport::Tcp => u16::MAX,
            Transport::Udp => about.udp_octets.min(UDP_OCTETS_MAX),
        };
        let zone_octets = about.zone.len();
        Head { envelope: about.envelope, zone_octets, limit: limit.into() }
    }

    /// The zone section of the message that it is of.
    fn zone_section<'m>(&self, message: &'m [u8]) -> &'m [u8] {
        message.get(HEADER..HEADER + self.zone_octets).unwrap_or_default()
    }

    /// Composes an answer that repeats this zone section, with so many octets left for a signature.
    fn compose(&self, zone: &[u8], verdict: &Verdict, room: usize) -> Vec<u8> {
        let limit = self.limit.saturating_sub(room);
        let mut answer = Vec::with_capacity(ANSWER_OCTETS);
        update::answer(&mut answer, &self.envelope, zone, verdict, (limit, UDP_OCTETS_MAX));
        answer
    }

    /// The same, signed where its request's signer can be answered so.
    fn reply(&self, zone: &[u8], verdict: &Verdict, signer: &Signer, now_s: u64) -> Vec<u8> {
        let room = signer.reply.as_ref().map_or(0, tsig::Verified::room);
        let mut answer = self.compose(zone, verdict, room);
        if let Some(reply) = &signer.reply {
            reply.sign(&mut answer, 0, now_s);
        }
        answer
    }
}

impl Desk {
    pub(super) fn new(
        settings: UpdateSettings,
        client: Client,
        inbox: Arc<Inbox>,
        ready: Arc<AtomicBool>,
    ) -> Desk {
        Desk {
            settings,
            client,
            inbox,
            ready,
            under_way: ByNumber::new(),
            shares: Shares::default(),
            last: 0,
            replies: Replies::new(now_s()),
            attempts: Attempts::new(SIGNATURES_PER_MINUTE),
            datagram_attempts: Attempts::new(DATAGRAM_SIGNATURES_PER_MINUTE),
            quota: Quota::default(),
            answers: Vec::new(),
            swept: Instant::now(),
        }
    }

    /// Works until the door is closed and nothing is under way that may still be decided.
    pub(super) fn run(mut self) {
        let (mut arrived, mut decided) = (Vec::new(), Vec::new());
        let mut closed: Option<Instant> = None;
        loop {
            let closing = closed.is_some();
            let wait = if closing { CLOSING_CHECK } else { SWEEP };
            if !self.inbox.take_all((&mut arrived, &mut decided), (wait, closing)) {
                closed.get_or_insert_with(Instant::now);
            }
            let now_s = now_s();
            for (number, outcome) in decided.drain(..) {
                self.decided(number, &Said::outcome(&outcome), Some(&outcome), now_s);
            }
            for parcel in arrived.drain(..) {
                // Nobody waits for the answers to all that came together.
                if self.answers.len() >= ANSWERS_AT_ONCE {
                    answer_all(self.answers.drain(..));
                }
                self.arrived(parcel, now_s);
            }
            let over = |since: &Instant| since.elapsed() >= CLOSING || self.under_way.is_empty();
            let ends = closed.as_ref().is_some_and(over);
            self.sweep(now_s, if ends { Duration::ZERO } else { CONFIRM });
            answer_all(self.answers.drain(..));
            if ends {
                return;
            }
        }
    }

    /// A message from its octets to the writer, or to an answer. Before its signature is known to be
    /// good, no more of it is read than to find that.
    fn arrived(&mut self, parcel: Parcel, now_s: u64) {
        let message = parcel.message();
        let Some(head) = Head::glance(message) else {
            return self.answers.push((parcel, None));
        };
        if !self.ready.load(Ordering::Acquire) {
            // Keys are loaded with the zones: nobody can be known yet.
            let said = Said::not_ready();
            count(&said);
            let answer = head.compose(head.zone_section(message), &said.verdict, 0);
            return self.answers.push((parcel, Some(answer)));
        }
        let source = Some(parcel.from().ip()).filter(|_| parcel.transport() == Transport::Tcp);
        let attempts = match source {
            Some(_) => &mut self.attempts,
            None => &mut self.datagram_attempts,
        };
        let now = (now_s, &self.replies);
        let signer = match signature::check(self.client.live(), message, (source, attempts), now) {
            Ok(signer) => signer,
            Err(why) => return self.turn_away(parcel, head, &why, now_s),
        };
        if !self.is_open_to(&parcel) {
            return self.refuse(parcel, &head, (&signer, &Said::closed_here()), now_s);
        }
        if self.is_known(&signer) {
            return self.repeat(parcel, &head, &signer);
        }
        let (head, read) = match update::parse(message) {
            Ok(read) => (Head::of(&read.about, parcel.transport()), Ok((read.change, read.lease))),
            Err(Unread::Refuse(about, rcode, why)) => {
                (Head::of(&about, parcel.transport()), Err(Said::malformed(rcode, why)))
            }
            Err(Unread::Silence) => return self.answers.push((parcel, None)),
        };
        match read {
            Ok((change, lease)) => self.submit(parcel, head, (signer, change, lease), now_s),
            Err(said) => self.refuse(parcel, &head, (&signer, &said), now_s),
        }
    }

    /// Refuses what a known key sent, before anybody has judged it.
    fn refuse(
        &mut self,
        parcel: Parcel,
        head: &Head,
        (signer, said): (&Signer, &Said),
        now_s: u64,
    ) {
        let zone = head.zone_section(parcel.message());
        let answer = head.reply(zone, &said.verdict, signer, now_s);
        self.tell(said, (&signer.key, None, Some(parcel.from())), None);
        self.answers.push((parcel, Some(answer)));
    }

    /// Answers a message that nobody is believed to have signed.
    fn turn_away(&mut self, parcel: Parcel, head: Head, why: &Unsigned, now_s: u64) {
        let said = Said::unsigned(why);
        let answer = match why {
            Unsigned::Tsig(fault) | Unsigned::Late(fault) => {
                let zone = head.zone_section(parcel.message());
                let mut answer = head.compose(zone, &said.verdict, fault.room());
                if answer.len() + fault.room() <= head.limit {
                    fault.append(&mut answer, 0, now_s);
                }
                answer
            }
            _ => head.compose(head.zone_section(parcel.message()), &said.verdict, 0),
        };
        self.tell_stranger(why, &said, parcel.from());
        self.answers.push((parcel, Some(answer)));
    }

    /// Whether the same message came before, and its answer is known or under way.
    fn is_known(&self, signer: &Signer) -> bool {
        match self.replies.find(&signer.signature) {
            Some(Known::UnderWay(number)) => self.under_way.contains_key(&number),
            Some(Known::Said(_)) => true,
            None => false,
        }
    }

    /// Answers a message that came before as it was answered then, or will be.
    fn repeat(&mut self, parcel: Parcel, head: &Head, signer: &Signer) {
        metrics::counter!("byname_dns_updates_total", "outcome" => "repeated").increment(1);
        match self.replies.find(&signer.signature) {
            Some(Known::Said(answer)) => {
                let answer = with_id(answer.to_vec(), head.envelope.id);
                self.answers.push((parcel, Some(answer)));
            }
            Some(Known::UnderWay(number)) => match self.under_way.get_mut(&number) {
                Some(first) if first.parcels.len() < COPIES_MAX => first.parcels.push(parcel),
                Some(_) | None => self.answers.push((parcel, None)),
            },
            None => self.answers.push((parcel, None)),
        }
    }

    /// Hands a change to the writer.
    fn submit(
        &mut self,
        parcel: Parcel,
        head: Head,
        (signer, change, lease): (Signer, Change, Option<UpdateLease>),
        now_s: u64,
    ) {
        self.last += 1;
        let number = self.last;
        let lease = lease.map(granted);
        let zone = change.zone.clone();
        let for_so_long =
            lease.map(|UpdateLease { lease_s, key_lease_s }| Lease { lease_s, key_lease_s });
        let request = Request {
            actor: Actor::Key(signer.key.clone()),
            origin: self.client.origin(parcel.from().ip()),
            operation: Operation::Change { change, lease: for_so_long },
        };
        self.replies.begin(&signer.signature, number);
        let weight = weight(parcel.message());
        let reply = ReplyTo::Updates(Arc::clone(&self.inbox), number);
        let posted = match self.shares.take(&signer.key, weight) {
            Ok(()) => self.client.post(Letter { request, reply }).map_err(Said::not_submitted),
            Err(Full::All) => Err(Said::not_submitted(SubmitError::Busy)),
            Err(Full::Key) => Err(Said::key_busy()),
        };
        let message = parcel.message();
        let zone_section = head.zone_section(message).into();
        let time_s = signer.reply.as_ref().map_or(now_s, tsig::Verified::time_s);
        let (parcels, since) = (vec![parcel], Instant::now());
        let one =
            UnderWay { parcels, zone_section, weight, time_s, signer, zone, head, lease, since };
        self.under_way.insert(number, one);
        if let Err(said) = posted {
            self.decided(number, &said, None, now_s);
        }
    }

    /// What the writer says, from there to the answer.
    fn decided(&mut self, number: u64, said: &Said, outcome: Option<&Outcome>, now_s: u64) {
        let Some(done) = self.under_way.remove(&number) else { return };
        let UnderWay { parcels, zone_section, signer, zone, head, lease, .. } = done;
        self.shares.give_back(&signer.key, done.weight);
        let lease = lease.filter(|_| said.verdict.rcode == Rcode::NOERROR);
        let verdict = Verdict { lease, ..said.verdict };
        let answer = head.reply(&zone_section, &verdict, &signer, now_s);
        let from = parcels.first().map(Parcel::from);
        self.tell(said, (&signer.key, Some(&zone), from), outcome);
        self.replies.end(signer.signature, done.time_s, said.is_final.then_some(&answer));
        self.answer(parcels, &answer);
    }

    /// Answers a message and its copies alike.
    fn answer(&mut self, parcels: Vec<Parcel>, answer: &[u8]) {
        self.answers.extend(parcels.into_iter().map(|parcel| {
            let id = parcel.message().first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
            (parcel, Some(with_id(answer.to_vec(), id)))
        }));
    }

    /// Tells who has waited for long that nobody knows yet. What the writer says of the message in the
    /// end is kept for the next time that it comes: it is not judged twice.
    fn sweep(&mut self, now_s: u64, patience: Duration) {
        if self.swept.elapsed() < SWEEP && !patience.is_zero() {
            return;
        }
        self.swept = Instant::now();
        let said = Said::unconfirmed();
        let mut answers = Vec::new();
        for one in self.under_way.values_mut() {
            if one.since.elapsed() >= patience && !one.parcels.is_empty() {
                let answer = one.head.reply(&one.zone_section, &said.verdict, &one.signer, now_s);
                count(&said);
                answers.push((std::mem::take(&mut one.parcels), answer));
            }
        }
        for (parcels, answer) in answers {
            self.answer(parcels, &answer);
        }
    }

    /// Whether updates are taken from there, and here.
    fn is_open_to(&self, parcel: &Parcel) -> bool {
        let UpdateSettings { networks, listeners } = &self.settings;
        let from = parcel.from().ip();
        let known = |networks: &Vec<crate::Network>| networks.iter().any(|one| one.contains(from));
        networks.as_ref().is_none_or(known)
            && listeners.as_ref().is_none_or(|open| open.contains(&parcel.listener()))
    }

    /// A line of the log about an update of a known key, and its count. Changes are told all, the rest as
    /// far as there is room: whoever has a key could fill the disk otherwise.
    fn tell(
        &mut self,
        said: &Said,
        (key, zone, from): (&Name, Option<&Name>, Option<SocketAddr>),
        outcome: Option<&Outcome>,
    ) {
        count(said);
        let serial = match outcome {
            Some(Outcome::Done { serial, .. }) => serial.map(|serial| serial.0),
            _ if !self.may_tell() => return,
            _ => None,
        };
        let (rcode, why) = (said.verdict.rcode, said.verdict.why.map(|why| why.text));
        let zone = zone.map(|zone| crate::log::shown(&zone.to_string()).into_owned());
        let source = from.map(|from| tracing::field::display(from.ip()));
        tracing::info!(%key, zone, source, %rcode, outcome = said.word, why, serial, "DNS update");
    }

    /// Whether there is room in the log for a line that anybody may cause.
    fn may_tell(&mut self) -> bool {
        let taken = self.quota.take(Instant::now());
        if let Taken::Write { left_out: left_out @ 1.. } = taken {
            tracing::warn!(left_out, "lines about DNS updates that changed nothing were left out");
        }
        taken != Taken::LeaveOut
    }

    /// A line of the log about somebody without a good signature, as far as there is room.
    fn tell_stranger(&mut self, why: &Unsigned, said: &Said, from: SocketAddr) {
        count(said);
        if !self.may_tell() {
            return;
        }
        let key = match why {
            Unsigned::Tsig(fault) | Unsigned::Late(fault) => {
                Some(crate::log::shown(&fault.key().to_string()).into_owned())
            }
            _ => None,
        };
        let (rcode, why) = (said.verdict.rcode, said.verdict.why.map(|why| why.text));
        tracing::info!(source = %from.ip(), key, %rcode, outcome = said.word, why, "DNS update");
    }
}

/// An answer to a copy of its message: forwarders give each copy an id of its own.
fn with_id(mut answer: Vec<u8>, id: u16) -> Vec<u8> {
    if let Some(place) = answer.first_chunk_mut() {
        *place = id.to_be_bytes();
    }
    answer
}

/// The lease that is granted where this one is asked for (RFC 9664 §4): KEY records never go before
/// the others.
fn granted(asked: UpdateLease) -> UpdateLease {
    let bounded = |lease_s: u32| lease_s.clamp(LEASE_S_MIN, LEASE_S_MAX);
    let lease_s = bounded(asked.lease_s);
    let key_lease_s = asked.key_lease_s.map(|key_lease_s| bounded(key_lease_s).max(lease_s));
    UpdateLease { lease_s, key_lease_s }
}

/// Seconds since 1970-01-01 00:00 UTC.
fn now_s() -> u64 {
    u64::try_from(clock::now().0 / 1000).unwrap_or(0)
}

/// Counts what came of an update.
fn count(said: &Said) {
    metrics::counter!("byname_dns_updates_total", "outcome" => said.word).increment(1);
}

/// What a message that is under way takes in memory, in octets, with the change that it became: names
/// in it may be compressed.
fn weight(message: &[u8]) -> usize {
    1024 + 32 * message.len()
}

/// Octets of a header.
const HEADER: usize = 12;
/// Octets of the zone section after the name.
const TYPE_AND_CLASS: usize = 4;
/// Largest answer over UDP: passes nearly everywhere without fragments (DNS flag day 2020).
const UDP_OCTETS_MAX: u16 = 1232;
/// Room for an answer, so that it need not grow.
const ANSWER_OCTETS: usize = 256;
/// Copies of one message that are answered with it.
const COPIES_MAX: usize = 8;
/// Shortest and longest lease that is granted, in seconds: half a minute and thirty days.
const LEASE_S_MIN: u32 = 30;
const LEASE_S_MAX: u32 = 30 * 24 * 60 * 60;
/// Signatures by public keys that do not fit, of one source in a minute, and of all datagrams.
const SIGNATURES_PER_MINUTE: u32 = 60;
const DATAGRAM_SIGNATURES_PER_MINUTE: u32 = 6000;
/// Answers that leave together.
const ANSWERS_AT_ONCE: usize = 256;
/// How long the writer may take to decide.
const CONFIRM: Duration = Duration::from_secs(30);
/// How often that is looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// How long a door that closes waits for what is under way, and how often it looks.
const CLOSING: Duration = Duration::from_secs(5);
const CLOSING_CHECK: Duration = Duration::from_millis(20);
