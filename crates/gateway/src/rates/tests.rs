use account::{Account, Entity, Limits, Timestamp, Token};
use governor::clock::FakeRelativeClock;

use super::*;
use account::secret::Secret;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn name(n: u32) -> Name {
    Name::parse(&format!("h{n}.dyn.example")).unwrap()
}

/// Two tokens of account 1 and one of account 2.
fn town(said: Option<u32>) -> (Directory, Vec<TokenActor>) {
    let mut directory = Directory::default();
    for id in [1, 2] {
        let limits = Limits { changes_per_hour: said, ..Limits::default() };
        let account = Account::new(AccountId(id), &format!("a{id}"), Timestamp(0));
        directory.put(Entity::Account(Account { limits, ..account }));
    }
    let actors = [(1, 1), (2, 1), (3, 2)].map(|(id, account)| {
        let secret = Secret::from_random([id; 16]);
        let id = TokenId(id.into());
        let token = Token::new(id, AccountId(account), secret.hash(), Timestamp(0));
        directory.put(Entity::Token(token));
        directory.authenticate(secret.reveal().as_bytes(), Timestamp(1), HERE).unwrap()
    });
    let actors = actors.to_vec();
    (directory, actors)
}

const OFF: RateSettings =
    RateSettings { host_per_hour: 0, token_per_hour: 0, account_per_hour: 0, source_per_hour: 0 };

/// Number of the token, of the host and of the source of a change.
type Of = fn(u32) -> (usize, u32, u32);

/// How many of so many changes pass, each by the token, of the host and from the source with the
/// number that it is given; and who asked too often.
fn passed(settings: RateSettings, said: Option<u32>, of: Of) -> (usize, Option<&'static str>) {
    let rates = Rates::with_clock(settings, FakeRelativeClock::default());
    let (directory, actors) = town(said);
    let mut by = None;
    let passed = (0..20).filter(|&n| {
        let (actor, host, source) = of(n);
        let source = IpAddr::from([192, 0, 2, source as u8]);
        match rates.change(&directory, &actors[actor], (&name(host), source)) {
            Ok(()) => true,
            Err(why) => {
                by = Some(why.by);
                false
            }
        }
    });
    (passed.count(), by)
}

#[test]
fn hosts_tokens_accounts_and_sources_are_counted_each() {
    let host = RateSettings { host_per_hour: 3, ..OFF };
    let token = RateSettings { token_per_hour: 3, ..OFF };
    let account = RateSettings { account_per_hour: 3, ..OFF };
    let source = RateSettings { source_per_hour: 3, ..OFF };
    for (why, settings, said, of, expected) in [
        ("off", OFF, None, (|_| (0, 0, 0)) as Of, (20, None)),
        ("one host", host, None, |n| ((n % 3) as usize, 0, n), (3, Some("host"))),
        ("two hosts", host, None, |n| (0, n % 2, 0), (6, Some("host"))),
        ("one token", token, None, |n| (0, n, n), (3, Some("token"))),
        ("two tokens", token, None, |n| ((n % 2) as usize, n, n), (6, Some("token"))),
        ("one account", account, None, |n| ((n % 2) as usize, n, n), (3, Some("account"))),
        ("two accounts", account, None, |n| ((n % 3) as usize, n, n), (6, Some("account"))),
        ("said of it", account, Some(5), |n| (0, n, n), (5, Some("account"))),
        ("said, though off", OFF, Some(5), |n| (0, n, n), (5, Some("account"))),
        ("none at all", OFF, Some(0), |n| (0, n, n), (0, Some("account"))),
        ("one source", source, None, |n| ((n % 3) as usize, n, 0), (3, Some("source"))),
    ] {
        assert_eq!(passed(settings, said, of), expected, "{why}");
    }
}

#[test]
fn what_was_used_up_comes_back_bit_by_bit() {
    let clock = FakeRelativeClock::default();
    let rates = Rates::with_clock(RateSettings { host_per_hour: 4, ..OFF }, clock.clone());
    let (directory, actors) = town(None);
    let change = || rates.change(&directory, &actors[0], (&name(0), HERE));
    assert!((0..4).all(|_| change().is_ok()), "an hour's worth at once");
    let wait = change().unwrap_err().wait;
    assert_eq!(wait, Duration::from_secs(900));
    clock.advance(wait - Duration::from_secs(1));
    assert_eq!(change().unwrap_err().wait, Duration::from_secs(1));
    clock.advance(Duration::from_secs(1));
    assert!(change().is_ok() && change().is_err());
    // The case of a name makes no second host of it.
    let upper = Name::parse("H0.DYN.example").unwrap();
    assert!(rates.change(&directory, &actors[0], (&upper, HERE)).is_err());
}

#[test]
fn keys_are_bounded_and_those_that_are_over_make_room() {
    let clock = FakeRelativeClock::default();
    let rates = Rates::with_clock(RateSettings { host_per_hour: 1, ..OFF }, clock.clone());
    let (directory, actors) = town(None);
    let change = |n| rates.change(&directory, &actors[0], (&name(n), HERE));
    for n in 0..KEYS_MAX as u32 {
        change(n).unwrap();
    }
    assert!(change(KEYS_MAX as u32).is_ok() && change(KEYS_MAX as u32).is_ok(), "not counted");
    assert_eq!(rates.hosts.as_ref().unwrap().limiter.len(), KEYS_MAX);
    clock.advance(HOUR * 2);
    assert!(change(0).is_ok() && change(0).is_err(), "counted again");
    assert_eq!(rates.hosts.as_ref().unwrap().limiter.len(), 1);
}

#[test]
fn accounts_with_many_limits_take_no_more_room_than_some() {
    let rates = Rates::with_clock(OFF, FakeRelativeClock::default());
    for said in 1..1000 {
        rates.account(AccountId(1), Some(said)).unwrap();
        assert!(rates.accounts.lock().unwrap().len() <= LIMITS_MAX);
    }
}
