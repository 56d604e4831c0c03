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
    /// What they take in memory, in octets.
    weight: usize,
    last: u64,
    replies: Replies,
    attempts: Attempts,
    quota: Quota,
    answers: Vec<(Parcel, Option<Vec<u8>>)>,
    swept: Instant,
}

/// A message that the writer has.
struct UnderWay {
    parcel: Parcel,
    /// The same message, come again meanwhile.
    copies: Vec<Parcel>,
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

    /// Composes an answer to the message, with so many octets left for a signature.
    fn compose(&self, message: &[u8], verdict: &Verdict, room: usize) -> Vec<u8> {
        let zone = message.get(HEADER..HEADER + self.zone_octets).unwrap_or_default();
        let limit = self.limit.saturating_sub(room);
        let mut answer = Vec::with_capacity(ANSWER_OCTETS);
        update::answer(&mut answer, &self.envelope, zone, verdict, (limit, UDP_OCTETS_MAX));
        answer
    }

    /// The same, signed where its request's signer can be answered so.
    fn reply(&self, message: &[u8], verdict: &Verdict, signer: &Signer, now_s: u64) -> Vec<u8> {
        let room = signer.reply.as_ref().map_or(0, tsig::Verified::room);
        let mut answer = self.compose(message, verdict, room);
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
            weight: 0,
            last: 0,
            replies: Replies::default(),
            attempts: Attempts::new(SIGNATURES_PER_MINUTE),
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
            let wait = if closed.is_some() { CLOSING_CHECK } else { SWEEP };
            if !self.inbox.take_all((&mut arrived, &mut decided), wait) {
                closed.get_or_insert_with(Instant::now);
            }
            let now_s = now_s();
            for parcel in arrived.drain(..) {
                self.arrived(parcel, now_s);
            }
            for (number, outcome) in decided.drain(..) {
                self.decided(number, &Said::outcome(&outcome), Some(&outcome), now_s);
            }
            self.sweep(now_s);
            answer_all(self.answers.drain(..));
            let over = |since: &Instant| since.elapsed() >= CLOSING;
            if closed.as_ref().is_some_and(|since| self.under_way.is_empty() || over(since)) {
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
            let answer = head.compose(message, &said.verdict, 0);
            return self.answers.push((parcel, Some(answer)));
        }
        let source = (parcel.from().ip(), &mut self.attempts);
        let signer = match signature::check(self.client.live(), message, source, now_s) {
            Ok(signer) => signer,
            Err(why) => return self.turn_away(parcel, head, &why, now_s),
        };
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
            Ok((change, lease)) if self.is_open_to(&parcel) => {
                self.submit(parcel, head, (signer, change, lease), now_s);
            }
            read => {
                let said = read.err().filter(|_| self.is_open_to(&parcel));
                let said = said.unwrap_or_else(Said::closed_here);
                tell(&said, (&signer.key, None, parcel.from()), None);
                let answer = head.reply(message, &said.verdict, &signer, now_s);
                self.answers.push((parcel, Some(answer)));
            }
        }
    }

    /// Answers a message that nobody is believed to have signed.
    fn turn_away(&mut self, parcel: Parcel, head: Head, why: &Unsigned, now_s: u64) {
        let said = Said::unsigned(why);
        let answer = match why {
            Unsigned::Tsig(fault) => {
                let mut answer = head.compose(parcel.message(), &said.verdict, fault.room());
                if answer.len() + fault.room() <= head.limit {
                    fault.append(&mut answer, 0, now_s);
                }
                answer
            }
            _ => head.compose(parcel.message(), &said.verdict, 0),
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
                self.answers.push((parcel, Some(with_id(answer, head.envelope.id))));
            }
            Some(Known::UnderWay(number)) => match self.under_way.get_mut(&number) {
                Some(first) if first.copies.len() < COPIES_MAX => first.copies.push(parcel),
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
        let fits = self.weight + weight <= WEIGHT_MAX;
        self.weight += weight;
        let reply = ReplyTo::Updates(Arc::clone(&self.inbox), number);
        let posted = match fits {
            true => self.client.post(Letter { request, reply }),
            false => Err(SubmitError::Busy),
        };
        let (copies, since) = (Vec::new(), Instant::now());
        let one = UnderWay { parcel, copies, signer, zone, head, lease, since };
        self.under_way.insert(number, one);
        if let Err(why) = posted {
            self.decided(number, &Said::not_submitted(why), None, now_s);
        }
    }

    /// What the writer says, from there to the answer.
    fn decided(&mut self, number: u64, said: &Said, outcome: Option<&Outcome>, now_s: u64) {
        let Some(done) = self.under_way.remove(&number) else { return };
        let UnderWay { parcel, copies, signer, zone, head, lease, .. } = done;
        self.weight -= weight(parcel.message());
        let lease = lease.filter(|_| said.verdict.rcode == Rcode::NOERROR);
        let verdict = Verdict { lease, ..said.verdict };
        let answer = head.reply(parcel.message(), &verdict, &signer, now_s);
        tell(said, (&signer.key, Some(&zone), parcel.from()), outcome);
        self.replies.end(signer.signature, said.is_final.then_some(&answer));
        for copy in copies {
            let id = copy.message().first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
            self.answers.push((copy, Some(with_id(answer.clone(), id))));
        }
        self.answers.push((parcel, Some(answer)));
    }

    /// Gives up on what the writer never answered: it ended.
    fn sweep(&mut self, now_s: u64) {
        if self.swept.elapsed() < SWEEP {
            return;
        }
        self.swept = Instant::now();
        let late = self.under_way.iter().filter(|(_, one)| one.since.elapsed() >= CONFIRM);
        let late: Vec<u64> = late.map(|(number, _)| *number).collect();
        for number in late {
            self.decided(number, &Said::unconfirmed(), None, now_s);
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

    /// A line of the log about somebody without a good signature, as far as there is room.
    fn tell_stranger(&mut self, why: &Unsigned, said: &Said, from: SocketAddr) {
        count(said);
        match self.quota.take(Instant::now()) {
            Taken::LeaveOut => return,
            Taken::Write { left_out: left_out @ 1.. } => {
                tracing::warn!(
                    left_out,
                    "lines about updates without a good signature were left out"
                );
            }
            Taken::Write { .. } => {}
        }
        let key = match why {
            Unsigned::Tsig(fault) => Some(crate::log::shown(&fault.key().to_string()).into_owned()),
            _ => None,
        };
        let (rcode, why) = (said.verdict.rcode, said.verdict.why.map(|why| why.text));
        tracing::info!(source = %from.ip(), key, %rcode, outcome = said.word, why, "DNS update");
    }
}

/// A line of the log about an update of a known key, and its count.
fn tell(
    said: &Said,
    (key, zone, from): (&Name, Option<&Name>, SocketAddr),
    outcome: Option<&Outcome>,
) {
    count(said);
    let serial = match outcome {
        Some(Outcome::Done { serial: Some(serial), .. }) => Some(serial.0),
        _ => None,
    };
    let (rcode, why) = (said.verdict.rcode, said.verdict.why.map(|why| why.text));
    let zone = zone.map(Name::to_string);
    tracing::info!(%key, zone, source = %from.ip(), %rcode, outcome = said.word, why, serial, "DNS update");
}

/// An answer to a copy of its message: forwarders give each copy an id of its own.
fn with_id(mut answer: Vec<u8>, id: u16) -> Vec<u8> {
    if let Some(place) = answer.first_chunk_mut() {
        *place = id.to_be_bytes();
    }
    answer
}

/// The lease that is granted where this one is asked for (RFC 9664 §4).
fn granted(asked: UpdateLease) -> UpdateLease {
    let bounded = |lease_s: u32| lease_s.clamp(LEASE_S_MIN, LEASE_S_MAX);
    UpdateLease { lease_s: bounded(asked.lease_s), key_lease_s: asked.key_lease_s.map(bounded) }
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
/// Signatures by public keys that do not fit, of one source in a minute.
const SIGNATURES_PER_MINUTE: u32 = 60;
/// Most octets that messages under way take in memory.
const WEIGHT_MAX: usize = 256 * 1024 * 1024;
/// How long the writer may take to decide.
const CONFIRM: Duration = Duration::from_secs(30);
/// How often that is looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// How long a door that closes waits for what is under way, and how often it looks.
const CLOSING: Duration = Duration::from_secs(5);
const CLOSING_CHECK: Duration = Duration::from_millis(20);
