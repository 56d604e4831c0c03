//! The agent's end: the request for an update, and the meaning of what comes back.

use std::net::IpAddr;

/// What a service says about one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Published.
    Good,
    /// It was so already.
    Nochg,
    /// The credentials are wrong: stop until a person acts.
    Badauth,
    /// No such host, or not ours: stop.
    Nohost,
    /// Not a domain name: stop.
    Notfqdn,
    /// Too many hosts at once: ask for fewer.
    Numhost,
    /// Blocked: stop.
    Abuse,
    /// This program is blocked: stop.
    Badagent,
    /// Not part of the account: stop.
    Donator,
    /// The service cannot publish it: try later.
    Dnserr,
    /// The service is out of order: try later.
    Unavailable,
    /// Wait this many seconds before the next request of any kind.
    Wait(u32),
    /// Not an answer of this language (a captive portal, a wrong URL), with an excerpt or a
    /// reason, without control characters. Says nothing about what was published.
    Unintelligible(String),
}

/// The path and query of an update: `/nic/update?hostname=…&myip=…`. Without an address the
/// service takes the source address.
pub fn request(hosts: &[&str], addresses: &[IpAddr]) -> String {
    let hosts: Vec<String> = hosts.iter().map(|host| encode(host)).collect();
    let mut target = format!("/nic/update?hostname={}", hosts.join(","));
    if !addresses.is_empty() {
        let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        target.push_str("&myip=");
        target.push_str(&addresses.join(","));
    }
    target
}

/// Reads a response to a request for so many hosts: one answer per host, in order. One line for
/// several hosts holds for all of them.
///
/// Success is read from a 2xx status only; 401 and 403 without a word that says more are
/// [`Answer::Badauth`], 429 is [`Answer::Wait`], 5xx [`Answer::Unavailable`]. The caller does not
/// follow redirects, and prefers [`retry_after_s`] to the waits given here.
pub fn interpret(status: u16, body: &str, hosts: usize) -> Vec<Answer> {
    let hosts = hosts.max(1);
    let lines: Vec<&str> =
        body.lines().map(str::trim).filter(|l| !l.is_empty()).take(hosts).collect();
    let whole = match status {
        429 => Some(Answer::Wait(WAIT_S)),
        300..=399 => Some(Answer::Unintelligible(format!("a redirect, status {status}"))),
        _ if lines.first().is_some_and(|line| line.starts_with('<')) && status < 400 => {
            Some(Answer::Unintelligible("a web page instead of an answer".to_owned()))
        }
        _ if lines.is_empty() => Some(without_word(status, "")),
        _ => None,
    };
    if let Some(answer) = whole {
        return vec![answer; hosts];
    }
    let mut answers: Vec<Answer> = lines.iter().map(|line| answer(status, line)).collect();
    let missing = match answers.as_slice() {
        [only] => only.clone(),
        _ => Answer::Unintelligible("no line for this host".to_owned()),
    };
    answers.resize(hosts, missing);
    answers
}

/// The seconds of a `Retry-After` (RFC 9110 §10.2.3), at most a day. A date is not read: whoever
/// has no clock in common with the service cannot use it.
pub fn retry_after_s(value: &str) -> Option<u32> {
    let value = value.trim();
    let digits = !value.is_empty() && value.bytes().all(|o| o.is_ascii_digit());
    digits.then(|| value.parse().map_or(WAIT_MAX_S, |s: u32| s.min(WAIT_MAX_S)))
}

fn answer(status: u16, line: &str) -> Answer {
    let first = line.split([' ', '\t', ',', ':', ';']).next().unwrap_or(line);
    let lower = first.to_ascii_lowercase();
    match word(&lower) {
        // A word of success under a status of failure is somebody else's text.
        Some(Answer::Good | Answer::Nochg) if !(200..=299).contains(&status) => {
            without_word(status, line)
        }
        Some(answer) => answer,
        None => without_word(status, line),
    }
}

fn word(first: &str) -> Option<Answer> {
    let answer = match first {
        "good" => Answer::Good,
        "nochg" => Answer::Nochg,
        "badauth" | "noauth" => Answer::Badauth,
        "nohost" | "!yours" | "!active" => Answer::Nohost,
        "notfqdn" | "nofqdn" => Answer::Notfqdn,
        "numhost" => Answer::Numhost,
        "abuse" => Answer::Abuse,
        "badagent" | "badsys" => Answer::Badagent,
        "!donator" => Answer::Donator,
        "dnserr" => Answer::Dnserr,
        "911" | "999" => Answer::Unavailable,
        "toomanyrequests" => Answer::Wait(WAIT_S),
        other => return wait(other),
    };
    Some(answer)
}

/// `w30s`, `w5m`, `w1h`: an old way of saying wait.
fn wait(word: &str) -> Option<Answer> {
    let amount = word.strip_prefix('w')?;
    let (digits, unit_s) = match amount.strip_suffix(['s', 'm', 'h']) {
        Some(digits) if amount.ends_with('h') => (digits, 3600),
        Some(digits) if amount.ends_with('m') => (digits, 60),
        Some(digits) => (digits, 1),
        None => (amount, 1),
    };
    retry_after_s(digits).map(|s| Answer::Wait(s.saturating_mul(unit_s).min(WAIT_MAX_S)))
}

fn without_word(status: u16, line: &str) -> Answer {
    match status {
        401 | 403 => Answer::Badauth,
        429 => Answer::Wait(WAIT_S),
        500..=599 => Answer::Unavailable,
        _ if line.is_empty() => Answer::Unintelligible(format!("nothing, status {status}")),
        _ => Answer::Unintelligible(excerpt(line)),
    }
}

fn excerpt(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(EXCERPT_CHARACTERS).collect()
}

/// RFC 3986 §2.3: everything but the unreserved characters.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(octet));
            }
            _ => out.push_str(&format!("%{octet:02X}")),
        }
    }
    out
}

const EXCERPT_CHARACTERS: usize = 80;
/// How long to wait when we are told to, but not for how long.
const WAIT_S: u32 = 300;
const WAIT_MAX_S: u32 = 86_400;
