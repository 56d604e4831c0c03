//! What to do next for one host, and what an outcome leaves behind: the third step of the flow.
//!
//! ```text
//!            ┌────────────── Confirmed ───────────────┐
//!            ▼                                        │
//!  ┌────► Free ── Paused(…) ──► Paused ── due, or another network ── update ──► …
//!  │         └─── Stopped(…) ─► Stopped ── another target (token, host, server)
//!  └──────────────────────────────┘
//! ```

use std::net::IpAddr;
use std::time::Duration;

use crate::address::{Family, PerFamily};
use crate::backoff::{self, Bounds};
use crate::desired::{Desired, Want};
use crate::outcome::{Outcome, Pausing, Stop};

/// What is remembered of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which host, service and token it is about. What was learned of one target says nothing of
    /// another.
    pub target: Target,
    /// What the service is known to hold; `None`: unknown.
    pub published: PerFamily<Option<Published>>,
    /// Whether updates are held back.
    pub hold: Hold,
}

/// A digest of host, service and token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(pub String);

/// What a service has confirmed for one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The addresses, in order; none: the records were removed.
    pub addresses: Vec<IpAddr>,
    /// When it was confirmed, in milliseconds since 1970.
    pub at_ms: u64,
    /// Whether the confirming update changed anything at the service.
    pub changed: bool,
}

/// Whether updates are held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// They are not.
    Free,
    /// For good, until the target is another one.
    Stopped {
        /// Why.
        stop: Stop,
        /// Since when, in milliseconds since 1970.
        at_ms: u64,
    },
    /// For a while.
    Paused(Pause),
}

/// A wait after an update that did not come through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Why.
    pub why: Pausing,
    /// Since when, in milliseconds since 1970.
    pub at_ms: u64,
    /// How long, in milliseconds.
    pub delay_ms: u64,
    /// What could not be published.
    pub tried: Update,
}

/// What one update asks for. A family that is [`Want::Keep`] is not mentioned in it.
pub type Update = Desired;

/// What to do next for one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The service holds what is wanted, or nothing is wanted.
    Nothing,
    /// Ask for this.
    Publish(Update),
    /// Ask later.
    Wait {
        /// How long from now, in milliseconds.
        for_ms: u64,
        /// Why.
        why: Pausing,
    },
    /// Do not ask.
    Stopped(Stop),
}

impl Record {
    /// Nothing is known yet.
    pub fn new(target: Target) -> Record {
        Record { target, published: PerFamily::default(), hold: Hold::Free }
    }

    /// What to do now. What is published and confirmed is asked for again after `refresh`, so that
    /// a record that somebody else has changed is put right.
    pub fn plan(&self, desired: &Desired, refresh: Duration, now_ms: u64) -> Plan {
        if let Hold::Stopped { stop, .. } = &self.hold {
            return Plan::Stopped(*stop);
        }
        if !Family::BOTH.iter().any(|family| self.is_due(desired, *family, refresh, now_ms)) {
            return Plan::Nothing;
        }
        if let Hold::Paused(pause) = &self.hold
            && let Some(for_ms) = pause.remaining_ms(now_ms)
            && !(pause.yields_to_change() && pause.tried != *desired)
        {
            return Plan::Wait { for_ms, why: pause.why.clone() };
        }
        Plan::Publish(desired.clone())
    }

    fn is_due(&self, desired: &Desired, family: Family, refresh: Duration, now_ms: u64) -> bool {
        let wanted = match desired.of(family) {
            Want::Keep => return false,
            Want::Hold(addresses) => addresses.as_slice(),
            Want::Remove => &[],
        };
        match self.published.of(family) {
            None => true,
            Some(held) => held.addresses != wanted || has_passed(held.at_ms, refresh, now_ms),
        }
    }

    /// What is known after an update. `dice` is any number, evenly distributed.
    pub fn settle(&mut self, update: &Update, outcome: &Outcome, now_ms: u64, dice: u64) {
        match outcome {
            Outcome::Confirmed { changed } => {
                self.hold = Hold::Free;
                for family in Family::BOTH {
                    let addresses = match update.of(family) {
                        Want::Keep => continue,
                        Want::Hold(addresses) => addresses.as_slice().to_vec(),
                        Want::Remove => Vec::new(),
                    };
                    let published = Published { addresses, at_ms: now_ms, changed: *changed };
                    *self.published.of_mut(family) = Some(published);
                }
            }
            Outcome::Stopped(stop) => {
                self.hold = Hold::Stopped { stop: *stop, at_ms: now_ms };
            }
            Outcome::Paused(why) => {
                if matches!(why, Pausing::Unconfirmed(_)) {
                    self.forget(update);
                }
                let previous = match &self.hold {
                    Hold::Paused(pause) => Some(Duration::from_millis(pause.delay_ms)),
                    Hold::Free | Hold::Stopped { .. } => None,
                };
                let delay_ms = delay_ms(why, previous, dice);
                let tried = update.clone();
                self.hold =
                    Hold::Paused(Pause { why: why.clone(), at_ms: now_ms, delay_ms, tried });
            }
        }
    }

    /// After an update without an answer the service may hold the old or the new.
    fn forget(&mut self, update: &Update) {
        for family in Family::BOTH {
            if *update.of(family) != Want::Keep {
                *self.published.of_mut(family) = None;
            }
        }
    }

    /// Lifts a stop or a pause: somebody says that the reason is gone.
    pub fn lift(&mut self) {
        self.hold = Hold::Free;
    }

    /// The machine has got other addresses: failures of the old network say nothing of the new. What
    /// the service has asked for still holds.
    pub fn network_has_changed(&mut self) {
        if let Hold::Paused(pause) = &self.hold
            && pause.yields_to_change()
        {
            self.hold = Hold::Free;
        }
    }

    /// When to look at this host again, in milliseconds from now, if not at the next poll.
    pub fn wakes_in_ms(&self, now_ms: u64) -> Option<u64> {
        match &self.hold {
            Hold::Paused(pause) => Some(pause.remaining_ms(now_ms).unwrap_or(0)),
            Hold::Free | Hold::Stopped { .. } => None,
        }
    }
}

impl Pause {
    /// How much of it is left; `None` when it is over. A clock that was set back ends it.
    fn remaining_ms(&self, now_ms: u64) -> Option<u64> {
        let passed = now_ms.checked_sub(self.at_ms)?;
        self.delay_ms.checked_sub(passed).filter(|left| *left > 0)
    }

    /// Whether another address is a reason to try at once: it is when it was the network's fault,
    /// and is not when the service has asked for peace.
    fn yields_to_change(&self) -> bool {
        match self.why {
            Pausing::Unreachable(_) | Pausing::Unconfirmed(_) => true,
            Pausing::Unavailable { .. } => false,
        }
    }
}

fn delay_ms(why: &Pausing, previous: Option<Duration>, dice: u64) -> u64 {
    let delay = match why {
        Pausing::Unreachable(_) | Pausing::Unconfirmed(_) => {
            backoff::next(NETWORK_BOUNDS, previous, dice)
        }
        Pausing::Unavailable { for_s, .. } => {
            let asked = for_s.map_or(SILENCE, |seconds| Duration::from_secs(seconds.into()));
            let asked = asked.min(SILENCE_MAX);
            let spread = Bounds { shortest: asked, longest: asked + asked / 10 };
            backoff::next(spread, None, dice).max(backoff::next(REFUSED_BOUNDS, previous, dice))
        }
    };
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

/// Whether `period` is over. A clock that was set back says yes.
fn has_passed(at_ms: u64, period: Duration, now_ms: u64) -> bool {
    now_ms.checked_sub(at_ms).is_none_or(|passed| u128::from(passed) >= period.as_millis())
}

const NETWORK_BOUNDS: Bounds =
    Bounds { shortest: Duration::from_secs(5), longest: Duration::from_secs(15 * 60) };
const REFUSED_BOUNDS: Bounds =
    Bounds { shortest: Duration::from_secs(5), longest: Duration::from_secs(2 * 60 * 60) };

/// How long to leave a service alone that says `911` or `dnserr` and no more: the dyndns2
/// documents of the large services ask for half an hour.
const SILENCE: Duration = Duration::from_secs(30 * 60);
/// No service can make us wait longer.
const SILENCE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests;
