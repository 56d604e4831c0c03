//! Messages that the writer has, and what their answers repeat of them.

use std::collections::VecDeque;
use std::time::Instant;

use server::{Parcel, Transport};
use update::{About, Verdict};
use wire::{Envelope, Name, Query, QueryError, UpdateLease};

use super::signature::Signer;

/// A message that the writer has.
pub(super) struct UnderWay {
    /// None, once it was told that nobody knows yet.
    pub(super) parcel: Option<Parcel>,
    /// The same, come again meanwhile.
    pub(super) copies: Vec<Parcel>,
    /// Its zone section, once the message itself is gone.
    pub(super) zone_section: Box<[u8]>,
    pub(super) weight: usize,
    pub(super) time_s: u64,
    pub(super) signer: Signer,
    pub(super) head: Head,
    pub(super) lease: Option<UpdateLease>,
    pub(super) since: Instant,
}

impl UnderWay {
    /// Its zone section.
    pub(super) fn zone_section(&self) -> &[u8] {
        match &self.parcel {
            Some(parcel) => self.head.zone_section(parcel.message()),
            None => &self.zone_section,
        }
    }

    /// Those who wait for an answer; they do not any more.
    pub(super) fn dismiss(&mut self) -> impl Iterator<Item = Parcel> + use<> {
        self.zone_section = self.zone_section().into();
        self.parcel.take().into_iter().chain(std::mem::take(&mut self.copies))
    }
}

/// All of them by number. Numbers follow each other, and nearly all are decided in order.
#[derive(Default)]
pub(super) struct UnderWays {
    /// The number of the first place.
    first: u64,
    places: VecDeque<Option<UnderWay>>,
    count: usize,
}

impl UnderWays {
    /// The number that the next one gets.
    pub(super) fn next(&self) -> u64 {
        self.first + self.places.len() as u64
    }

    /// Notes one, with [`UnderWays::next`] for its number.
    pub(super) fn push(&mut self, one: UnderWay) {
        self.places.push_back(Some(one));
        self.count += 1;
    }

    /// Takes out the one of a number.
    pub(super) fn remove(&mut self, number: u64) -> Option<UnderWay> {
        let one = self.places.get_mut(self.place(number)?)?.take()?;
        self.count -= 1;
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.first += 1;
        }
        Some(one)
    }

    /// The one of a number.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut UnderWay> {
        self.places.get_mut(self.place(number)?)?.as_mut()
    }

    /// Whether there is one of a number.
    pub(super) fn contains(&self, number: u64) -> bool {
        let place = self.place(number).and_then(|place| self.places.get(place));
        place.is_some_and(Option::is_some)
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Every one.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut UnderWay> {
        self.places.iter_mut().flatten()
    }

    fn place(&self, number: u64) -> Option<usize> {
        number.checked_sub(self.first).and_then(|place| usize::try_from(place).ok())
    }
}

/// What the answer repeats of a message, and how long it may be.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) envelope: Envelope,
    zone_octets: usize,
    pub(super) limit: usize,
}

impl Head {
    /// What can be told of a message without reading it; `None`: nothing is to be said to it.
    pub(super) fn glance(message: &[u8]) -> Option<Head> {
        let Err(QueryError::Update(envelope)) = Query::parse(message) else { return None };
        let body = message.get(HEADER..)?;
        let zone = Name::length_of(body).map_or(0, |name| name + TYPE_AND_CLASS);
        let is_one = message.get(4..6) == Some(&[0, 1]) && zone <= body.len();
        let zone_octets = if is_one { zone } else { 0 };
        // What every receiver takes.
        Some(Head { envelope, zone_octets, limit: 512 })
    }

    pub(super) fn of(about: &About<'_>, transport: Transport) -> Head {
        let limit = match transport {
            Transport::Tcp => u16::MAX,
            Transport::Udp => about.udp_octets.min(UDP_OCTETS_MAX),
        };
        let zone_octets = about.zone.len();
        Head { envelope: about.envelope, zone_octets, limit: limit.into() }
    }

    /// The zone section of the message that it is of.
    pub(super) fn zone_section<'m>(&self, message: &'m [u8]) -> &'m [u8] {
        message.get(HEADER..HEADER + self.zone_octets).unwrap_or_default()
    }

    /// Composes an answer that repeats this zone section, with so many octets left for a signature, in
    /// place of what the buffer holds.
    pub(super) fn compose(
        &self,
        zone: &[u8],
        (verdict, room): (&Verdict, usize),
        answer: &mut Vec<u8>,
    ) {
        answer.clear();
        let limit = self.limit.saturating_sub(room);
        update::answer(answer, &self.envelope, zone, verdict, (limit, UDP_OCTETS_MAX));
    }

    /// The same, signed where its request's signer can be answered so.
    pub(super) fn reply(
        &self,
        zone: &[u8],
        verdict: &Verdict,
        (signer, now_s): (&Signer, u64),
        answer: &mut Vec<u8>,
    ) {
        let room = signer.reply.as_ref().map_or(0, tsig::Verified::room);
        self.compose(zone, (verdict, room), answer);
        if let Some(reply) = &signer.reply {
            reply.sign(answer, 0, now_s);
        }
    }
}

/// Octets of a header.
const HEADER: usize = 12;
/// Octets of the zone section after the name.
const TYPE_AND_CLASS: usize = 4;
/// Largest answer over UDP: passes nearly everywhere without fragments (DNS flag day 2020).
const UDP_OCTETS_MAX: u16 = 1232;
