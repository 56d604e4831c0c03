use super::*;

fn source(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

#[test]
fn attempts_beyond_a_minutes_worth_have_to_wait() {
    let start = Instant::now();
    let mut attempts = Attempts::new(6);
    for done in 0..6 {
        assert_eq!(attempts.wait(source(1), start), None, "after {done}");
        attempts.failed(source(1), start);
    }
    assert_eq!(attempts.wait(source(1), start), Some(Duration::from_secs(10)));
    assert_eq!(attempts.wait(source(2), start), None, "another source");
    let later = start + Duration::from_secs(10);
    assert_eq!(attempts.wait(source(1), later), None, "one has flowed out");
    attempts.failed(source(1), later);
    assert_eq!(attempts.wait(source(1), later), Some(Duration::from_secs(10)));
    let much_later = start + Duration::from_secs(200);
    for _ in 0..6 {
        assert_eq!(attempts.wait(source(1), much_later), None);
        attempts.failed(source(1), much_later);
    }
    assert!(attempts.wait(source(1), much_later).is_some());
}

#[test]
fn attempts_of_one_ipv6_64_are_one_sources() {
    let now = Instant::now();
    let mut attempts = Attempts::new(1);
    attempts.failed("2001:db8::1".parse().unwrap(), now);
    assert!(attempts.wait("2001:db8::2".parse().unwrap(), now).is_some());
    assert!(attempts.wait("2001:db8:0:1::1".parse().unwrap(), now).is_none());
}

#[test]
fn attempts_are_counted_in_bounded_memory() {
    let start = Instant::now();
    let mut attempts = Attempts::new(1);
    let nth = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
    for n in 0..SOURCES_MAX + 100 {
        attempts.failed(nth(n), start);
    }
    assert_eq!(attempts.empty_at.len(), SOURCES_MAX);
    assert_eq!(attempts.wait(nth(SOURCES_MAX + 1), start), None, "let pass when there is no room");
    let later = start + Duration::from_secs(61);
    attempts.failed(nth(SOURCES_MAX + 1), later);
    assert_eq!(attempts.empty_at.len(), 1, "buckets that are empty make room");
}
