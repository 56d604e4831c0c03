//! Waiting for a condition until a deadline.

use std::time::{Duration, Instant};

/// Long enough for any step on a busy machine of two cores; nothing waits this long when all is
/// well.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; panics at the deadline with the last reason.
pub fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut ask: impl FnMut() -> Result<T, String>,
) -> T {
    let begun = Instant::now();
    loop {
        let reason = match ask() {
            Ok(answer) => return answer,
            Err(reason) => reason,
        };
        assert!(begun.elapsed() < deadline, "{what} not within {deadline:?}: {reason}");
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "a foreign program tells nobody when it is ready")]
fn pause() {
    std::thread::sleep(Duration::from_millis(25));
}
