use super::*;

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, location: None, retry_after_s: None, body: body.to_owned() }
}

fn read_v4(body: &str) -> Result<IpAddr, Cause> {
    read(&reply(200, body), Family::V4, Allowed::default())
}

#[test]
fn text_and_json_are_understood() {
    for body in [
        "9.0.0.1",
        "  9.0.0.1\r\n",
        "::ffff:9.0.0.1",
        "\"9.0.0.1\"",
        "{\"ip\":\"9.0.0.1\"}",
        "{\"address\": \"9.0.0.1\", \"family\": \"ipv4\"}",
        "{\"ipv6\":\"2a00::1\",\"ipv4\":\"9.0.0.1\"}",
        "{\"ip\":\"2a00::1\",\"ipv4\":\"9.0.0.1\"}",
    ] {
        assert_eq!(read_v4(body), Ok("9.0.0.1".parse().unwrap()), "{body}");
    }
    let v6 = read(&reply(200, "2a00::1\n"), Family::V6, Allowed::default());
    assert_eq!(v6, Ok("2a00::1".parse().unwrap()));
}

#[test]
fn what_is_not_an_address_is_never_searched_for_one() {
    for (body, expected) in [
        ("", Cause::NotAnAddress),
        ("your address is 9.0.0.1", Cause::NotAnAddress),
        ("9.0.0.1, 9.0.0.2", Cause::NotAnAddress),
        ("9.0.0.1/32", Cause::NotAnAddress),
        ("9.0.0", Cause::NotAnAddress),
        ("{\"ip\":", Cause::NotAnAddress),
        ("{\"status\":\"9.0.0.1\"}", Cause::NotAnAddress),
        ("[\"9.0.0.1\"]", Cause::NotAnAddress),
        ("<html><body>9.0.0.1</body></html>", Cause::WebPage),
        ("<!DOCTYPE html><title>Log in</title>", Cause::WebPage),
    ] {
        assert_eq!(read_v4(body), Err(expected), "{body}");
    }
}

#[test]
fn the_other_family_and_what_the_world_cannot_see_are_refused() {
    let address = |text: &str| -> IpAddr { text.parse().unwrap() };
    for (body, expected) in [
        ("2a00::1", Cause::OtherFamily(address("2a00::1"))),
        ("192.168.1.2", Cause::NotPublic(address("192.168.1.2"), "private")),
        ("127.0.0.1", Cause::NotPublic(address("127.0.0.1"), "loopback")),
        ("169.254.0.1", Cause::NotPublic(address("169.254.0.1"), "link-local")),
        ("0.0.0.0", Cause::NotPublic(address("0.0.0.0"), "unspecified")),
    ] {
        assert_eq!(read_v4(body), Err(expected), "{body}");
    }
    let private = Allowed { private: true, loopback: false };
    let read = read(&reply(200, "192.168.1.2"), Family::V4, private);
    assert_eq!(read, Ok(address("192.168.1.2")));
}

#[test]
fn only_a_plain_success_is_believed() {
    assert_eq!(
        read(&reply(503, "9.0.0.1"), Family::V4, Allowed::default()),
        Err(Cause::Status(503))
    );
    let mut portal = reply(302, "9.0.0.1");
    portal.location = Some("http://portal.example/login\u{7}".to_owned());
    assert_eq!(
        read(&portal, Family::V4, Allowed::default()),
        Err(Cause::Redirected("http://portal.example/login".to_owned()))
    );
}

#[test]
fn a_loopback_address_is_believed_of_an_echo_on_this_machine_only() {
    let at = |url| allowed_at(url, Allowed::default()).loopback;
    assert!(at("http://127.0.0.1:8053/ip?format=json") && at("http://[::1]:8053/ip"));
    assert!(!at("https://dyn.example/ip") && !at("http://192.168.1.1/ip"));
}
