//! What owners and readers of accounts may do, and tokens by their rules.

use account::policy::Denied;
use account::{
    AccountId, Actions, Actor, Credential, KeyPolicy, NamePattern, Role, Rule, Terms, Timestamp,
    TokenId, WebhookId,
};
use engine::{
    AccountPatch, HostPatch, NewKey, NewToken, NewWebhook, Operation, Outcome, Refused, ZonePatch,
};
use store::{ImportId, Part};
use wire::{Rdata, Rrset, Rtype};
use zone::{Edit, Prerequisite, View};

use crate::rig::{Rig, change, name, new_host, new_token, new_zone, rrset, secret, set};

pub(crate) const SUFFIX: &str = "dyn.test";
pub(crate) const DAY_MS: i64 = 86_400_000;

/// An account `carol`, with the zone `carol.test`, the host `c.dyn.test` and an owner's
/// and a reader's token; the host `o.dyn.test` is the operator's.
pub(crate) struct Town {
    pub(crate) rig: Rig,
    pub(crate) carol: AccountId,
    pub(crate) owner: Actor,
    reader: Actor,
}

fn role(n: u8, role: Role) -> NewToken {
    NewToken { terms: Terms { role: Some(role), ..Terms::default() }, ..new_token(n) }
}

pub(crate) fn in_role(n: u8, of: AccountId, of_role: Role) -> Operation {
    Operation::AddToken { hosts: Vec::new(), account: Some(of), token: role(n, of_role) }
}

fn ruled(n: u8, names: &[&str], types: &[Rtype]) -> NewToken {
    let rule = Rule {
        names: names.iter().map(|text| NamePattern::parse(text).unwrap()).collect(),
        types: types.to_vec(),
        actions: Actions::ALL,
        values: Vec::new(),
    };
    NewToken { terms: Terms { rules: vec![rule], ..Terms::default() }, ..new_token(n) }
}

pub(crate) fn town() -> Town {
    let mut rig = Rig::new();
    rig.done(Operation::AddZone(new_zone(SUFFIX, true)));
    let carol = AccountId(rig.done(Operation::AddAccount("carol".to_owned())));
    let own = engine::NewZone { account: carol, ..new_zone("carol.test", false) };
    rig.done(Operation::AddZone(own));
    rig.done(new_host("c.dyn.test", carol.0, 1));
    rig.done(new_host("o.dyn.test", 0, 2));
    rig.done(in_role(3, carol, Role::Owner));
    rig.done(in_role(4, carol, Role::Reader));
    let (owner, reader) = (rig.token(3), rig.token(4));
    Town { rig, carol, owner, reader }
}

pub(crate) fn id(actor: &Actor) -> TokenId {
    match actor {
        Actor::Token(token) => token.token(),
        other => panic!("not a token: {other:?}"),
    }
}

pub(crate) fn is_denied(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(Refused::Denied(_)))
}

pub(crate) fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Done { .. })
}

/// Whom an operation is for, in the table below.
#[derive(Clone, Copy, Debug, PartialEq)]
enum For {
    System,
    Operator,
    Either,
    Owner,
}

type Rows = Vec<(For, Operation, Option<Operation>)>;

/// Every operation, once about what is carol's and once about what is not.
fn operations(town: &Town) -> Rows {
    let mut all = of_zones_and_hosts(town.carol);
    all.extend(of_tokens(town));
    all.extend(of_accounts(town.carol));
    all
}

fn of_zones_and_hosts(carol: AccountId) -> Rows {
    let zone = |account| engine::NewZone { account, ..new_zone("new.test", false) };
    let part = Part::pack(&name("new.test"), &[]);
    let patch = || HostPatch { ttl_s: Some(Some(120)), ..HostPatch::default() };
    let set_host = |host| Operation::SetHost { name: name(host), policy: patch() };
    let rotate =
        |host| Operation::RotateHost { name: name(host), token: new_token(50), overlap_s: 0 };
    let set_zone = |apex| {
        let policy = ZonePatch { ttl_min_s: Some(30), ..ZonePatch::default() };
        Operation::SetZone { apex: name(apex), policy }
    };
    let expire = Operation::ExpireHosts { hosts: vec![name("c.dyn.test")], started: Timestamp(0) };
    let end = Operation::EndLeases { zone: name(SUFFIX), leases: Vec::new() };
    vec![
        (For::Operator, Operation::AddZone(zone(carol)), None),
        (For::Owner, set_zone("carol.test"), Some(set_zone(SUFFIX))),
        (For::Operator, Operation::RemoveZone(name("carol.test")), None),
        (For::Operator, Operation::Stage { import: None, zone: name("new.test"), part }, None),
        (For::Operator, Operation::Import { import: ImportId(1), zone: zone(carol) }, None),
        (For::Operator, Operation::DropImport(ImportId(1)), None),
        (For::Owner, new_host("new.dyn.test", carol.0, 60), Some(new_host("new.dyn.test", 0, 60))),
        (For::Owner, set_host("c.dyn.test"), Some(set_host("o.dyn.test"))),
        (For::Owner, rotate("c.dyn.test"), Some(rotate("o.dyn.test"))),
        (
            For::Owner,
            Operation::RemoveHost(name("c.dyn.test")),
            Some(Operation::RemoveHost(name("o.dyn.test"))),
        ),
        (For::Operator, Operation::FreeName(name("gone.dyn.test")), None),
        (For::Either, Operation::FlushSeen, None),
        (For::Either, Operation::JumpSerials { by: 1 }, None),
        (For::System, expire, None),
        (For::System, end, None),
    ]
}

fn of_tokens(town: &Town) -> Rows {
    let carol = town.carol;
    let add_token = |hosts: &[&str]| Operation::AddToken {
        hosts: hosts.iter().map(|host| name(host)).collect(),
        account: None,
        token: new_token(51),
    };
    let rotate_token =
        |id| Operation::RotateToken { id: TokenId(id), token: new_token(52), overlap_s: 60 };
    let revoke = |id| Operation::RevokeToken(TokenId(id));
    let operators = id(&town.rig.token(2)).0;
    let carols = id(&town.rig.token(1)).0;
    vec![
        (For::Owner, add_token(&["c.dyn.test"]), Some(add_token(&["c.dyn.test", "o.dyn.test"]))),
        (For::Owner, in_role(53, carol, Role::Owner), Some(in_role(53, AccountId(0), Role::Owner))),
        (
            For::Owner,
            Operation::AddToken {
                hosts: Vec::new(),
                account: None,
                token: ruled(54, &["_acme-challenge.c.dyn.test"], &[Rtype::TXT]),
            },
            Some(Operation::AddToken {
                hosts: vec![name("c.dyn.test")],
                account: Some(carol),
                token: ruled(54, &["_acme-challenge.o.dyn.test"], &[Rtype::TXT]),
            }),
        ),
        (For::Owner, rotate_token(carols), Some(rotate_token(operators))),
        (For::Owner, revoke(carols), Some(revoke(operators))),
        (For::Either, Operation::ExposeToken(TokenId(carols)), None),
    ]
}

fn of_accounts(carol: AccountId) -> Rows {
    let key = NewKey {
        name: name("k"),
        credential: Credential::Sig0,
        zones: vec![name("carol.test")],
        update: true,
        transfer: false,
        policy: KeyPolicy::everything(),
        truncated_ok: false,
    };
    let hook_to = |account, private_ok| {
        Operation::AddWebhook(NewWebhook {
            account,
            host: None,
            url: "https://hook.test".to_owned(),
            secret: vec![1],
            events: Vec::new(),
            label: String::new(),
            private_ok,
        })
    };
    let hook = |account| hook_to(account, false);
    vec![
        (For::Operator, Operation::AddAccount("mallory".to_owned()), None),
        (For::Operator, Operation::SetAccount { id: carol, policy: AccountPatch::default() }, None),
        (For::Owner, Operation::Lockdown(carol), Some(Operation::Lockdown(AccountId(0)))),
        (For::Operator, Operation::Unlock(carol), None),
        (For::Operator, Operation::AddKey(key), None),
        (For::Operator, Operation::RemoveKey(name("k")), None),
        (For::Owner, hook(carol), Some(hook(AccountId(0)))),
        (For::Operator, hook_to(carol, true), None),
        (For::Either, Operation::PauseWebhook { id: WebhookId(1), paused: true }, None),
        (For::Operator, Operation::RemoveWebhook(WebhookId(1)), None),
    ]
}

/// Each operation by each kind of actor: denied, or not denied (whatever comes of it else).
#[test]
fn every_operation_is_judged_for_every_kind_of_actor() {
    let count = operations(&town()).len();
    for at in 0..count {
        let actors = [
            ("system", Actor::System),
            ("operator", Actor::Operator),
            ("key", Actor::Key(name("k"))),
            ("owner", town().owner),
            ("reader", town().reader),
        ];
        for (kind, actor) in actors {
            let mut here = town();
            let (whose, own, other) = operations(&here).swap_remove(at);
            let may = match kind {
                "system" => matches!(whose, For::System | For::Either),
                "operator" => whose != For::System,
                "owner" => whose == For::Owner,
                _ => false,
            };
            let outcome = here.rig.run(actor.clone(), own.clone());
            assert_eq!(!is_denied(&outcome), may, "{kind}: {own:?}: {outcome:?}");
            if kind == "owner" || kind == "operator" {
                assert!(!may || matches!(whose, For::Operator | For::Either) || is_done(&outcome));
            }
            let mut here = town();
            if let Some(other) = other {
                let outcome = here.rig.run(actor, other.clone());
                let may = kind == "operator";
                assert_eq!(!is_denied(&outcome), may, "{kind}: {other:?}: {outcome:?}");
            }
        }
        // A token without a role, for carol's host.
        let mut here = town();
        let (_, own, _) = operations(&here).swap_remove(at);
        let actor = here.rig.token(1);
        let outcome = here.rig.run(actor.clone(), own.clone());
        let may = own_revocation(&own, id(&actor));
        assert_eq!(!is_denied(&outcome), may, "token: {own:?}: {outcome:?}");
    }
}

fn own_revocation(operation: &Operation, own: TokenId) -> bool {
    matches!(operation, Operation::RevokeToken(id) if *id == own)
}

#[test]
fn the_owner_of_account_0_is_the_operator_and_its_reader_is_not() {
    let mut town = town();
    town.rig.done(in_role(10, AccountId(0), Role::Owner));
    town.rig.done(in_role(11, AccountId(0), Role::Reader));
    let (owner, reader) = (town.rig.token(10), town.rig.token(11));
    let add = || Operation::AddAccount("dave".to_owned());
    assert!(is_denied(&town.rig.run(reader.clone(), add())));
    assert!(is_done(&town.rig.run(owner.clone(), add())));
    let mx = mx();
    let text = change(SUFFIX, Vec::new(), vec![replace("dyn.test", Rtype::MX, mx)]);
    assert!(is_denied(&town.rig.run(reader, text.clone())));
    assert!(is_done(&town.rig.run(owner.clone(), text)));
    let expire = Operation::ExpireHosts { hosts: Vec::new(), started: Timestamp(0) };
    assert!(is_denied(&town.rig.run(owner.clone(), expire)), "the service's own");
    town.rig.done(Operation::RevokeToken(id(&owner)));
    assert!(is_denied(&town.rig.run(owner, add())), "the token as it is now");
}

fn mx() -> Rdata {
    let mut wire = vec![0, 5];
    wire.extend_from_slice(name("mail.test").as_wire());
    Rdata::new(Rtype::MX, &wire).unwrap()
}

fn replace(owner: &str, rtype: Rtype, rdata: Rdata) -> Edit {
    Edit::Replace { owner: name(owner), rtype, rrset: rrset(rdata) }
}

fn txt(owner: &str, text: &str) -> Edit {
    replace(owner, Rtype::TXT, Rdata::txt(&[text.as_bytes()]).unwrap())
}

fn texts(rig: &Rig, zone: &str, owner: &str) -> usize {
    let zone = rig.live().zones().get(&name(zone)).unwrap();
    zone.rrset(&name(owner), Rtype::TXT).map_or(0, |rrset: Rrset| rrset.rdata.len())
}

#[test]
fn a_token_for_acme_challenges_changes_them_and_nothing_else() {
    let mut town = town();
    let owner = "_acme-challenge.c.dyn.test";
    let token = ruled(10, &[owner], &[Rtype::TXT]);
    town.rig.done(Operation::AddToken { hosts: Vec::new(), account: None, token });
    let actor = town.rig.token(10);
    let mut run = |edit: Edit| town.rig.run(actor.clone(), change(SUFFIX, Vec::new(), vec![edit]));
    assert!(is_done(&run(txt(owner, "one"))));
    let two = Rdata::txt(&[b"two"]).unwrap();
    let add = Edit::Add { owner: name(owner), rtype: Rtype::TXT, ttl_s: 60, rdata: two };
    assert!(is_done(&run(add)));
    for (edit, why) in [
        (txt("c.dyn.test", "x"), Denied::NotCovered),
        (txt("_acme-challenge.o.dyn.test", "x"), Denied::NotCovered),
        (replace(owner, Rtype::A, Rdata::a([8, 8, 8, 8].into())), Denied::Type),
        (Edit::DeleteName { owner: name("c.dyn.test") }, Denied::NotCovered),
    ] {
        assert_eq!(run(edit.clone()), Outcome::Refused(why.into()), "{edit:?}");
    }
    assert_eq!(texts(&town.rig, SUFFIX, owner), 2);
    let gone = change(SUFFIX, Vec::new(), vec![Edit::DeleteName { owner: name(owner) }]);
    assert!(is_done(&town.rig.run(actor, gone)));
    assert_eq!(texts(&town.rig, SUFFIX, owner), 0);
}

#[test]
fn a_name_is_deleted_only_by_who_may_delete_all_that_is_there() {
    let mut town = town();
    let owner = "x.c.dyn.test";
    let token = ruled(10, &[owner], &[Rtype::TXT]);
    town.rig.done(Operation::AddToken { hosts: Vec::new(), account: None, token });
    town.rig.done(change(SUFFIX, Vec::new(), vec![txt(owner, "x")]));
    town.rig.done(set(SUFFIX, owner, "9.9.9.9"));
    let actor = town.rig.token(10);
    let gone = change(SUFFIX, Vec::new(), vec![Edit::DeleteName { owner: name(owner) }]);
    let outcome = town.rig.run(actor.clone(), gone);
    assert_eq!(outcome, Outcome::Refused(Denied::Type.into()));
    let there = vec![Prerequisite::NameInUse(name(owner))];
    let there = change(SUFFIX, there, vec![txt(owner, "y")]);
    assert!(is_done(&town.rig.run(actor.clone(), there)), "it may know what is there");
    let other = vec![Prerequisite::NameInUse(name("o.dyn.test"))];
    let other = change(SUFFIX, other, vec![txt(owner, "z")]);
    assert_eq!(town.rig.run(actor, other), Outcome::Refused(Denied::NotCovered.into()));
}

#[test]
fn an_owner_changes_all_records_of_its_own_and_no_delegation_of_a_guest() {
    let mut town = town();
    let ns = Rdata::name(&name("ns.elsewhere.test"));
    let mx = mx();
    for (zone, owner, rtype, rdata, allowed) in [
        (SUFFIX, "c.dyn.test", Rtype::MX, mx.clone(), true),
        (SUFFIX, "_25._tcp.c.dyn.test", Rtype::TXT, Rdata::txt(&[b"x"]).unwrap(), true),
        (SUFFIX, "c.dyn.test", Rtype::NS, ns.clone(), false),
        (SUFFIX, "o.dyn.test", Rtype::MX, mx.clone(), false),
        (SUFFIX, "free.dyn.test", Rtype::MX, mx.clone(), false),
        (SUFFIX, "dyn.test", Rtype::MX, mx.clone(), false),
        ("carol.test", "carol.test", Rtype::MX, mx, true),
        ("carol.test", "sub.carol.test", Rtype::NS, ns, true),
        ("carol.test", "lan.carol.test", Rtype::A, Rdata::a([10, 0, 0, 1].into()), true),
        (SUFFIX, "x.c.dyn.test", Rtype::A, Rdata::a([10, 0, 0, 1].into()), false),
        (SUFFIX, "x.c.dyn.test", Rtype::A, Rdata::a([8, 8, 8, 8].into()), true),
    ] {
        let edit = change(zone, Vec::new(), vec![replace(owner, rtype, rdata)]);
        let outcome = town.rig.run(town.owner.clone(), edit);
        assert_eq!(is_done(&outcome), allowed, "{owner} {rtype}: {outcome:?}");
    }
}

#[test]
fn a_rule_holds_addresses_to_its_networks() {
    let mut town = town();
    let mut token = ruled(10, &["c.dyn.test"], &[Rtype::A]);
    token.terms.rules[0].values = vec!["9.9.9.0/24".parse().unwrap()];
    town.rig.done(Operation::AddToken { hosts: Vec::new(), account: None, token });
    let actor = town.rig.token(10);
    assert!(is_done(&town.rig.run(actor.clone(), set(SUFFIX, "c.dyn.test", "9.9.9.7"))));
    let outside = town.rig.run(actor, set(SUFFIX, "c.dyn.test", "8.8.8.8"));
    assert_eq!(outside, Outcome::Refused(Denied::Value.into()));
}

#[test]
fn a_host_that_goes_leaves_no_rule_for_the_next_of_its_name() {
    let mut town = town();
    let challenge = "_acme-challenge.c.dyn.test";
    for (n, names) in [(10, vec![challenge]), (11, vec![challenge, "x.carol.test"])] {
        let token = ruled(n, &names, &[Rtype::TXT]);
        town.rig.done(Operation::AddToken { hosts: Vec::new(), account: None, token });
    }
    let both = town.rig.token(11);
    town.rig.done(Operation::RemoveHost(name("c.dyn.test")));
    assert!(town.rig.try_token(10).is_err(), "it was for nothing else");
    town.rig.done(new_host("c.dyn.test", town.carol.0, 12));
    let asked = change(SUFFIX, Vec::new(), vec![txt(challenge, "x")]);
    assert_eq!(town.rig.run(both.clone(), asked), Outcome::Refused(Denied::NotCovered.into()));
    let kept = change("carol.test", Vec::new(), vec![txt("x.carol.test", "x")]);
    assert!(is_done(&town.rig.run(both, kept)));
}

#[test]
fn tokens_overlap_when_they_are_rotated() {
    let mut town = town();
    let old = town.rig.token(1);
    let week_s = 7 * 86_400;
    let name = name("c.dyn.test");
    let token = new_token(10);
    town.rig.done(Operation::RotateHost { name: name.clone(), token, overlap_s: week_s });
    assert!(town.rig.try_token(1).is_ok() && town.rig.try_token(10).is_ok());
    assert!(is_done(&town.rig.run(old.clone(), set(SUFFIX, "c.dyn.test", "9.9.9.9"))));
    // A second rotation does not give the first one more time.
    let token = new_token(11);
    town.rig.now = Timestamp(town.rig.now.0 + 6 * DAY_MS);
    town.rig.done(Operation::RotateHost { name, token, overlap_s: week_s });
    town.rig.now = Timestamp(town.rig.now.0 + DAY_MS);
    assert_eq!(town.rig.try_token(1), Err(account::AuthError::Expired));
    assert!(town.rig.try_token(10).is_ok() && town.rig.try_token(11).is_ok());
    let outcome = town.rig.run(old, set(SUFFIX, "c.dyn.test", "9.9.9.8"));
    let expired = Denied::Token(account::AuthError::Expired);
    assert_eq!(outcome, Outcome::Refused(expired.into()));
}

#[test]
fn a_token_is_rotated_with_its_terms() {
    let mut town = town();
    let mut token = ruled(10, &["_acme-challenge.c.dyn.test"], &[Rtype::TXT]);
    token.terms.unused_s = Some(86_400);
    let id = town.rig.done(Operation::AddToken { hosts: Vec::new(), account: None, token });
    let rotate = Operation::RotateToken {
        id: TokenId(id),
        token: NewToken { label: String::new(), ..new_token(11) },
        overlap_s: 0,
    };
    let made = town.rig.done(rotate);
    assert_eq!(town.rig.try_token(10), Err(account::AuthError::Revoked));
    let directory = town.rig.live().directory();
    let (old, new) = (directory.token(TokenId(id)), directory.token(TokenId(made)));
    let (old, new) = (old.unwrap(), new.unwrap());
    assert_eq!((&new.terms, &new.label, new.hash), (&old.terms, &old.label, secret(11).hash()));
}

#[test]
fn what_makes_no_sense_in_terms_is_refused() {
    let mut town = town();
    let good = || ruled(10, &["c.dyn.test"], &[Rtype::TXT]);
    let with = |change: &dyn Fn(&mut Terms)| {
        let mut token = good();
        change(&mut token.terms);
        token
    };
    let names =
        |text: &'static str| with(&|t| t.rules[0].names = vec![NamePattern::parse(text).unwrap()]);
    for (why, token) in [
        ("no types", with(&|terms| terms.rules[0].types.clear())),
        ("a meta type", with(&|terms| terms.rules[0].types.push(Rtype::ANY))),
        ("no action", with(&|t| t.rules[0].actions = Actions { add: false, delete: false })),
        ("self", names("self")),
        ("outside of all zones", names("x.elsewhere.test")),
        (
            "of two accounts",
            with(&|t| t.rules[0].names.push(NamePattern::parse("o.dyn.test").unwrap())),
        ),
        ("expired", with(&|terms| terms.expires = Some(Timestamp(1)))),
        ("unused too soon", with(&|terms| terms.unused_s = Some(86_399))),
        ("many networks", with(&|t| t.networks = vec!["::/0".parse().unwrap(); 101])),
        ("for nothing", new_token(10)),
    ] {
        let operation = Operation::AddToken { hosts: Vec::new(), account: None, token };
        let outcome = town.rig.run(Actor::Operator, operation);
        assert!(matches!(outcome, Outcome::Refused(_)), "{why}: {outcome:?}");
    }
    town.rig.done(Operation::AddToken { hosts: Vec::new(), account: None, token: good() });
}

#[test]
fn uses_of_tokens_are_written_in_bulk() {
    let mut town = town();
    let Actor::Token(actor) = town.rig.token(1) else { panic!("a token") };
    let used = |rig: &Rig| rig.live().directory().token(actor.token()).unwrap().last_used;
    let at = town.rig.now;
    town.rig.live().note_use(&actor, at);
    assert_eq!((used(&town.rig), town.rig.live().flushes_due()), (None, 1));
    town.rig.done(Operation::FlushSeen);
    assert_eq!((used(&town.rig), town.rig.live().flushes_due()), (Some(at), 0));
    let Actor::Token(again) = town.rig.token(1) else { panic!("a token") };
    town.rig.live().note_use(&again, at);
    assert_eq!(town.rig.live().flushes_due(), 0, "once an hour is enough");
    town.rig.crash();
    assert_eq!(used(&town.rig), Some(at));
}
