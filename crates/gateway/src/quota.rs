//! How many lines of the log callers may fill: a disk is not theirs to fill.

use std::time::{Duration, Instant};

/// So many lines in each window; the rest is counted and summed up in one line later.
#[derive(Debug)]
pub(crate) struct Quota {
    lines_max: u32,
    window: Option<Instant>,
    used: u32,
    left_out: u64,
}

/// What to do with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Write it, and before it that so many were left out; 0: none were.
    Write {
        /// Lines that were left out since the last one written.
        left_out: u64,
    },
    /// Leave it out.
    LeaveOut,
}

impl Quota {
    /// For lines that anybody may cause.
    pub(crate) fn of_strangers() -> Quota {
        Quota::of(LINES_MAX)
    }

    /// For lines about changes by those who may make them: history has every one.
    pub(crate) fn of_changes() -> Quota {
        Quota::of(CHANGE_LINES_MAX)
    }

    fn of(lines_max: u32) -> Quota {
        Quota { lines_max, window: None, used: 0, left_out: 0 }
    }

    /// Takes one line.
    pub(crate) fn take(&mut self, now: Instant) -> Taken {
        if self.window.is_none_or(|began| now.duration_since(began) >= WINDOW) {
            (self.window, self.used) = (Some(now), 0);
        }
        if self.used >= self.lines_max {
            self.left_out += 1;
            return Taken::LeaveOut;
        }
        self.used += 1;
        Taken::Write { left_out: std::mem::take(&mut self.left_out) }
    }
}

/// The time that a number of lines is for.
const WINDOW: Duration = Duration::from_secs(1);
/// Most lines of strangers in that time: about 2 GB in a day at the very worst.
const LINES_MAX: u32 = 50;
/// Most lines about changes in that time. A line takes longer than anything else that is done for a
/// change; whoever has so many of them reads history and metrics.
const CHANGE_LINES_MAX: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_quota_are_left_out_and_counted() {
        let start = Instant::now();
        let mut quota = Quota::of_strangers();
        for _ in 0..LINES_MAX {
            assert_eq!(quota.take(start), Taken::Write { left_out: 0 });
        }
        assert_eq!(quota.take(start), Taken::LeaveOut);
        assert_eq!(quota.take(start + WINDOW / 2), Taken::LeaveOut);
        assert_eq!(quota.take(start + WINDOW), Taken::Write { left_out: 2 });
        assert_eq!(quota.take(start + WINDOW), Taken::Write { left_out: 0 });
    }
}
