//! Requests that may be sent again: the same key gets the same answer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use account::TokenId;
use axum::http::HeaderMap;

use crate::answer::Answer;
use crate::problem::{Kind, Problem};

/// Answers to requests with a key, kept for a while in memory; a restart forgets them.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Key, Entry>,
    /// Oldest first; keys that are gone from `entries` may still be here.
    order: VecDeque<(Key, u64)>,
    by_token: HashMap<TokenId, usize>,
    octets: usize,
    made: u64,
}

type Key = (TokenId, String);

#[derive(Debug)]
struct Entry {
    /// Tells it from an earlier one of the same key.
    number: u64,
    fingerprint: [u8; 32],
    at: Instant,
    /// `None`: it is under way.
    answer: Option<Answer>,
}

/// What is to be done about a request with a key.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is new: carry it out.
    New(Place),
    /// It was carried out: this was answered.
    Again(Answer),
}

/// The place of a request that is under way. Dropped without an answer, the key is free again.
#[derive(Debug)]
pub(crate) struct Place {
    answers: Arc<Answers>,
    key: Key,
    number: u64,
}

/// The key of a request, if it has one.
pub(crate) fn key(fields: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = fields.get_all(KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let is_key = (1..=KEY_OCTETS_MAX).contains(&text.len()) && values.next().is_none();
    if !is_key || !text.bytes().all(|octet| octet.is_ascii_graphic()) {
        let detail = "`Idempotency-Key` is one value of 1 to 255 printable characters";
        return Err(Problem::new(Kind::BadRequest, detail));
    }
    Ok(Some(text.to_owned()))
}

impl Answers {
    /// Begins a request of a token with a key; `fingerprint` is of the whole request.
    pub(crate) fn begin(
        self: &Arc<Self>,
        (token, key): Key,
        fingerprint: [u8; 32],
        now: Instant,
    ) -> Result<Begun, Problem> {
        let mut kept = self.kept();
        kept.forget_old(now);
        let key = (token, key);
        if let Some(entry) = kept.entries.get(&key) {
            return again(entry, &fingerprint);
        }
        if kept.by_token.get(&token).is_some_and(|&count| count >= TOKEN_KEYS_MAX) {
            kept.forget_one_of(token);
        }
        // Keys of requests that failed leave their place in the order behind.
        while kept.order.len() >= KEYS_MAX && kept.forget_first() {
            metrics::counter!("byname_api_idempotency_forgotten_total").increment(1);
        }
        kept.made += 1;
        let number = kept.made;
        kept.entries.insert(key.clone(), Entry { number, fingerprint, at: now, answer: None });
        kept.order.push_back((key.clone(), number));
        *kept.by_token.entry(token).or_default() += 1;
        Ok(Begun::New(Place { answers: Arc::clone(self), key, number }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn again(entry: &Entry, fingerprint: &[u8; 32]) -> Result<Begun, Problem> {
    if entry.fingerprint != *fingerprint {
        let detail = "this `Idempotency-Key` came with another request before";
        return Err(Problem::new(Kind::KeyReused, detail).hint("make a new key for each request"));
    }
    match entry.answer.as_ref().and_then(Answer::copy) {
        Some(answer) => Ok(Begun::Again(answer)),
        None => {
            let detail = "the first request with this `Idempotency-Key` is not answered yet";
            Err(Problem::new(Kind::InProgress, detail).retry_after(1))
        }
    }
}

impl Kept {
    fn forget_old(&mut self, now: Instant) {
        while let Some((key, number)) = self.order.front().cloned() {
            let entry = self.entries.get(&key).filter(|entry| entry.number == number);
            if entry.is_some_and(|entry| now.duration_since(entry.at) < KEPT) {
                break;
            }
            self.order.pop_front();
            self.remove(&key, number);
        }
    }

    /// Forgets the oldest one; false when there is none.
    fn forget_first(&mut self) -> bool {
        let Some((key, number)) = self.order.pop_front() else { return false };
        self.remove(&key, number);
        true
    }

    fn forget_one_of(&mut self, token: TokenId) {
        let is_there = |(key, number): &&(Key, u64)| {
            key.0 == token && self.entries.get(key).is_some_and(|entry| entry.number == *number)
        };
        let found = self.order.iter().find(is_there).cloned();
        if let Some((key, number)) = found {
            self.remove(&key, number);
        }
    }

    fn remove(&mut self, key: &Key, number: u64) {
        if self.entries.get(key).is_none_or(|entry| entry.number != number) {
            return;
        }
        let Some(entry) = self.entries.remove(key) else { return };
        self.octets -= entry.answer.as_ref().map_or(0, Answer::octets).min(self.octets);
        if let Some(count) = self.by_token.get_mut(&key.0) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_token.remove(&key.0);
            }
        }
    }
}

impl Place {
    /// Keeps the answer, unless asking again may come to something else.
    pub(crate) fn answered(self, answer: &Answer) {
        let lasts = !answer.status.is_server_error() && answer.status.as_u16() != 429;
        let Some(copy) = answer.copy().filter(|_| lasts) else { return };
        let mut kept = self.answers.kept();
        let octets = copy.octets();
        while kept.octets.saturating_add(octets) > OCTETS_MAX && kept.forget_first() {
            metrics::counter!("byname_api_idempotency_forgotten_total").increment(1);
        }
        let number = self.number;
        let entry = kept.entries.get_mut(&self.key).filter(|entry| entry.number == number);
        if let Some(entry) = entry {
            entry.answer = Some(copy);
            kept.octets += octets;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut kept = self.answers.kept();
        let entry = kept.entries.get(&self.key).filter(|entry| entry.number == self.number);
        if entry.is_some_and(|entry| entry.answer.is_none()) {
            let (key, number) = (self.key.clone(), self.number);
            kept.remove(&key, number);
        }
    }
}

/// The header field of a key.
pub(crate) const KEY: &str = "idempotency-key";
/// Longest key, in octets.
const KEY_OCTETS_MAX: usize = 255;
/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(3600);
/// Most keys of one token.
const TOKEN_KEYS_MAX: usize = 256;
/// Most keys in all.
const KEYS_MAX: usize = 16_384;
/// Most octets of answers in all.
const OCTETS_MAX: usize = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn answer(body: &'static str) -> Answer {
        Answer::whole(StatusCode::CREATED, "text/plain", body)
    }

    fn new(answers: &Arc<Answers>, key: &str, now: Instant) -> Place {
        match answers.begin((TokenId(1), key.to_owned()), [0; 32], now) {
            Ok(Begun::New(place)) => place,
            other => panic!("{other:?}"),
        }
    }

    fn kind(answers: &Arc<Answers>, key: &str, print: u8, now: Instant) -> Option<Kind> {
        let begun = answers.begin((TokenId(1), key.to_owned()), [print; 32], now);
        begun.err().map(|problem| problem.kind)
    }

    #[test]
    fn same_key_gets_the_same_answer_and_no_other_request_does() {
        let (answers, now) = (Arc::new(Answers::default()), Instant::now());
        let place = new(&answers, "k", now);
        assert_eq!(kind(&answers, "k", 0, now), Some(Kind::InProgress));
        assert_eq!(kind(&answers, "k", 1, now), Some(Kind::KeyReused));
        place.answered(&answer("made"));
        let again = answers.begin((TokenId(1), "k".to_owned()), [0; 32], now);
        assert!(matches!(again, Ok(Begun::Again(a)) if a.octets() == 4));
        assert_eq!(kind(&answers, "k", 1, now), Some(Kind::KeyReused));
        // Another token has keys of its own, and an hour later nobody remembers.
        let other = answers.begin((TokenId(2), "k".to_owned()), [1; 32], now);
        assert!(matches!(other, Ok(Begun::New(_))));
        drop(new(&answers, "k", now + KEPT));
    }

    #[test]
    fn what_failed_or_was_given_up_may_be_tried_again() {
        let (answers, now) = (Arc::new(Answers::default()), Instant::now());
        drop(new(&answers, "k", now));
        let busy = Answer::problem(&Problem::new(Kind::Unavailable, "busy"));
        new(&answers, "k", now).answered(&busy);
        drop(new(&answers, "k", now));
        assert_eq!(answers.kept().entries.len(), 0);
        assert!(answers.kept().by_token.is_empty());
    }

    #[test]
    fn keys_and_their_answers_are_bounded() {
        let (answers, now) = (Arc::new(Answers::default()), Instant::now());
        for number in 0..TOKEN_KEYS_MAX + 10 {
            new(&answers, &number.to_string(), now).answered(&answer("made"));
        }
        let kept = answers.kept();
        assert_eq!(kept.entries.len(), TOKEN_KEYS_MAX);
        assert_eq!(kept.octets, 4 * TOKEN_KEYS_MAX);
        assert!(!kept.entries.contains_key(&(TokenId(1), "9".to_owned())));
        assert!(kept.entries.contains_key(&(TokenId(1), "10".to_owned())));
    }
}
