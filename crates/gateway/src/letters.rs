//! The line in front of the writer: bounded, filled and taken many at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::client::Letter;

/// A line for so many letters: its two ends.
pub fn letters(room: usize) -> (Letterbox, Letters) {
    let line = Arc::new(Line { state: Mutex::default(), filled: Condvar::new(), room });
    (Letterbox(Arc::clone(&line)), Letters(line))
}

/// Where letters are put in. When it is gone, no more come.
#[derive(Debug)]
pub struct Letterbox(Arc<Line>);

/// Where letters are taken out. When it is gone, those that wait are dropped, and whoever waits for
/// an answer learns that there is none.
#[derive(Debug)]
pub struct Letters(Arc<Line>);

/// Why letters were not taken; they are handed back.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// There is no room.
    Full(Vec<Letter>),
    /// Nobody takes them out any more.
    Ended(Vec<Letter>),
}

#[derive(Debug)]
struct Line {
    state: Mutex<State>,
    filled: Condvar,
    room: usize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Letter>,
    /// No more are put in.
    closed: bool,
    /// No more are taken out.
    ended: bool,
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Letterbox {
    /// Puts letters in, in order, as far as there is room for them.
    pub(crate) fn put(&self, mut letters: Vec<Letter>) -> Result<(), NotTaken> {
        let mut state = self.0.lock();
        if state.ended {
            return Err(NotTaken::Ended(letters));
        }
        let was_empty = state.waiting.is_empty();
        let room = self.0.room.saturating_sub(state.waiting.len()).min(letters.len());
        state.waiting.extend(letters.drain(..room));
        let wakes = was_empty && !state.waiting.is_empty();
        drop(state);
        if wakes {
            self.0.filled.notify_one();
        }
        if letters.is_empty() { Ok(()) } else { Err(NotTaken::Full(letters)) }
    }
}

impl Drop for Letterbox {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.filled.notify_one();
    }
}

impl Letters {
    /// Waits until a letter is there, or so long, or until no more can come; whether more can.
    pub fn wait(&self, wait: Duration) -> bool {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let waited = self.0.filled.wait_timeout_while(self.0.lock(), wait, idle);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !(state.closed && state.waiting.is_empty())
    }

    /// Takes out what is there, at most so many; whether more can come.
    pub fn take(&self, most: usize, mut take: impl FnMut(Letter)) -> bool {
        let mut state = self.0.lock();
        let count = most.min(state.waiting.len());
        let taken = if count == state.waiting.len() {
            std::mem::take(&mut state.waiting)
        } else {
            state.waiting.drain(..count).collect()
        };
        let open = !(state.closed && state.waiting.is_empty());
        drop(state);
        taken.into_iter().for_each(&mut take);
        open
    }
}

impl Drop for Letters {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        // Outside of the lock: whoever learns of it may come back here.
        drop(waiting);
    }
}

#[cfg(test)]
mod tests {
    use account::Actor;
    use engine::{Operation, Outcome, Request};
    use tokio::sync::oneshot;

    use super::*;
    use crate::client::ReplyTo;

    fn letter() -> (Letter, oneshot::Receiver<Outcome>) {
        let (reply, outcome) = oneshot::channel();
        let operation = Operation::FlushSeen;
        let request = Request { actor: Actor::System, origin: None, operation };
        (Letter { request, reply: ReplyTo::One(reply) }, outcome)
    }

    #[test]
    fn a_full_line_takes_what_fits_and_hands_back_the_rest_in_order() {
        let (into, from) = letters(3);
        let (some, mut outcomes): (Vec<Letter>, Vec<_>) = (0..5).map(|_| letter()).unzip();
        let Err(NotTaken::Full(left)) = into.put(some) else { panic!("five in three places") };
        assert_eq!(left.len(), 2);
        drop(left);
        let gone = |outcome: &mut oneshot::Receiver<Outcome>| {
            outcome.try_recv() == Err(oneshot::error::TryRecvError::Closed)
        };
        let gone: Vec<bool> = outcomes.iter_mut().map(gone).collect();
        assert_eq!(gone, [false, false, false, true, true]);
        let mut taken = 0;
        assert!(from.take(2, |_| taken += 1));
        assert!(into.put(vec![letter().0, letter().0]).is_ok(), "there is room again");
        assert!(from.take(9, |_| taken += 1));
        assert_eq!(taken, 5);
    }

    #[test]
    fn who_waits_learns_that_nobody_takes_letters_any_more() {
        let (into, from) = letters(3);
        let (waiting, mut outcome) = letter();
        into.put(vec![waiting]).unwrap();
        drop(from);
        assert_eq!(outcome.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert!(
            matches!(into.put(vec![letter().0]), Err(NotTaken::Ended(left)) if left.len() == 1)
        );
    }

    #[test]
    fn what_is_in_the_line_is_taken_after_it_was_closed() {
        let (into, from) = letters(3);
        into.put(vec![letter().0]).unwrap();
        drop(into);
        let forever = Duration::from_secs(3600);
        assert!(from.wait(forever));
        assert!(!from.take(9, drop), "no more can come");
        assert!(!from.wait(forever));
    }
}
