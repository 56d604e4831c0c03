//! The system's clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use account::Timestamp;
use tokio::time::Instant;

/// The moment.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The instant so long after another; a far one when that is beyond what the clock can count to.
pub(crate) fn after(start: Instant, wait: Duration) -> Instant {
    start.checked_add(wait).unwrap_or_else(|| start + FAR)
}

/// 30 years.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
