//! When to order: a pure decision over what is known and the moment.

use serde::{Deserialize, Serialize};

/// What is remembered of orders; it survives restarts, so that they do not become a way to hammer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Past {
    /// Whose orders these are: the authority and the names.
    pub(crate) subject: String,
    /// When orders were made within the last day, in seconds since 1970.
    pub(crate) orders_s: Vec<i64>,
    /// Failures since the last success.
    pub(crate) failures: u32,
    /// Before this moment nothing is tried, in seconds since 1970.
    pub(crate) not_before_s: i64,
}

/// What a certificate is valid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) from_s: i64,
    pub(crate) until_s: i64,
}

/// How an attempt failed, as far as it matters for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing was ordered: the authority did not answer, or something here is not ready.
    Outside,
    /// An order failed: the same attempt is likely to fail again.
    Order,
    /// The authority asks to be left alone.
    Limited,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Order now.
    Order,
    /// Look again at this moment, in seconds since 1970.
    Wait(i64),
}

impl Past {
    /// The same for a subject: another one than before is tried at once, within the limit of a day.
    pub(crate) fn of(mut self, subject: &str) -> Past {
        if self.subject != subject {
            subject.clone_into(&mut self.subject);
            (self.failures, self.not_before_s) = (0, 0);
        }
        self
    }

    /// What to do when a certificate is wanted from `due_s` on. `asked`: somebody wants it tried now,
    /// whatever failed before; the limit of a day holds all the same.
    pub(crate) fn next(&self, due_s: i64, now_s: i64, asked: bool) -> Next {
        let not_before_s = if asked { 0 } else { self.not_before_s.min(now_s + BACKOFF_S_MAX) };
        let at_s = due_s.max(not_before_s).max(self.free_s(now_s));
        if at_s <= now_s { Next::Order } else { Next::Wait(at_s) }
    }

    /// Notes that an order is about to be made.
    pub(crate) fn ordered(&mut self, now_s: i64) {
        self.orders_s.retain(|at_s| (now_s - DAY_S..=now_s).contains(at_s));
        self.orders_s.push(now_s);
    }

    /// Notes that a certificate came.
    pub(crate) fn succeeded(&mut self) {
        (self.failures, self.not_before_s) = (0, 0);
    }

    /// Notes a failure. `random` spreads attempts of many services over time.
    pub(crate) fn failed(&mut self, kind: Kind, now_s: i64, random: u32) {
        let (first_s, most_s) = match kind {
            Kind::Outside => (30, 3600),
            Kind::Order => (300, BACKOFF_S_MAX),
            Kind::Limited => (3600, BACKOFF_S_MAX),
        };
        let doublings = self.failures.min(20);
        let wait_s = (first_s << doublings).min(most_s);
        self.failures = self.failures.saturating_add(1);
        // Up to half as long again.
        self.not_before_s = now_s + wait_s + share(wait_s / 2, random);
    }

    /// When the limit of a day allows an order.
    fn free_s(&self, now_s: i64) -> i64 {
        let mut recent: Vec<i64> = self
            .orders_s
            .iter()
            .copied()
            .filter(|at_s| (now_s - DAY_S..=now_s).contains(at_s))
            .collect();
        if recent.len() < ORDERS_A_DAY_MAX {
            return now_s;
        }
        recent.sort_unstable();
        let oldest = recent.get(recent.len() - ORDERS_A_DAY_MAX).copied().unwrap_or(now_s);
        oldest + DAY_S + 1
    }
}

impl Lifetime {
    /// When to renew without advice: at two thirds, and up to a thirtieth later.
    pub(crate) fn renewal_s(self, random: u32) -> i64 {
        let whole_s = (self.until_s - self.from_s).max(0);
        self.from_s + whole_s / 3 * 2 + share(whole_s / 30, random)
    }

    /// When to renew by the window that the authority suggests (RFC 9773 §4.2): at a random moment
    /// in it, never after the certificate's end.
    pub(crate) fn within(self, (from_s, until_s): (i64, i64), random: u32) -> i64 {
        let from_s = from_s.min(self.until_s);
        let until_s = until_s.min(self.until_s);
        from_s + share((until_s - from_s).max(0), random)
    }
}

/// So much of a whole as a random number says.
fn share(whole: i64, random: u32) -> i64 {
    let part = i128::from(whole) * i128::from(random) / i128::from(u32::MAX);
    i64::try_from(part).unwrap_or(0)
}

/// Most orders within a day. Public authorities allow a few certificates for one set of names a
/// week, and a few failed proofs an hour.
pub(crate) const ORDERS_A_DAY_MAX: usize = 10;
/// Longest wait after failures, its spread aside.
const BACKOFF_S_MAX: i64 = 12 * 3600;
const DAY_S: i64 = 86_400;

#[cfg(test)]
mod tests;
