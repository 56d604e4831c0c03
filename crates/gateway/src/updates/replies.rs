//! What was said to signed messages lately: the same message gets the same answer.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use foldhash::fast::RandomState;
use tsig::Mac;
use wire::Name;

/// What tells a message from all others: its signer and signature.
pub(super) type Signature = (Arc<Name>, Mac);

/// What is known of a message that came before.
pub(super) enum Known<'r> {
    /// It is under way, by this number.
    UnderWay(u64),
    /// This was said; the id at its beginning is that of the first message.
    Said(&'r [u8]),
}

/// Answers by signature, the oldest forgotten first.
///
/// A client that gets no answer sends the same octets again, and clients behind one key do not know
/// of each other: judged once more, a message whose prerequisites its own first copy has made false
/// would be refused.
#[derive(Debug, Default)]
pub(super) struct Replies {
    by_signature: HashMap<Signature, Entry, RandomState>,
    /// With the times at which their messages were signed.
    order: VecDeque<(Signature, u64)>,
    octets: usize,
    /// Of each key the latest signing time of a message whose answer was forgotten.
    forgotten: HashMap<Arc<Name>, u64>,
    /// What was signed before this, in seconds since 1970, may have been answered before the start.
    since_s: u64,
}

#[derive(Debug)]
enum Entry {
    UnderWay(u64),
    Said(Box<[u8]>),
}

impl Replies {
    /// Nothing said yet; what was said before a start is not known.
    pub(super) fn new(now_s: u64) -> Replies {
        Replies { since_s: now_s, ..Replies::default() }
    }

    /// Whether a message that is not known may be one whose answer was forgotten: who has recorded it
    /// could have it carried out once more. What was signed just now is not held for one, as datagrams
    /// overtake each other.
    pub(super) fn is_forgotten(&self, signature: &Signature, time_s: u64, now_s: u64) -> bool {
        if time_s + FRESH_S >= now_s {
            return false;
        }
        let last = self.forgotten.get(&signature.0).copied().unwrap_or(0).max(self.since_s);
        time_s <= last && !self.by_signature.contains_key(signature)
    }

    /// What is known of a message.
    pub(super) fn find(&self, signature: &Signature) -> Option<Known<'_>> {
        Some(match self.by_signature.get(signature)? {
            Entry::UnderWay(number) => Known::UnderWay(*number),
            Entry::Said(answer) => Known::Said(answer),
        })
    }

    /// Notes that a message is under way.
    pub(super) fn begin(&mut self, signature: &Signature, number: u64) {
        self.by_signature.insert(signature.clone(), Entry::UnderWay(number));
    }

    /// Notes what was said to a message, if that is final; otherwise forgets it, so that the same
    /// message is judged when it comes again.
    pub(super) fn end(&mut self, signature: Signature, time_s: u64, answer: Option<&[u8]>) {
        let Some(answer) = answer else {
            self.by_signature.remove(&signature);
            return;
        };
        self.octets += answer.len();
        let said = Entry::Said(answer.into());
        match self.by_signature.get_mut(&signature) {
            Some(entry) => *entry = said,
            None => {
                self.by_signature.insert(signature.clone(), said);
            }
        }
        self.order.push_back((signature, time_s));
        while self.order.len() > ANSWERS_MAX || self.octets > OCTETS_MAX {
            let Some((oldest, time_s)) = self.order.pop_front() else { break };
            if let Some(Entry::Said(answer)) = self.by_signature.remove(&oldest) {
                self.octets -= answer.len();
                let last = self.forgotten.entry(oldest.0).or_default();
                *last = time_s.max(*last);
            }
        }
    }
}

/// Messages that were signed no longer ago, in seconds, are never held for old ones: so far may clocks
/// be apart, whatever was forgotten.
const FRESH_S: u64 = 60;

/// Most answers that are kept, and most octets of them.
const ANSWERS_MAX: usize = 32_768;
const OCTETS_MAX: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(number: u32) -> Signature {
        (Arc::new(Name::root()), Mac::of(&number.to_be_bytes()))
    }

    #[test]
    fn the_oldest_answers_are_forgotten_and_nothing_piles_up() {
        let mut replies = Replies::default();
        let many = ANSWERS_MAX as u32 + 10;
        for number in 0..many {
            let signature = signature(number);
            replies.begin(&signature, number.into());
            assert!(matches!(replies.find(&signature), Some(Known::UnderWay(_))));
            replies.end(signature, number.into(), Some(&number.to_be_bytes()));
        }
        assert_eq!(replies.by_signature.len(), ANSWERS_MAX);
        assert_eq!(replies.octets, ANSWERS_MAX * 4);
        assert!(replies.find(&signature(0)).is_none());
        let last = replies.find(&signature(many - 1));
        assert!(matches!(last, Some(Known::Said(answer)) if answer == (many - 1).to_be_bytes()));
    }

    #[test]
    fn a_recorded_message_is_not_carried_out_again_when_its_answer_was_forgotten() {
        let mut replies = Replies::new(1000);
        // Before the start: who knows.
        assert!(replies.is_forgotten(&signature(0), 999, 1060));
        assert!(
            !replies.is_forgotten(&signature(0), 1001, 1100),
            "late, but nothing was forgotten"
        );
        for number in 0..=ANSWERS_MAX as u32 {
            replies.end(signature(number), 2000, Some(b"said"));
        }
        assert!(replies.is_forgotten(&signature(0), 2000, 2061));
        assert!(!replies.is_forgotten(&signature(0), 2000, 2060), "it was signed just now");
        assert!(!replies.is_forgotten(&signature(1), 2000, 2200), "its answer is known");
        let other = Name::parse("other.test").unwrap();
        assert!(!replies.is_forgotten(&(Arc::new(other), Mac::of(b"x")), 2000, 2200));
    }

    #[test]
    fn what_was_not_final_is_judged_again() {
        let mut replies = Replies::default();
        replies.begin(&signature(1), 1);
        replies.end(signature(1), 1, None);
        assert!(replies.find(&signature(1)).is_none());
    }

    #[test]
    fn large_answers_are_bounded_by_their_octets() {
        let mut replies = Replies::default();
        let answer = vec![0; 60_000];
        for number in 0..500 {
            replies.end(signature(number), 1, Some(&answer));
        }
        assert!(replies.octets <= OCTETS_MAX && replies.order.len() < 150);
    }
}
