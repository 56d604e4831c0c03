use super::super::check::{answered, good, nochg, plain, told};

/// A request with Basic, as routers send it.
fn router(target: &str, agent: &str) -> String {
    format!(
        "GET {target} HTTP/1.0\r\nHost: d.example\r\nAuthorization: Basic dXNlcjp0MGtlbg==\r\n\
         User-Agent: {agent}\r\n\r\n"
    )
}

/// All templates of HPE 5200-4545, "url", that are HTTP, filled in.
#[test]
fn each_template_of_comware_is_understood_or_known_not_to_be() {
    let set = "home.dyn.example A=192.0.2.1 AAAA=keep []";
    for (target, profile, meaning) in [
        ("/dyndns/update?system=dyndns&hostname=<h>&myip=<a>", "pubyun", set),
        ("/nic/update?system=dyndns&hostname=<h>&myip=<a>", "dyndns2", set),
        ("/postscript.php?host=<h>&ip=<a>", "dyns", set),
        ("/auth/dynamic.html?host=<h>&dnsto=<a>", "zoneedit", set),
        ("/dyn/ez-ipupdate.php?action=edit&myip=<a>&host_id=<h>", "easydns", set),
        ("/nic/update?hostname=<h>&myip=<a>", "dyndns2", set),
        ("/nic/update?group=office&myip=<a>", "hp", "all A=192.0.2.1 AAAA=keep []"),
    ] {
        let target = target.replace("<h>", "home.dyn.example").replace("<a>", "192.0.2.1");
        let said = told(router(&target, "Comware"));
        assert_eq!(said, format!("{profile} user:t0ken {meaning}"), "{target}");
    }
    // For ChangeIP: see there. TZO's and DHS's are not spoken.
    for target in [
        "/webclient/signedon.html?TZOName=home.dyn.exampleIPAddress=192.0.2.1",
        "/nic/hosts?domain=dyn.dhs.org&hostname=home&hostscmd=edit&hostscmdstage=2&type=1&ip=192.0.2.1",
    ] {
        assert_eq!(told(router(target, "Comware")), "nothing", "{target}");
    }
}

/// The examples that Cisco and MikroTik give for `ip ddns update method` and `/tool fetch`.
#[test]
fn cisco_and_mikrotik_speak_dyndns2() {
    for (target, agent) in [
        ("/nic/update?system=dyndns&hostname=home.dyn.example&myip=192.0.2.1", "cisco-IOS"),
        ("/nic/update?hostname=home.dyn.example&myip=192.0.2.1", "Mikrotik/7.16 Fetch"),
        ("/nic/update?myip=192.0.2.1&hostname=home.dyn.example", "Mikrotik/6.49 Fetch"),
    ] {
        let said = told(router(target, agent));
        assert_eq!(
            said, "dyndns2 user:t0ken home.dyn.example A=192.0.2.1 AAAA=keep []",
            "{target}"
        );
    }
    // MikroTik's script for ChangeIP puts user and password into the URL.
    let script = "/nic/update?u=user&p=t0ken&cmd=update&hostname=home.dyn.example&myip=192.0.2.1";
    let said = told(router(script, "Mikrotik/6.49 Fetch"));
    assert_eq!(said, "dyndns2 user:t0ken home.dyn.example A=192.0.2.1 AAAA=keep []");
}

#[test]
fn a_group_is_answered_host_by_host() {
    let asked = router("/nic/update?group=office&myip=192.0.2.1", "Comware");
    let outcomes = [good("a.example", &[], &["192.0.2.1"]), nochg("b.example", &["192.0.2.1"])];
    let modern = asked.replace("HTTP/1.0", "HTTP/1.1");
    let body = "good 192.0.2.1\nnochg 192.0.2.1\n";
    assert_eq!(answered(modern, &outcomes), plain("200 OK", "", body));
    assert!(answered(asked, &outcomes).ends_with(body));
}
