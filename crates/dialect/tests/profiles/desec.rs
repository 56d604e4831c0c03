//! desec.readthedocs.io, "IP Update API", and what its code of August 2026 makes of device requests.

use dialect::Profile;

use crate::trial::{check, check_answers, get, read};

const OK: &str = "HTTP/1.1 200 OK\nContent-Type: text/plain\n\n";

#[test]
fn hosts_are_looked_for_in_the_order_of_the_document() {
    let all = "source-else-delete source-else-delete";
    for (asked, hosts) in [
        ("u /?hostname=a.example&host_id=b.example", "a.example"),
        ("u /?hostname=YES&host_id=b.example", "b.example"),
        ("u /?hostname=&host_id=b.example", "b.example"),
        ("u.example /?x=y", "u.example"),
        ("u.example /?username=v.example", "u.example"),
        ("me@mail.example /?username=v.example", "v.example"),
        ("me@mail.example /", "the only one"),
        ("/?username=v.example&password=token", "v.example"),
        ("u /?hostname=A.example,%20b.example,a.example", "a.example,b.example"),
    ] {
        let hints = if asked.contains("password") { " [TokenInUrl]" } else { "" };
        check(Profile::Desec, &[(asked, &format!("{hosts}: {all}{hints}"))]);
    }
}

#[test]
fn families_are_read_as_the_document_says() {
    for (query, families) in [
        ("", "source-else-delete source-else-delete"),
        ("myip=192.0.2.1", "192.0.2.1 source-else-delete"),
        ("myipv4=192.0.2.1", "192.0.2.1 source-else-delete"),
        ("ip=192.0.2.1", "192.0.2.1 source-else-delete"),
        ("myip=192.0.2.1&myipv4=192.0.2.2", "192.0.2.1 source-else-delete"),
        ("myip=2001:db8::1&myipv4=192.0.2.2", "192.0.2.2 2001:db8::1"),
        ("myip=invalid&ip=192.0.2.2", "192.0.2.2 source-else-delete"),
        ("myipv6=2001:db8::1", "source-else-delete 2001:db8::1"),
        ("ipv6=2001:db8::1&myip=192.0.2.1", "192.0.2.1 2001:db8::1"),
        ("myip=192.0.2.1,%202001:db8::2%20,192.0.2.3", "192.0.2.1,192.0.2.3 2001:db8::2"),
        ("myip=192.0.2.1,192.0.2.1&myipv6=preserve", "192.0.2.1 keep"),
        ("myipv4=preserve&myipv6=preserve", "keep keep"),
        ("myip=preserve", "keep keep"),
        ("myip=", "delete delete"),
        ("myipv4=&myipv6=2001:db8::1", "delete 2001:db8::1"),
        ("myipv4=192.0.2.1&myipv6=", "192.0.2.1 delete"),
        ("myipv4=192.0.2.77/24&myipv6=2001:db8:1:2:3::4/64", "192.0.2.0/24 2001:db8:1:2::/64"),
        ("myip=192.0.2.1/0&myipv6=::1/128", "0.0.0.0/0 ::1/128"),
    ] {
        let asked = format!("/?hostname=h.example&{query}");
        check(Profile::Desec, &[(&asked, &format!("h.example: {families}"))]);
    }
}

#[test]
fn what_it_answers_with_400_changes_nothing() {
    for (value, hint) in [
        ("myip=192.0.2.1,", "MixedParameter"),
        ("myip=preserve,2001:db8::2", "MixedParameter"),
        ("myip=192.0.2.0/24,192.0.2.1", "MixedParameter"),
        ("myip=192.0.2.1//", "NotAnAddress"),
        ("myip=192.0.2.1/33", "NotAnAddress"),
        ("myip=192.0.2.4asdf", "NotAnAddress"),
        ("myipv6=2001:db8::1%25eth0", "NotAnAddress"),
        ("myipv4:h.example=192.0.2.1/64", "NotAnAddress"),
    ] {
        let asked = format!("/?hostname=h.example&{value}");
        check(Profile::Desec, &[(&asked, &format!("dnserr [{hint}]"))]);
    }
}

#[test]
fn single_hosts_get_their_own() {
    let table = [
        (
            "hostname=a.example,b.example&myip=192.0.2.1&ipv6=::1&myipv6:b.example=::2",
            "a.example,b.example: 192.0.2.1 ::1; b.example: as all ::2",
        ),
        (
            "hostname=a.example&myip=192.0.2.1&ipv6=::1&myipv6:c.example=::2",
            "a.example,c.example: 192.0.2.1 ::1; c.example: keep ::2",
        ),
        (
            "hostname=a.example&myip=192.0.2.1&myipv6:a.example=::1&myipv6:a.example,b.example=::2",
            "a.example,b.example: 192.0.2.1 source-else-delete; a.example: as all ::2; b.example: keep ::2",
        ),
        (
            "hostname=a.example&myip=10.1.0.0/16&myipv4:a.example=192.0.2.1&myipv6:a.example=preserve",
            "a.example: 10.1.0.0/16 source-else-delete; a.example: 192.0.2.1 keep",
        ),
        ("hostname=a.example&myipv4:a.example=", {
            "a.example: source-else-delete source-else-delete; a.example: delete as all"
        }),
        ("myipv4:a.example=192.0.2.1", "notfqdn"),
    ];
    for (query, expected) in table {
        check(Profile::Desec, &[(&format!("/?{query}"), expected)]);
    }
}

/// Hikvision, pfSense, inadyn, ddclient, Zyxel, FRITZ!Box behind DS-Lite: what it does to them is why
/// a host has to choose it.
#[test]
fn devices_lose_the_family_that_they_do_not_send() {
    for (query, families) in [
        ("system=dyndns&myip=&wildcard=OFF&mx=NO&backmx=NO&offline=NO", "delete delete"),
        ("myip=192.168.1.1", "192.168.1.1 source-else-delete"),
        ("myip=192.0.2.1", "192.0.2.1 source-else-delete"),
        ("myipv6=2001:db8::7", "source-else-delete 2001:db8::7"),
        ("myip=192.0.2.1,2001:db8::7", "192.0.2.1 2001:db8::7"),
        ("", "source-else-delete source-else-delete"),
        ("myip=&myipv6=2001:db8::7", "delete 2001:db8::7"),
        ("username=u&password=p&myipv4=192.0.2.1&myipv6=preserve", "192.0.2.1 keep"),
    ] {
        let hints = if query.contains("password") { " [TokenInUrl]" } else { "" };
        let asked = format!("/nic/update?hostname=h.example&{query}");
        check(Profile::Desec, &[(&asked, &format!("h.example: {families}{hints}"))]);
    }
}

/// Where we differ: there `<ip6addr>` says nothing, so AAAA would be deleted.
#[test]
fn a_placeholder_keeps_what_is_there() {
    check(
        Profile::Desec,
        &[(
            "/nic/update?hostname=h.example&myipv4=192.0.2.1&myipv6=<ip6addr>",
            "h.example: 192.0.2.1 keep [AddressPlaceholder]",
        )],
    );
}

#[test]
fn hosts_share_one_answer() {
    let plain = "Content-Type: text/plain\n";
    check_answers(
        Profile::Desec,
        &get("/?hostname=h.example"),
        &[
            (&["good 192.0.2.1"], &format!("{OK}good")),
            (&["nochg 192.0.2.1"], &format!("{OK}good")),
            (&["good", "good 192.0.2.1"], &format!("{OK}good")),
            (&["nohost", "nohost"], &format!("HTTP/1.1 404 Not Found\n{plain}\nnohost")),
            (&["notfqdn"], &{
                format!(
                    "HTTP/1.1 400 Bad Request\n{plain}\n\
                     Request does not properly specify domain for update."
                )
            }),
            (&["numhost"], &{
                format!(
                    "HTTP/1.1 400 Bad Request\n{plain}\n\
                     Cannot update subdomains from more than one domain."
                )
            }),
            (&["dnserr"], &format!("HTTP/1.1 400 Bad Request\n{plain}\ndnserr")),
            (&["abuse"], &format!("HTTP/1.1 403 Forbidden\n{plain}\nabuse")),
            (&["911"], &{
                format!("HTTP/1.1 503 Service Unavailable\n{plain}Retry-After: 300\n\n911")
            }),
        ],
    );
}

#[test]
fn the_token_may_be_in_three_places() {
    for (asked, user) in [
        ("h.example /?myip=192.0.2.1", "h.example"),
        ("/?username=h.example&password=token", "h.example"),
        ("/?password=token", ""),
    ] {
        let found = Profile::Desec.credentials(&read(asked)).map(|c| (c.user, c.password));
        assert_eq!(found, Some((user.to_owned(), "token".to_owned())), "{asked}");
    }
    let bearer =
        crate::trial::request(b"GET / HTTP/1.1\r\nHost: d\r\nAuthorization: Token token\r\n\r\n");
    assert_eq!(Profile::Desec.credentials(&bearer).map(|c| c.password).as_deref(), Some("token"));
}
