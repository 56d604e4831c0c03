//! Reading the values of settings.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use gateway::Network;
use tracing_subscriber::EnvFilter;

use crate::configuration::LogFormat;

/// The value of a setting that takes one.
pub(super) fn one(values: &[String]) -> Result<&str, String> {
    match values {
        [value] => Ok(value),
        _ => Err("it takes one value".to_owned()),
    }
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("a path is not empty".to_owned()) } else { Ok(PathBuf::from(text)) }
}

pub(super) fn paths(values: &[String]) -> Result<Vec<PathBuf>, String> {
    if values.len() > FILES_MAX {
        return Err(format!("at most {FILES_MAX} files"));
    }
    values.iter().map(|text| path(text)).collect()
}

/// Names as they stand in certificates: host names in lower case, perhaps after `*.`.
pub(super) fn certificate_names(values: &[String]) -> Result<Vec<String>, String> {
    if values.is_empty() || values.len() > CERTIFICATE_NAMES_MAX {
        return Err(format!("1 to {CERTIFICATE_NAMES_MAX} names are needed"));
    }
    let is_label = |label: &str| {
        let fits = (1..=63).contains(&label.len());
        let plain = label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        fits && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    let mut names = Vec::new();
    for text in values {
        let name = text.trim_end_matches('.').to_ascii_lowercase();
        let bare = name.strip_prefix("*.").unwrap_or(&name);
        if name.len() > NAME_CHARS_MAX || !bare.contains('.') || !bare.split('.').all(is_label) {
            return Err(format!("`{text}` is not a host name, like `update.example.com`"));
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

pub(super) fn https_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").unwrap_or_default();
    if rest.is_empty()
        || rest.starts_with('/')
        || !rest.bytes().all(|octet| octet.is_ascii_graphic())
    {
        return Err(format!("`{text}` is not an address that begins with `https://`"));
    }
    Ok(text.to_owned())
}

/// Mail addresses, as the URLs that ACME wants.
pub(super) fn mail_addresses(values: &[String]) -> Result<Vec<String>, String> {
    if values.len() > MAILS_MAX {
        return Err(format!("at most {MAILS_MAX} addresses"));
    }
    let one = |text: &String| {
        let bare = text.strip_prefix("mailto:").unwrap_or(text);
        let parts = bare.split_once('@').filter(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.contains('@')
        });
        match parts {
            Some(_) if bare.bytes().all(|octet| octet.is_ascii_graphic()) => {
                Ok(format!("mailto:{bare}"))
            }
            _ => Err(format!("`{text}` is not a mail address")),
        }
    };
    values.iter().map(one).collect()
}

pub(super) fn words(text: &str, chars_max: usize) -> Result<String, String> {
    let chars = text.chars().count();
    if chars == 0 || chars > chars_max || text.chars().any(char::is_control) {
        return Err(format!("it has 1 to {chars_max} printable characters"));
    }
    Ok(text.to_owned())
}

/// The name of a network interface (Linux: at most 15 octets, no `/`, no blanks).
pub(super) fn interface(text: &str) -> Result<String, String> {
    let fits = (1..=INTERFACE_OCTETS_MAX).contains(&text.len());
    if !fits || text.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control()) {
        return Err(format!("`{text}` is not the name of an interface, like `eth0`"));
    }
    Ok(text.to_owned())
}

/// Addresses with or without a port.
pub(super) fn addresses(values: &[String], port: u16) -> Result<Vec<SocketAddr>, String> {
    if values.is_empty() || values.len() > ADDRESSES_MAX {
        return Err(format!("1 to {ADDRESSES_MAX} addresses are needed"));
    }
    let one = |text: &String| {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        let ip = bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port));
        text.parse::<SocketAddr>().or(ip).map_err(|_| {
            format!(
                "`{text}` is not an address and port, like `127.0.0.1:{port}` or `[::1]:{port}`"
            )
        })
    };
    values.iter().map(one).collect()
}

/// How often something may be done; 0 is for any number.
pub(super) fn rate(values: &[String]) -> Result<u32, String> {
    let text = one(values)?;
    let number = text.parse().ok().filter(|number| *number <= RATE_MAX);
    number.ok_or_else(|| format!("`{text}` is not a number from 0 to {RATE_MAX}"))
}

pub(super) fn count(values: &[String], range: RangeInclusive<usize>) -> Result<usize, String> {
    let text = one(values)?;
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        format!("`{text}` is not a number from {} to {}", range.start(), range.end())
    })
}

pub(super) fn networks(values: &[String]) -> Result<Vec<Network>, String> {
    if values.len() > NETWORKS_MAX {
        return Err(format!("at most {NETWORKS_MAX} networks"));
    }
    let one = |text: &String| text.parse().map_err(|why| format!("`{text}`: {why}"));
    values.iter().filter(|text| !text.is_empty()).map(one).collect()
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| format!("`{text}` is neither `true` nor `false`"))
}

pub(super) fn log_level(values: &[String]) -> Result<String, String> {
    // A list in the environment and one in this setting are both separated by commas.
    let text = values.join(",");
    let known = |part: &str| {
        let level = part.rsplit('=').next().unwrap_or(part).trim();
        LEVELS.contains(&level.to_lowercase().as_str())
    };
    if !text.split(',').all(known) || EnvFilter::try_new(&text).is_err() {
        return Err(format!("`{text}` is none of `error`, `warn`, `info`, `debug`, `trace`"));
    }
    Ok(text)
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("`{other}` is neither `text` nor `json`")),
    }
}

/// How long something is kept; `None`: for ever.
pub(super) fn retention(text: &str) -> Result<Option<Duration>, String> {
    if text == "forever" {
        return Ok(None);
    }
    let time = time(text).ok_or_else(|| format!("`{text}` is not `forever` and {A_TIME}"))?;
    if time < RETENTION_MIN {
        return Err("it is at least one hour".to_owned());
    }
    Ok(Some(time))
}

/// How long somebody may be silent.
pub(super) fn idle(text: &str) -> Result<Duration, String> {
    let time = time(text).ok_or_else(|| format!("`{text}` is {A_TIME}"))?;
    if time < IDLE_MIN || time > IDLE_MAX {
        return Err("it is from one second to one hour".to_owned());
    }
    Ok(time)
}

/// A time in seconds.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
    let time = time(text).and_then(|time| u32::try_from(time.as_secs()).ok());
    time.ok_or_else(|| format!("`{text}` is {A_TIME}"))
}

/// A number and a unit: `10s`, `5m`, `12h`, `90d`.
fn time(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    // A thousand years are enough, and fit into milliseconds.
    number.checked_mul(seconds).filter(|all| *all <= TIME_S_MAX).map(Duration::from_secs)
}

/// Highest rate.
const RATE_MAX: u32 = 1_000_000_000;
/// Port of DNS (RFC 1035 §4.2).
pub(crate) const DNS_PORT: u16 = 53;
/// Port of HTTP (RFC 9110 §4.2.1).
pub(crate) const HTTP_PORT: u16 = 80;
/// Port of HTTP over TLS (RFC 9110 §4.2.2).
pub(crate) const HTTPS_PORT: u16 = 443;
const ADDRESSES_MAX: usize = 64;
/// Certificates, or keys.
const FILES_MAX: usize = 64;
/// What public authorities put into one certificate.
const CERTIFICATE_NAMES_MAX: usize = 100;
/// RFC 1035 §3.1, as text without the last dot.
const NAME_CHARS_MAX: usize = 253;
const MAILS_MAX: usize = 8;
const INTERFACE_OCTETS_MAX: usize = 15;
const NETWORKS_MAX: usize = 1024;
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];
const A_TIME: &str = "not a time, like `10s`, `5m`, `12h` or `90d`";
const RETENTION_MIN: Duration = Duration::from_secs(3600);
const IDLE_MIN: Duration = Duration::from_secs(1);
const IDLE_MAX: Duration = Duration::from_secs(3600);
const TIME_S_MAX: u64 = 1000 * 366 * 86_400;
