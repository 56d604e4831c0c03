//! LOC: a place on the Earth (RFC 1876).

use crate::rdata::RdataError;
use crate::text::octets::Octets;
use crate::text::words::{Words, decimal};

/// RFC 1876 §3: latitude, longitude, altitude, then size and precisions, which may be left out.
pub(super) fn read(words: &mut Words<'_>) -> Result<Vec<u8>, RdataError> {
    let latitude = angle(words, 90, ["N", "S"])?;
    let longitude = angle(words, 180, ["E", "W"])?;
    let altitude = altitude(words)?;
    let mut octets = vec![VERSION];
    for default_cm in DEFAULTS_CM {
        let cm = if words.is_done() { default_cm } else { metres(words)? };
        octets.push(power_of_ten(cm));
    }
    for number in [latitude, longitude, altitude] {
        octets.extend_from_slice(&number.to_be_bytes());
    }
    Ok(octets)
}

/// All fields, as RFC 1876 appendix A shows them. `None` for a version that is not known.
pub(super) fn show(octets: &mut Octets<'_>) -> Option<String> {
    if octets.u8()? != VERSION {
        return None;
    }
    let sizes_cm = [in_cm(octets.u8()?)?, in_cm(octets.u8()?)?, in_cm(octets.u8()?)?];
    let latitude = shown_angle(octets.u32()?, ["N", "S"]);
    let longitude = shown_angle(octets.u32()?, ["E", "W"]);
    let altitude_cm = i64::from(octets.u32()?) - ALTITUDE_BASE_CM;
    let sign = if altitude_cm < 0 { "-" } else { "" };
    let mut text = format!("{latitude} {longitude} {sign}{}", shown_cm(altitude_cm.unsigned_abs()));
    for size_cm in sizes_cm {
        text.push(' ');
        text.push_str(&shown_cm(size_cm));
    }
    Some(text)
}

/// `d [m [s]]` and the hemisphere, in thousandths of a second of arc from 2^31.
fn angle(
    words: &mut Words<'_>,
    degrees_max: u64,
    [plus, minus]: [&str; 2],
) -> Result<u32, RdataError> {
    let is = |sign: &str, word: &str| sign.eq_ignore_ascii_case(word);
    let mut total_ms = words.number(degrees_max)? * MS_OF_DEGREE;
    let mut word = words.plain()?;
    // Minutes are whole, seconds have up to three decimals.
    for (unit_ms, max, decimals) in [(MS_OF_MINUTE, 59, 0), (1, MS_OF_MINUTE - 1, 3)] {
        if is(plus, word) || is(minus, word) {
            break;
        }
        let number = fixed_point(word, decimals).filter(|&number| number <= max);
        let number = number.ok_or_else(|| words.bad("a minute or second is not below 60"))?;
        total_ms += number * unit_ms;
        word = words.plain()?;
    }
    if !is(plus, word) && !is(minus, word) {
        return Err(words.bad(&format!("`{plus}` or `{minus}` is expected")));
    }
    let ms = u32::try_from(total_ms).ok().filter(|_| total_ms <= degrees_max * MS_OF_DEGREE);
    let ms = ms.ok_or_else(|| words.bad("an angle is too large"))?;
    Ok(if is(plus, word) { MERIDIAN + ms } else { MERIDIAN - ms })
}

fn shown_angle(number: u32, [plus, minus]: [&str; 2]) -> String {
    let sign = if number >= MERIDIAN { plus } else { minus };
    let ms = u64::from(number.abs_diff(MERIDIAN));
    let (degrees, ms) = (ms / MS_OF_DEGREE, ms % MS_OF_DEGREE);
    let (minutes, ms) = (ms / MS_OF_MINUTE, ms % MS_OF_MINUTE);
    format!("{degrees} {minutes} {}.{:03} {sign}", ms / 1000, ms % 1000)
}

/// Centimetres above a base 100 km below the reference spheroid (RFC 1876 §2).
fn altitude(words: &mut Words<'_>) -> Result<u32, RdataError> {
    let word = words.plain()?;
    let (is_below, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word),
    };
    let cm = fixed_point(digits.strip_suffix('m').unwrap_or(digits), 2);
    let cm = cm.and_then(|cm| i64::try_from(cm).ok()).map(|cm| if is_below { -cm } else { cm });
    let above = cm.and_then(|cm| u32::try_from(cm + ALTITUDE_BASE_CM).ok());
    above.ok_or_else(|| words.bad("an altitude of -100000.00m to 42849672.95m is expected"))
}

/// A size or precision, in centimetres.
fn metres(words: &mut Words<'_>) -> Result<u64, RdataError> {
    let word = words.plain()?;
    let cm = fixed_point(word.strip_suffix('m').unwrap_or(word), 2);
    let cm = cm.filter(|&cm| cm <= SIZE_CM_MAX);
    cm.ok_or_else(|| words.bad("a size or precision up to 90000000.00m is expected"))
}

fn shown_cm(cm: u64) -> String {
    format!("{}.{:02}m", cm / 100, cm % 100)
}

/// RFC 1876 §2: one digit in the upper half, the power of ten that it is multiplied with in the
/// lower. Digits after the first are cut off, as in appendix A.
fn power_of_ten(cm: u64) -> u8 {
    let (mut digit, mut power) = (cm.min(SIZE_CM_MAX), 0_u8);
    while digit > 9 {
        digit /= 10;
        power += 1;
    }
    u8::try_from(digit).unwrap_or(9) << 4 | power
}

/// `None` when a half is more than a decimal digit.
fn in_cm(size: u8) -> Option<u64> {
    let (digit, power) = (size >> 4, size & 0x0f);
    (digit <= 9 && power <= 9).then(|| u64::from(digit) * 10_u64.pow(power.into()))
}

/// A number with up to so many decimals, in units of the last one.
fn fixed_point(text: &str, decimals: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > decimals || whole.len() + fraction.len() == 0 {
        return None;
    }
    let digits = format!("{whole}{fraction:0<decimals$}");
    // Larger than any field.
    decimal(&digits, 1_000_000_000_000)
}

/// The only version that there is (RFC 1876 §2).
const VERSION: u8 = 0;
/// The equator, and the prime meridian.
const MERIDIAN: u32 = 1 << 31;
const MS_OF_MINUTE: u64 = 60_000;
const MS_OF_DEGREE: u64 = 60 * MS_OF_MINUTE;
const ALTITUDE_BASE_CM: i64 = 10_000_000;
/// Size, horizontal and vertical precision where the text has none (RFC 1876 §3).
const DEFAULTS_CM: [u64; 3] = [100, 1_000_000, 1000];
/// Largest size: the digit 9 and the power 9.
const SIZE_CM_MAX: u64 = 9_000_000_000;
