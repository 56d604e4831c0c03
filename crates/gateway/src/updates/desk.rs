//! The thread that works on updates.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use account::Actor;
use engine::{Lease, Operation, Outcome, Request};
use server::{Parcel, Transport};
use update::{Unread, Verdict};
use wire::{Name, Rcode, UpdateLease};
use zone::Change;

use super::replies::{Known, Replies};
use super::said::{Counts, Said};
use super::shares::{Full, Shares};
use super::signature::{self, Signer, Unsigned};
use super::under_way::{Head, UnderWay, UnderWays};
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
    under_way: UnderWays,
    shares: Shares,
    /// Changes that the writer is to get with the next ones.
    letters: Vec<Letter>,
    replies: Replies,
    /// Signatures by public keys that did not fit, over TCP by source, and all over UDP together.
    attempts: Attempts,
    datagram_attempts: Attempts,
    counts: Counts,
    /// Lines about changes, and about everything else.
    change_quota: Quota,
    quota: Quota,
    answers: server::Replies,
    /// Room for the answer that is being composed.
    answer: Vec<u8>,
    swept: Instant,
}

/// The moment in which what came together is worked on.
#[derive(Clone, Copy)]
struct Now {
    /// Seconds since 1970-01-01 00:00 UTC.
    s: u64,
    instant: Instant,
}

impl Now {
    fn new() -> Now {
        Now { s: u64::try_from(clock::now().0 / 1000).unwrap_or(0), instant: Instant::now() }
    }
}

impl Desk {
    pub(super) fn new(
        settings: UpdateSettings,
        client: Client,
        inbox: Arc<Inbox>,
        ready: Arc<AtomicBool>,
    ) -> Desk {
        let now = Now::new();
        Desk {
            settings,
            client,
            inbox,
            ready,
            under_way: UnderWays::default(),
            shares: Shares::default(),
            letters: Vec::new(),
            replies: Replies::new(now.s),
            attempts: Attempts::new(SIGNATURES_PER_MINUTE),
            datagram_attempts: Attempts::new(DATAGRAM_SIGNATURES_PER_MINUTE),
            counts: Counts::default(),
            change_quota: Quota::of_changes(),
            quota: Quota::of_strangers(),
            answers: server::Replies::new(),
            answer: Vec::with_capacity(ANSWER_OCTETS),
            swept: now.instant,
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
            let now = Now::new();
            for (number, outcome) in decided.drain(..) {
                self.decided(number, (&Said::outcome(&outcome), Some(&outcome)), now);
            }
            for parcel in arrived.drain(..) {
                // Nobody waits for the work on all that came together.
                if self.answers.len() >= AT_ONCE {
                    self.send();
                }
                if self.letters.len() >= AT_ONCE {
                    self.post(now);
                }
                self.arrived(parcel, now);
            }
            self.post(now);
            let over = |since: &Instant| since.elapsed() >= CLOSING || self.under_way.is_empty();
            let ends = closed.as_ref().is_some_and(over);
            self.sweep(now, if ends { Duration::ZERO } else { CONFIRM });
            self.send();
            if ends {
                return;
            }
        }
    }

    /// Sends what was said; who has read it finds it counted.
    fn send(&mut self) {
        self.counts.tell();
        self.answers.send();
    }

    /// A message from its octets to the writer, or to an answer. Before its signature is known to be
    /// good, no more of it is read than to find that.
    fn arrived(&mut self, parcel: Parcel, now: Now) {
        let message = parcel.message();
        let Some(head) = Head::glance(message) else {
            return self.answers.push(parcel, None);
        };
        if !self.ready.load(Ordering::Acquire) {
            // Keys are loaded with the zones: nobody can be known yet.
            let said = Said::not_ready();
            self.counts.note(&said);
            head.compose(head.zone_section(message), (&said.verdict, 0), &mut self.answer);
            return self.answers.push(parcel, Some(&self.answer));
        }
        let source = Some(parcel.from().ip()).filter(|_| parcel.transport() == Transport::Tcp);
        let attempts = match source {
            Some(_) => &mut self.attempts,
            None => &mut self.datagram_attempts,
        };
        let known = (now.s, &self.replies);
        let signer = match signature::check(self.client.live(), message, (source, attempts), known)
        {
            Ok(signer) => signer,
            Err(why) => return self.turn_away(parcel, head, &why, now),
        };
        if !self.is_open_to(&parcel) {
            return self.refuse(parcel, &head, (&signer, &Said::closed_here()), now);
        }
        if self.is_known(&signer) {
            return self.repeat(parcel, &head, &signer);
        }
        let (head, read) = match update::parse(message) {
            Ok(read) => (Head::of(&read.about, parcel.transport()), Ok((read.change, read.lease))),
            Err(Unread::Refuse(about, rcode, why)) => {
                (Head::of(&about, parcel.transport()), Err(Said::malformed(rcode, why)))
            }
            Err(Unread::Silence) => return self.answers.push(parcel, None),
        };
        match read {
            Ok((change, lease)) => self.submit(parcel, head, (signer, change, lease), now),
            Err(said) => self.refuse(parcel, &head, (&signer, &said), now),
        }
    }

    /// Refuses what a known key sent, before anybody has judged it.
    fn refuse(&mut self, parcel: Parcel, head: &Head, (signer, said): (&Signer, &Said), now: Now) {
        let zone = head.zone_section(parcel.message());
        head.reply(zone, &said.verdict, (signer, now.s), &mut self.answer);
        self.tell(said, (signer.key(), &[], Some(parcel.from())), None, now);
        self.answers.push(parcel, Some(&self.answer));
    }

    /// Answers a message that nobody is believed to have signed.
    fn turn_away(&mut self, parcel: Parcel, head: Head, why: &Unsigned, now: Now) {
        let said = Said::unsigned(why);
        let zone = head.zone_section(parcel.message());
        match why {
            Unsigned::Tsig(fault) | Unsigned::Late(fault) => {
                head.compose(zone, (&said.verdict, fault.room()), &mut self.answer);
                if self.answer.len() + fault.room() <= head.limit {
                    fault.append(&mut self.answer, 0, now.s);
                }
            }
            _ => head.compose(zone, (&said.verdict, 0), &mut self.answer),
        }
        self.tell_stranger(why, &said, (parcel.from(), now));
        self.answers.push(parcel, Some(&self.answer));
    }

    /// Whether the same message came before, and its answer is known or under way.
    fn is_known(&self, signer: &Signer) -> bool {
        match self.replies.find(&signer.signature) {
            Some(Known::UnderWay(number)) => self.under_way.contains(number),
            Some(Known::Said(_)) => true,
            None => false,
        }
    }

    /// Answers a message that came before as it was answered then, or will be.
    fn repeat(&mut self, parcel: Parcel, head: &Head, signer: &Signer) {
        metrics::counter!("byname_dns_updates_total", "outcome" => "repeated").increment(1);
        match self.replies.find(&signer.signature) {
            Some(Known::Said(answer)) => {
                self.answer.clear();
                self.answer.extend_from_slice(answer);
                set_id(&mut self.answer, head.envelope.id);
                self.answers.push(parcel, Some(&self.answer));
            }
            Some(Known::UnderWay(number)) => match self.under_way.get_mut(number) {
                Some(first) if first.copies.len() < COPIES_MAX => first.copies.push(parcel),
                Some(_) | None => self.answers.push(parcel, None),
            },
            None => self.answers.push(parcel, None),
        }
    }

    /// Makes a change ready for the writer.
    fn submit(
        &mut self,
        parcel: Parcel,
        head: Head,
        (signer, change, lease): (Signer, Change, Option<UpdateLease>),
        now: Now,
    ) {
        let number = self.under_way.next();
        let lease = lease.map(granted);
        let for_so_long =
            lease.map(|UpdateLease { lease_s, key_lease_s }| Lease { lease_s, key_lease_s });
        let request = Request {
            actor: Actor::Key(signer.key().clone()),
            origin: self.client.origin(parcel.from().ip()),
            operation: Operation::Change { change, lease: for_so_long },
        };
        self.replies.begin(&signer.signature, number);
        let weight = weight(parcel.message());
        let fits = self.shares.take(signer.key(), weight);
        let time_s = signer.reply.as_ref().map_or(now.s, tsig::Verified::time_s);
        self.under_way.push(UnderWay {
            parcel: Some(parcel),
            copies: Vec::new(),
            zone_section: Box::default(),
            weight,
            time_s,
            signer,
            head,
            lease,
            since: now.instant,
        });
        let said = match fits {
            Ok(()) => {
                let reply = ReplyTo::Updates(Arc::clone(&self.inbox), number);
                return self.letters.push(Letter { request, reply });
            }
            Err(Full::All) => Said::not_submitted(SubmitError::Busy),
            Err(Full::Key) => Said::key_busy(),
        };
        self.decided(number, (&said, None), now);
    }

    /// Hands changes to the writer.
    fn post(&mut self, now: Now) {
        if self.letters.is_empty() {
            return;
        }
        let Err((why, left)) = self.client.post_all(std::mem::take(&mut self.letters)) else {
            return;
        };
        for letter in left {
            if let ReplyTo::Updates(_, number) = letter.reply {
                self.decided(number, (&Said::not_submitted(why), None), now);
            }
        }
    }

    /// What the writer says, from there to the answer.
    fn decided(&mut self, number: u64, (said, outcome): (&Said, Option<&Outcome>), now: Now) {
        let Some(mut done) = self.under_way.remove(number) else { return };
        self.shares.give_back(done.signer.key(), done.weight);
        let lease = done.lease.filter(|_| said.verdict.rcode == Rcode::NOERROR);
        let verdict = Verdict { lease, ..said.verdict };
        done.head.reply(done.zone_section(), &verdict, (&done.signer, now.s), &mut self.answer);
        let from = done.parcel.as_ref().map(Parcel::from);
        self.tell(said, (done.signer.key(), done.zone_section(), from), outcome, now);
        if let Some(parcel) = done.parcel.take() {
            self.answers.push(parcel, Some(&self.answer));
        }
        let UnderWay { copies, signer, time_s, .. } = done;
        self.replies.end(signer.signature, time_s, said.is_final.then_some(&self.answer));
        self.answer_copies(copies);
    }

    /// Answers copies of a message as it is answered.
    fn answer_copies(&mut self, copies: Vec<Parcel>) {
        for parcel in copies {
            let id = parcel.message().first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
            set_id(&mut self.answer, id);
            self.answers.push(parcel, Some(&self.answer));
        }
    }

    /// Tells who has waited for long that nobody knows yet. What the writer says of the message in the
    /// end is kept for the next time that it comes: it is not judged twice.
    fn sweep(&mut self, now: Now, patience: Duration) {
        if now.instant.duration_since(self.swept) < SWEEP && !patience.is_zero() {
            return;
        }
        self.swept = now.instant;
        let said = Said::unconfirmed();
        for one in self.under_way.iter_mut() {
            if one.since.elapsed() < patience || one.parcel.is_none() {
                continue;
            }
            let signer = (&one.signer, now.s);
            one.head.reply(one.zone_section(), &said.verdict, signer, &mut self.answer);
            self.counts.note(&said);
            for parcel in one.dismiss() {
                let id = parcel.message().first_chunk().map_or(0, |id| u16::from_be_bytes(*id));
                set_id(&mut self.answer, id);
                self.answers.push(parcel, Some(&self.answer));
            }
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

    /// A line of the log about an update of a known key, as far as there is room, and its count.
    fn tell(
        &mut self,
        said: &Said,
        (key, zone_section, from): (&Name, &[u8], Option<SocketAddr>),
        outcome: Option<&Outcome>,
        now: Now,
    ) {
        self.counts.note(said);
        let serial = match outcome {
            Some(Outcome::Done { serial, .. }) if self.may_tell_change(now) => {
                serial.map(|serial| serial.0)
            }
            Some(Outcome::Done { .. }) => return,
            _ if self.may_tell(now) => None,
            _ => return,
        };
        let (rcode, why) = (said.verdict.rcode, said.verdict.why.map(|why| why.text));
        let zone = Name::split_from(zone_section).ok();
        let zone = zone.map(|(zone, _)| crate::log::shown(&zone.to_string()).into_owned());
        let source = from.map(|from| tracing::field::display(from.ip()));
        tracing::info!(%key, zone, source, %rcode, outcome = said.word, why, serial, "DNS update");
    }

    /// Whether there is room in the log for a line about a change.
    fn may_tell_change(&mut self, now: Now) -> bool {
        let taken = self.change_quota.take(now.instant);
        if let Taken::Write { left_out: left_out @ 1.. } = taken {
            tracing::info!(
                left_out,
                "lines about DNS updates were left out; history has all changes"
            );
        }
        taken != Taken::LeaveOut
    }

    /// Whether there is room in the log for a line that anybody may cause.
    fn may_tell(&mut self, now: Now) -> bool {
        let taken = self.quota.take(now.instant);
        if let Taken::Write { left_out: left_out @ 1.. } = taken {
            tracing::warn!(left_out, "lines about DNS updates that changed nothing were left out");
        }
        taken != Taken::LeaveOut
    }

    /// A line of the log about somebody without a good signature, as far as there is room.
    fn tell_stranger(&mut self, why: &Unsigned, said: &Said, (from, now): (SocketAddr, Now)) {
        self.counts.note(said);
        if !self.may_tell(now) {
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

/// Gives an answer the id of a copy of its message: forwarders give each copy an id of its own.
fn set_id(answer: &mut [u8], id: u16) {
    if let Some(place) = answer.first_chunk_mut() {
        *place = id.to_be_bytes();
    }
}

/// The lease that is granted where this one is asked for (RFC 9664 §4): KEY records never go before
/// the others.
fn granted(asked: UpdateLease) -> UpdateLease {
    let bounded = |lease_s: u32| lease_s.clamp(LEASE_S_MIN, LEASE_S_MAX);
    let lease_s = bounded(asked.lease_s);
    let key_lease_s = asked.key_lease_s.map(|key_lease_s| bounded(key_lease_s).max(lease_s));
    UpdateLease { lease_s, key_lease_s }
}

/// What a message that is under way takes in memory, in octets, with the change that it became: names
/// in it may be compressed.
fn weight(message: &[u8]) -> usize {
    1024 + 32 * message.len()
}

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
/// Answers that leave together, and changes that the writer gets together.
const AT_ONCE: usize = 256;
/// How long the writer may take to decide.
const CONFIRM: Duration = Duration::from_secs(30);
/// How often that is looked at.
const SWEEP: Duration = Duration::from_secs(1);
/// How long a door that closes waits for what is under way, and how often it looks.
const CLOSING: Duration = Duration::from_secs(5);
const CLOSING_CHECK: Duration = Duration::from_millis(20);
