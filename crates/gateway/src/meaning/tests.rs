use account::secret::Secret;
use account::{AccountId, Entity, Timestamp, Token, TokenId, ZoneEntry};
use dialect::Wanted;
use dialect::http::{Limits, Reader};

use super::*;

/// Hosts `desec.own.example` and `also.own.example` that are set to deSEC, `noip.own.example`,
/// `plain.own.example` that is set to nothing, and `alien.own.example` of another account; a token
/// for those of the list.
fn directory(covered: &[&str]) -> (Directory, TokenActor) {
    let mut directory = Directory::default();
    let apex = Name::parse("own.example").unwrap();
    let zone = ZoneEntry::new(apex.clone(), AccountId(0), Timestamp(0));
    directory.put(Entity::Zone(zone));
    let account = account::Account::new(AccountId(7), "alien", Timestamp(0));
    directory.put(Entity::Account(account));
    for (label, account, profile) in [
        ("desec", 0, Some(Profile::Desec)),
        ("also", 0, Some(Profile::Desec)),
        ("noip", 0, Some(Profile::NoIp)),
        ("plain", 0, None),
        ("alien", 7, Some(Profile::Desec)),
    ] {
        let name = apex.child(label.as_bytes()).unwrap();
        let host = Host::new(name, apex.clone(), AccountId(account), Timestamp(0));
        directory.put(Entity::Host(Host { dialect: profile.map(Profile::number), ..host }));
    }
    let secret = Secret::from_random([1; 16]);
    let mut hosts: Vec<Name> =
        covered.iter().map(|label| apex.child(label.as_bytes()).unwrap()).collect();
    hosts.sort();
    let token = Token::new(TokenId(1), AccountId(0), secret.hash(), Timestamp(1));
    directory.put(Entity::Token(Token { hosts, ..token }));
    let source = [127, 0, 0, 1].into();
    let actor = directory.authenticate(secret.reveal().as_bytes(), Timestamp(2), source).unwrap();
    (directory, actor)
}

fn asked(target: &str) -> Request {
    let mut reader = Reader::new(Limits::default());
    reader.push(format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n").as_bytes());
    reader.next().unwrap().unwrap()
}

/// The dialect that a request is read in, and whether IPv6 might be deleted by it.
fn told(covered: &[&str], target: &str) -> (Profile, bool) {
    let (directory, actor) = directory(covered);
    let request = asked(target);
    let detected = Profile::detect(&request).unwrap();
    let (profile, parsed) = read(&directory, &actor, &request, detected);
    let deletes =
        parsed.is_ok_and(|ask| matches!(ask.ipv6, Wanted::Delete | Wanted::SourceElseDelete));
    (profile, deletes)
}

#[test]
fn a_request_means_what_its_host_was_set_to() {
    let all = ["desec", "also", "noip", "plain"];
    for (target, profile, deletes) in [
        ("/nic/update?hostname=desec.own.example&myip=192.0.2.1", Profile::Desec, true),
        ("/nic/update?hostname=DESEC.own.example.&myip=192.0.2.1", Profile::Desec, true),
        ("/nic/update?hostname=desec.own.example,also.own.example&myip=", Profile::Desec, true),
        ("/nic/update?hostname=plain.own.example&myip=192.0.2.1", Profile::Dyndns2, false),
        ("/nic/update?hostname=noip.own.example&myip=192.0.2.1", Profile::NoIp, false),
        // Another account's setting is nothing to this one, and several hosts have to agree.
        ("/nic/update?hostname=alien.own.example&myip=192.0.2.1", Profile::Dyndns2, false),
        ("/nic/update?hostname=desec.own.example,noip.own.example&myip=", Profile::Dyndns2, false),
        ("/nic/update?hostname=desec.own.example,plain.own.example&myip=", Profile::Dyndns2, false),
        ("/nic/update?hostname=plain.own.example,desec.own.example&myip=", Profile::Dyndns2, false),
        // What only one language knows stays in that one.
        ("/nic/update?hostname=desec.own.example&txt=x", Profile::He, false),
        ("/nic/update?hostname=all.ddnskey.com&myip=192.0.2.1", Profile::NoIp, false),
    ] {
        assert_eq!(told(&all, target), (profile, deletes), "{target}");
    }
}

#[test]
fn without_a_host_the_tokens_hosts_decide() {
    let target = "/nic/update?myip=192.0.2.1";
    assert_eq!(told(&["desec"], target), (Profile::Desec, true));
    assert_eq!(told(&["desec", "also"], target), (Profile::Desec, true));
    assert_eq!(told(&["desec", "plain"], target), (Profile::Dyndns2, false));
    assert_eq!(told(&["plain"], target), (Profile::Dyndns2, false));
    let group = "/nic/update?hostname=group&myip=192.0.2.1";
    assert_eq!(told(&["noip"], group), (Profile::NoIp, false));
    assert_eq!(told(&["noip", "plain"], group), (Profile::Dyndns2, false));
}

/// deSEC looks at the user before it looks at `domain`, the others do the opposite: a host must not
/// lose an address because another one was set to deSEC.
#[test]
fn a_host_that_was_found_elsewhere_is_not_read_in_the_dialect_of_another() {
    let target = "/nic/update?domain=desec.own.example&username=plain.own.example&password=x\
                  &myip=192.0.2.1";
    assert_eq!(told(&["desec", "plain"], target), (Profile::Dyndns2, false));
    let own = "/nic/update?hostname=desec.own.example&myip=192.0.2.1&myipv6:plain.own.example=";
    assert_eq!(told(&["desec", "plain"], own), (Profile::Dyndns2, false));
}

#[test]
fn hosts_that_disagree_are_told() {
    let (directory, actor) = directory(&["desec", "noip"]);
    let request = asked("/nic/update?hostname=desec.own.example,noip.own.example&myip=192.0.2.1");
    let (_, parsed) = read(&directory, &actor, &request, Profile::Dyndns2);
    assert_eq!(parsed.unwrap().hints, [Hint::SeveralDialects]);
}
