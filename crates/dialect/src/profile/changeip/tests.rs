use super::super::check::{CHALLENGE, good, nochg, plain, refusals, request};
use crate::{Code, Outcome, Profile, Wanted};

/// What HPE Comware's template makes: its `offline=1` must not take the host down.
const COMWARE: &str = "GET /nic/update?hostname=home.dyn.example&offline=1 HTTP/1.0\r\n\
                       Host: nic.changeip.com\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\r\n";
/// What OpenWrt's makes.
const OPENWRT: &str = "GET /nic/update?u=user&p=t0ken&cmd=update&hostname=home.dyn.example&ip=192.0.2.1 \
                       HTTP/1.1\r\nUser-Agent: Wget/1.21.4\r\nHost: nic.changeip.com\r\n\r\n";

#[test]
fn a_host_chooses_it_and_offline_is_ignored() {
    assert!(Profile::ChangeIp.is_choice());
    let comware = request(COMWARE);
    assert_eq!(Profile::detect(&comware), Some(Profile::Dyndns2));
    let ask = Profile::ChangeIp.parse(&comware).unwrap();
    assert_eq!((ask.ipv4, ask.ipv6), (Wanted::Source, Wanted::Source));
    let openwrt = request(OPENWRT);
    let who = Profile::ChangeIp.credentials(&openwrt).unwrap();
    assert_eq!((who.user.as_str(), who.password.as_str()), ("user", "t0ken"));
    let ask = Profile::ChangeIp.parse(&openwrt).unwrap();
    let address = "192.0.2.1".parse().unwrap();
    assert_eq!((ask.ipv4, ask.ipv6), (Wanted::Addresses(vec![address]), Wanted::Preserve));
}

#[test]
fn answers_are_numbers_and_only_success_says_success() {
    let request = request(OPENWRT);
    let said = |outcome: Outcome| {
        let mut out = Vec::new();
        Profile::ChangeIp.render(&request, &[outcome]).write(Some(&request), false, &mut out);
        String::from_utf8(out).unwrap()
    };
    let done = plain("200 OK", "", "200 Successful Update\n");
    assert_eq!(said(good("h.example", &[], &["192.0.2.1"])), done);
    assert_eq!(said(nochg("h.example", &["192.0.2.1"])), done);
    assert_eq!(
        said(Outcome::whole(Code::Badauth)),
        plain("401 Unauthorized", CHALLENGE, "401 Access Denied\n")
    );
    for refusal in refusals("h.example") {
        let said = said(refusal);
        assert!(!said.to_lowercase().contains("success"), "{said}");
    }
}
