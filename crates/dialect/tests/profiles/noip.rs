//! noip.com/integrate: "Request Method" and "Response Codes"; the host that stands for a key.

use dialect::Profile;

use crate::trial::{OK, check, check_answers, get, read};

#[test]
fn requests_are_those_of_the_document() {
    check(
        Profile::NoIp,
        &[
            ("u /nic/update?hostname=h.example&myip=192.0.2.1", "h.example: 192.0.2.1 keep"),
            (
                "u /nic/update?hostname=a.example,b.example&myip=192.0.2.1,2001:db8::1",
                "a.example,b.example: 192.0.2.1 2001:db8::1",
            ),
            (
                "u /nic/update?hostname=h.example&myip=192.0.2.1&myipv6=2001:db8::1",
                "h.example: 192.0.2.1 2001:db8::1",
            ),
            ("u /nic/update?hostname=h.example&offline=YES", "h.example: delete delete"),
            ("u /nic/update?hostname=group&myip=192.0.2.1", "all: 192.0.2.1 keep"),
            ("u /nic/update?hostname=h.example,group&myip=192.0.2.1", "all: 192.0.2.1 keep"),
            ("u /nic/update?hostname=all.ddnskey.com&myip=192.0.2.1", "all: 192.0.2.1 keep"),
            ("u /nic/update?myip=192.0.2.1", "all: 192.0.2.1 keep"),
            ("u /nic/update", "all: source source"),
            ("h.example /nic/update", "h.example: source source [HostFromUserName]"),
        ],
    );
}

#[test]
fn the_host_of_a_key_is_known_wherever_it_is_asked() {
    for (asked, profile) in [
        ("u /nic/update?hostname=all.ddnskey.com", Profile::NoIp),
        ("u /nic/update?hostname=All.DDNSKey.com&myip=192.0.2.1", Profile::NoIp),
        ("u /nic/update?hostname=h.example", Profile::Dyndns2),
        ("u /nic/update?hostname=group", Profile::Dyndns2),
    ] {
        assert_eq!(Profile::detect(&read(asked)), Some(profile), "{asked}");
    }
}

#[test]
fn hosts_have_a_line_each() {
    check_answers(
        Profile::NoIp,
        &get("/nic/update?hostname=a.example,b.example"),
        &[
            (&["good 192.0.2.1"], &format!("{OK}good 192.0.2.1\n")),
            (&["good 192.0.2.1,2001:db8::1"], &format!("{OK}good 192.0.2.1,2001:db8::1\n")),
            (
                &["nochg 192.0.2.1", "good 192.0.2.1"],
                &format!("{OK}nochg 192.0.2.1\ngood 192.0.2.1\n"),
            ),
            (&["nohost", "good 192.0.2.1"], &format!("{OK}nohost\ngood 192.0.2.1\n")),
        ],
    );
}

#[test]
fn a_group_has_one_line_that_hides_no_failure() {
    check_answers(
        Profile::NoIp,
        &get("/nic/update?hostname=all.ddnskey.com"),
        &[
            (&["nochg 192.0.2.1", "good 192.0.2.1"], &format!("{OK}good 192.0.2.1\n")),
            (&["nochg 192.0.2.1", "nochg 192.0.2.1"], &format!("{OK}nochg 192.0.2.1\n")),
            (&["good 192.0.2.1", "dnserr", "nohost"], &format!("{OK}dnserr\n")),
        ],
    );
}
