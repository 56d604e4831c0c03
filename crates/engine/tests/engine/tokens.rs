//! What tokens may do: at the moment of judging, not of asking.

use account::address::AddressRefusal;
use account::policy::Denied;
use account::{AccountId, Actor, AuthError, Scope, Timestamp, TokenId};
use engine::{HostPatch, NewToken, Operation, Outcome, Refused};
use wire::{Rdata, Rtype};
use zone::{Edit, Prerequisite};

use crate::rig::{Rig, change, name, new_host, new_token, new_zone, replace, rrset, secret, set};

const ZONE: &str = "one.test";
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.add_zone(ZONE);
    rig
}

fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done { .. })
}

fn denied(why: Denied) -> Outcome {
    Outcome::Refused(Refused::Denied(why))
}

fn id(actor: &Actor) -> TokenId {
    match actor {
        Actor::Token(token) => token.token(),
        other => panic!("not a token: {other:?}"),
    }
}

fn later(rig: &mut Rig, ms: i64) {
    rig.now = Timestamp(rig.now.0 + ms);
}

fn update(rig: &mut Rig, actor: &Actor, text: &str) -> Outcome {
    rig.run(actor.clone(), set(ZONE, "h.one.test", text))
}

#[test]
fn a_token_changes_addresses_of_its_hosts_and_nothing_else() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    rig.add_host("other.one.test", 2);
    let owner = name("h.one.test");
    let text = Rdata::txt(&[b"x"]).unwrap();
    let edit = |edit| change(ZONE, Vec::new(), vec![edit]);
    let rtype = Rtype::TXT;
    let kept = Edit::Replace { owner: owner.clone(), rtype, rrset: rrset(text.clone()) };
    rig.done(edit(kept));
    for (operation, expected) in [
        (set(ZONE, "other.one.test", "9.9.9.9"), Denied::NotCovered),
        (set(ZONE, "x.h.one.test", "9.9.9.9"), Denied::NotCovered),
        (set(ZONE, "one.test", "9.9.9.9"), Denied::NotCovered),
        (
            edit(Edit::Replace { owner: owner.clone(), rtype: Rtype::TXT, rrset: rrset(text) }),
            Denied::Type,
        ),
        (edit(Edit::DeleteName { owner: owner.clone() }), Denied::Type),
        (change(ZONE, vec![Prerequisite::NameInUse(owner.clone())], Vec::new()), Denied::Type),
        // One edit that is not covered spoils the change; nothing of it is done.
        (
            change(
                ZONE,
                Vec::new(),
                vec![replace("h.one.test", "9.9.9.9"), replace("other.one.test", "9.9.9.9")],
            ),
            Denied::NotCovered,
        ),
    ] {
        assert_eq!(rig.run(token.clone(), operation.clone()), denied(expected), "{operation:?}");
    }
    assert!(rig.addresses(ZONE, "h.one.test").is_empty());
    assert!(is_done(&rig.run(token.clone(), set(ZONE, "H.one.TEST", "9.9.9.9"))));
    let gone = edit(Edit::DeleteRrset { owner: owner.clone(), rtype: Rtype::A });
    assert!(is_done(&rig.run(token.clone(), gone)));
    assert!(rig.addresses(ZONE, "h.one.test").is_empty());
    // A name at which nothing but addresses is left.
    rig.done(edit(Edit::DeleteRrset { owner: owner.clone(), rtype: Rtype::TXT }));
    rig.done(set(ZONE, "h.one.test", "9.9.9.9"));
    assert!(is_done(&rig.run(token, edit(Edit::DeleteName { owner }))));
}

#[test]
fn a_token_over_several_hosts_covers_them_all_in_one_change() {
    let mut rig = rig();
    rig.add_host("a.one.test", 1);
    rig.add_host("b.one.test", 2);
    let hosts = vec![name("b.one.test"), name("A.one.test"), name("b.one.test")];
    rig.done(Operation::AddToken { hosts, account: None, token: new_token(3) });
    let token = rig.token(3);
    let edits = vec![replace("a.one.test", "9.9.9.9"), replace("b.one.test", "9.9.9.9")];
    assert!(is_done(&rig.run(token, change(ZONE, Vec::new(), edits))));
    assert_eq!(rig.addresses(ZONE, "b.one.test"), ["9.9.9.9"]);
    // Rotating one of the hosts renews that host's own token and leaves the common one.
    rig.done(Operation::RotateHost { name: name("a.one.test"), token: new_token(4), overlap_s: 0 });
    assert_eq!(rig.try_token(1), Err(AuthError::Revoked));
    assert!(rig.try_token(3).is_ok() && rig.try_token(4).is_ok());
}

#[test]
fn a_token_revoked_between_authentication_and_judging_changes_nothing() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    rig.push(Actor::Operator, Operation::RevokeToken(id(&token)));
    let update = rig.push(token.clone(), set(ZONE, "h.one.test", "9.9.9.9"));
    let empty = rig.push(token, change(ZONE, Vec::new(), Vec::new()));
    rig.drain();
    for ticket in [update, empty] {
        assert_eq!(rig.outcome(ticket), denied(Denied::Token(AuthError::Revoked)));
    }
    assert!(rig.addresses(ZONE, "h.one.test").is_empty());
}

#[test]
fn lockdown_freezes_names_and_revokes_tokens_for_good() {
    let mut rig = Rig::new();
    rig.done(Operation::AddZone(new_zone(ZONE, true)));
    let carol = rig.done(Operation::AddAccount("carol".to_owned()));
    rig.done(new_host("h.one.test", carol, 1));
    let token = rig.token(1);
    let bystander = rig.add_host("other.one.test", 2);
    update(&mut rig, &token, "9.9.9.1");
    rig.done(Operation::Lockdown(AccountId(carol)));
    assert_eq!(rig.try_token(1), Err(AuthError::Revoked));
    assert!(matches!(update(&mut rig, &token, "9.9.9.2"), Outcome::Refused(Refused::Denied(_))));
    assert_eq!(rig.addresses(ZONE, "h.one.test"), ["9.9.9.1"], "names stay as they are");
    assert!(is_done(&rig.run(bystander, set(ZONE, "other.one.test", "9.9.9.1"))));
    let rotate =
        |n| Operation::RotateHost { name: name("h.one.test"), token: new_token(n), overlap_s: 0 };
    assert_eq!(rig.run(Actor::Operator, rotate(3)), denied(Denied::Frozen));
    let more = new_host("h2.one.test", carol, 4);
    assert_eq!(rig.run(Actor::Operator, more), denied(Denied::Frozen));
    assert_eq!(rig.run(Actor::Operator, Operation::Lockdown(AccountId(carol))), Outcome::Unchanged);
    rig.crash();
    // The end of the lockdown brings no old token back; the clock has not moved since.
    rig.done(Operation::Unlock(AccountId(carol)));
    assert_eq!(rig.try_token(1), Err(AuthError::Revoked));
    assert!(matches!(update(&mut rig, &token, "9.9.9.2"), Outcome::Refused(Refused::Denied(_))));
    rig.done(rotate(5));
    let new = rig.token(5);
    assert!(is_done(&update(&mut rig, &new, "9.9.9.3")));
}

#[test]
fn a_second_lockdown_at_the_same_moment_revokes_what_was_made_in_between() {
    let mut rig = Rig::new();
    rig.done(Operation::AddZone(new_zone(ZONE, true)));
    let carol = rig.done(Operation::AddAccount("carol".to_owned()));
    rig.done(new_host("h.one.test", carol, 1));
    // The clock stands still all the time.
    for secret in 2..5 {
        rig.done(Operation::Lockdown(AccountId(carol)));
        rig.done(Operation::Unlock(AccountId(carol)));
        rig.done(Operation::RotateHost {
            name: name("h.one.test"),
            token: new_token(secret),
            overlap_s: 0,
        });
        assert!(rig.try_token(secret).is_ok());
    }
    rig.done(Operation::Lockdown(AccountId(carol)));
    assert_eq!(rig.try_token(4), Err(AuthError::Revoked));
}

#[test]
fn an_exposed_token_makes_one_change_a_minute() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    assert!(is_done(&update(&mut rig, &token, "9.9.9.1")));
    assert!(is_done(&rig.run(Actor::System, Operation::ExposeToken(id(&token)))));
    assert_eq!(rig.run(Actor::System, Operation::ExposeToken(id(&token))), Outcome::Unchanged);
    assert!(is_done(&update(&mut rig, &token, "9.9.9.2")));
    assert_eq!(update(&mut rig, &token, "9.9.9.3"), denied(Denied::ExposedTooSoon));
    assert_eq!(update(&mut rig, &token, "9.9.9.2"), Outcome::Unchanged, "that is no change");
    later(&mut rig, MINUTE_MS - 1);
    assert_eq!(update(&mut rig, &token, "9.9.9.3"), denied(Denied::ExposedTooSoon));
    later(&mut rig, 1);
    assert!(is_done(&update(&mut rig, &token, "9.9.9.3")));
    rig.crash();
    assert_eq!(update(&mut rig, &token, "9.9.9.4"), denied(Denied::ExposedTooSoon), "log replayed");
}

#[test]
fn an_exposed_token_may_change_both_families_within_a_minute() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    assert!(is_done(&rig.run(Actor::System, Operation::ExposeToken(id(&token)))));
    // As routers do that send one request for each family.
    assert!(is_done(&update(&mut rig, &token, "9.9.9.1")));
    assert!(is_done(&update(&mut rig, &token, "2606:4700::1")));
    assert_eq!(update(&mut rig, &token, "9.9.9.2"), denied(Denied::ExposedTooSoon));
    assert_eq!(update(&mut rig, &token, "2606:4700::2"), denied(Denied::ExposedTooSoon));
    later(&mut rig, MINUTE_MS);
    assert!(is_done(&update(&mut rig, &token, "2606:4700::2")));
    assert!(is_done(&update(&mut rig, &token, "9.9.9.2")));
}

#[test]
fn a_lost_change_does_not_count_for_the_pace_of_an_exposed_token() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    rig.done(Operation::ExposeToken(id(&token)));
    // The token's own change is in the second batch, which is void with the first.
    let lost = rig.push(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.1"));
    rig.step();
    let void = rig.push(token.clone(), set(ZONE, "h.one.test", "9.9.9.1"));
    let soon = rig.push(token.clone(), set(ZONE, "h.one.test", "9.9.9.2"));
    rig.step();
    rig.not_written();
    rig.drain();
    assert_eq!(rig.outcome(lost), Outcome::Unavailable);
    assert!(is_done(&rig.outcome(void)), "{:?}", rig.outcome(void));
    assert_eq!(rig.outcome(soon), denied(Denied::ExposedTooSoon));
    // The change before the lost one still counts.
    let later_lost = rig.push(Actor::Operator, set(ZONE, "a.one.test", "9.9.9.2"));
    let refused = rig.push(token, set(ZONE, "h.one.test", "9.9.9.3"));
    rig.step();
    rig.not_written();
    rig.drain();
    assert_eq!(rig.outcome(later_lost), Outcome::Unavailable);
    assert_eq!(rig.outcome(refused), denied(Denied::ExposedTooSoon));
}

#[test]
fn the_rebinding_rule_sees_what_is_still_being_written() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    let rebinding = denied(Denied::Address(AddressRefusal::Rebinding));
    for one_batch in [true, false] {
        let public = rig.push(
            token.clone(),
            set(ZONE, "h.one.test", &format!("9.9.9.{}", u8::from(one_batch))),
        );
        if !one_batch {
            rig.step();
        }
        let private = rig.push(token.clone(), set(ZONE, "h.one.test", "10.0.0.1"));
        rig.step();
        rig.drain();
        assert!(is_done(&rig.outcome(public)));
        assert_eq!(rig.outcome(private), rebinding);
    }
    later(&mut rig, 24 * HOUR_MS);
    assert!(is_done(&update(&mut rig, &token, "10.0.0.1")));
    assert!(is_done(&update(&mut rig, &token, "9.9.9.9")), "the way back harms nobody");
    assert_eq!(update(&mut rig, &token, "10.0.0.1"), rebinding, "and starts the day anew");
    let opt_in = HostPatch { private_ok: Some(true), ..HostPatch::default() };
    rig.done(Operation::SetHost { name: name("h.one.test"), policy: opt_in });
    assert!(is_done(&update(&mut rig, &token, "10.0.0.1")));
}

#[test]
fn a_public_address_that_the_operator_published_counts_for_rebinding() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    rig.done(set(ZONE, "h.one.test", "9.9.9.9"));
    let scope = rig.live().directory().host(&name("h.one.test")).unwrap().scope;
    assert_eq!(scope.map(|(scope, _)| scope), Some(Scope::Public));
    let flip = update(&mut rig, &token, "10.0.0.1");
    assert_eq!(flip, denied(Denied::Address(AddressRefusal::Rebinding)));
}

#[test]
fn a_private_address_beside_a_public_one_does_not_end_the_rebinding_rule() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    let aaaa = |text: &str| Edit::Replace {
        owner: name("h.one.test"),
        rtype: Rtype::AAAA,
        rrset: rrset(Rdata::aaaa(text.parse().unwrap())),
    };
    let mixed = vec![replace("h.one.test", "9.9.9.9"), aaaa("fd00::1")];
    assert!(is_done(&rig.run(token.clone(), change(ZONE, Vec::new(), mixed))));
    let rebinding = denied(Denied::Address(AddressRefusal::Rebinding));
    assert_eq!(update(&mut rig, &token, "10.0.0.1"), rebinding);
    // Nor does taking the public one away first.
    let gone = Edit::DeleteRrset { owner: name("h.one.test"), rtype: Rtype::A };
    assert!(is_done(&rig.run(token.clone(), change(ZONE, Vec::new(), vec![gone]))));
    assert_eq!(update(&mut rig, &token, "10.0.0.1"), rebinding);
}

#[test]
fn a_token_cannot_mix_public_and_private_addresses_in_one_rrset() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    let mixed = |addresses: [[u8; 4]; 2]| {
        let mut rrset = rrset(Rdata::a(addresses[0].into()));
        rrset.rdata.push(Rdata::a(addresses[1].into()));
        change(
            ZONE,
            Vec::new(),
            vec![Edit::Replace { owner: name("h.one.test"), rtype: Rtype::A, rrset }],
        )
    };
    // At once, and by way of a private host.
    let rebinding = denied(Denied::Address(AddressRefusal::Rebinding));
    assert_eq!(rig.run(token.clone(), mixed([[9, 9, 9, 9], [10, 0, 0, 1]])), rebinding);
    assert!(is_done(&update(&mut rig, &token, "10.0.0.1")));
    assert_eq!(rig.run(token.clone(), mixed([[10, 0, 0, 1], [9, 9, 9, 9]])), rebinding);
    assert!(is_done(&rig.run(token.clone(), mixed([[10, 0, 0, 1], [10, 0, 0, 2]]))));
    assert!(is_done(&rig.run(token.clone(), mixed([[9, 9, 9, 9], [9, 9, 9, 8]]))));
    let opt_in = HostPatch { private_ok: Some(true), ..HostPatch::default() };
    rig.done(Operation::SetHost { name: name("h.one.test"), policy: opt_in });
    assert!(is_done(&rig.run(token, mixed([[9, 9, 9, 9], [10, 0, 0, 1]]))));
}

#[test]
fn a_dummy_address_is_never_published_for_a_public_host() {
    let mut rig = rig();
    let token = rig.add_host("h.one.test", 1);
    // Both in one batch: a door could not have known yet that the host is public.
    let first = rig.push(token.clone(), set(ZONE, "h.one.test", "9.9.9.9"));
    let dummy = rig.push(token.clone(), set(ZONE, "h.one.test", "203.0.113.7"));
    rig.drain();
    assert!(is_done(&rig.outcome(first)));
    assert_eq!(rig.outcome(dummy), Outcome::Unchanged);
    assert_eq!(rig.addresses(ZONE, "h.one.test"), ["9.9.9.9"]);
    let mut both = rrset(Rdata::a([203, 0, 113, 7].into()));
    both.rdata.push(Rdata::a([9, 9, 9, 8].into()));
    let edit = Edit::Replace { owner: name("h.one.test"), rtype: Rtype::A, rrset: both };
    assert!(is_done(&rig.run(token, change(ZONE, Vec::new(), vec![edit]))));
    assert_eq!(rig.addresses(ZONE, "h.one.test"), ["9.9.9.8"]);
}

#[test]
fn a_suffix_publishes_no_private_address_without_an_opt_in() {
    let mut rig = Rig::new();
    rig.done(Operation::AddZone(new_zone(ZONE, true)));
    let token = rig.add_host("h.one.test", 1);
    let refused = denied(Denied::Address(AddressRefusal::NotPublic("private")));
    assert_eq!(update(&mut rig, &token, "10.0.0.1"), refused);
    assert!(rig.addresses(ZONE, "h.one.test").is_empty());
}

#[test]
fn tokens_of_a_host_do_not_pile_up() {
    let mut rig = rig();
    rig.add_host("h.one.test", 0);
    for n in 1..50 {
        rig.done(Operation::RotateHost {
            name: name("h.one.test"),
            token: new_token(n),
            overlap_s: 0,
        });
    }
    let count = rig.live().directory().tokens_of(&name("h.one.test")).count();
    assert_eq!(count, 2, "the one in use and the one revoked last");
    for n in 50..149 {
        let hosts = vec![name("h.one.test")];
        rig.done(Operation::AddToken { hosts, account: None, token: new_token(n) });
    }
    let hosts = vec![name("h.one.test")];
    let over = rig
        .run(Actor::Operator, Operation::AddToken { hosts, account: None, token: new_token(149) });
    assert!(matches!(over, Outcome::Refused(Refused::Limit(_))), "{over:?}");
}

#[test]
fn a_token_is_made_in_its_limits() {
    let mut rig = rig();
    rig.add_host("h.one.test", 1);
    let carol = rig.done(Operation::AddAccount("carol".to_owned()));
    rig.done(Operation::AddZone(new_zone("dyn.test", true)));
    rig.done(new_host("c.dyn.test", carol, 2));
    let long = NewToken { label: "x".repeat(129), ..new_token(3) };
    let lines = NewToken { label: "a\nb".to_owned(), ..new_token(3) };
    for (hosts, token) in [
        (vec![], new_token(3)),
        (vec!["no.one.test"], new_token(3)),
        (vec!["h.one.test", "c.dyn.test"], new_token(3)),
        (vec!["h.one.test"], new_token(1)),
        (vec!["h.one.test"], long),
        (vec!["h.one.test"], lines),
        (vec!["h.one.test"; 1001], new_token(3)),
    ] {
        let hosts: Vec<_> = hosts.into_iter().map(name).collect();
        let outcome = rig.run(Actor::Operator, Operation::AddToken { hosts, account: None, token });
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    assert!(rig.try_token(1).is_ok());
    assert!(!format!("{:?}", rig.engine).contains(secret(1).reveal()));
}

#[test]
fn accounts_have_names_of_their_own() {
    let mut rig = Rig::new();
    rig.done(Operation::AddAccount("carol".to_owned()));
    let long = "x".repeat(65);
    for taken in ["carol", "operator", "", "a\tb", long.as_str()] {
        let outcome = rig.run(Actor::Operator, Operation::AddAccount(taken.to_owned()));
        assert!(matches!(outcome, Outcome::Refused(_)), "{taken}");
    }
}
