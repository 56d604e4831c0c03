//! Times of signatures: a date and time of day (RFC 4034 §3.2).

/// `YYYYMMDDHHmmSS`, in UTC, as seconds since 1970. The field has 32 bits and is compared by serial
/// arithmetic, so dates that are 2^32 seconds apart are the same.
pub(super) fn read(text: &str) -> Option<u32> {
    if text.len() != DIGITS || !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let before = usize::try_from(month).ok()?.checked_sub(1)?;
    let lengths = month_days(year);
    let is_day = year > 0 && (1..=*lengths.get(before)?).contains(&day);
    if !is_day || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_before(year) - days_before(EPOCH) + lengths.iter().take(before).sum::<i64>();
    let seconds = (((days + day - 1) * 24 + hour) * 60 + minute) * 60 + second;
    u32::try_from(seconds.rem_euclid(1 << 32)).ok()
}

/// The date from 1970 on: without a clock there is no telling which of the others is meant.
pub(super) fn show(seconds: u32) -> String {
    let mut day = i64::from(seconds / DAY_S);
    let mut year = EPOCH;
    // At most 136 years.
    while day >= days_before(year + 1) - days_before(year) {
        day -= days_before(year + 1) - days_before(year);
        year += 1;
    }
    let mut month = 1;
    for length in month_days(year) {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds % DAY_S / 3600, seconds % 3600 / 60, seconds % 60);
    format!("{year:04}{month:02}{:02}{hour:02}{minute:02}{second:02}", day + 1)
}

/// Days of all years before this one.
fn days_before(year: i64) -> i64 {
    let years = year - 1;
    years * 365 + years / 4 - years / 100 + years / 400
}

fn month_days(year: i64) -> [i64; 12] {
    let february = days_before(year + 1) - days_before(year) - 337;
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// Fourteen digits are a date, fewer are a number of seconds (RFC 4034 §3.2).
pub(super) const DIGITS: usize = 14;
const EPOCH: i64 = 1970;
const DAY_S: u32 = 86_400;
