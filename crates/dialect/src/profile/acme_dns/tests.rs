use super::super::check::{answered, get, good, nochg, post, refusals, request, told};
use super::*;

/// A digest as a challenge has it.
const TXT: &str = "LHDhK3oGRvkiefQnx7OOczTY5Tic_xZ6HcMOc_gmtoM";
const HEAD: &str = "X-Api-User: c36f50e8-4632-44f0-83fe-e070fef28a10\r\nX-Api-Key: t0ken\r\n";

fn update(subdomain: &str, txt: &str) -> String {
    post("/update", HEAD, &format!("{{\"subdomain\":\"{subdomain}\",\"txt\":\"{txt}\"}}\n"))
}

fn said(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn requests_of_real_clients_are_understood() {
    let who = "c36f50e8-4632-44f0-83fe-e070fef28a10:t0ken";
    let meaning =
        format!("acme-dns {who} label home A=keep AAAA=keep TXT _acme-challenge+{TXT} of 2 []");
    // lego and cert-manager (goacmedns).
    let lego = format!(
        "POST /update HTTP/1.1\r\nHost: d.example\r\nUser-Agent: goacmedns/0.2.0\r\n\
         Content-Length: 73\r\nAccept: application/json\r\nContent-Type: application/json\r\n\
         X-Api-Key: t0ken\r\nX-Api-User: c36f50e8-4632-44f0-83fe-e070fef28a10\r\n\
         Accept-Encoding: gzip\r\n\r\n{{\"subdomain\":\"home\",\"txt\":\"{TXT}\"}}\n"
    );
    // acme.sh: curl calls its JSON a form.
    let acme_sh = format!(
        "POST /update HTTP/1.1\r\nHost: d.example\r\nUser-Agent: acme.sh/3.1.1\r\nAccept: */*\r\n\
         {HEAD}Content-Length: 74\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n\
         {{\"subdomain\":\"home\", \"txt\": \"{TXT}\"}}"
    );
    // pyacmedns, for certbot's plugins.
    let certbot = format!(
        "POST /update HTTP/1.1\r\nHost: d.example\r\nUser-Agent: python-requests/2.31.0\r\n\
         Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n\
         {HEAD}Content-Type: application/json\r\nContent-Length: 75\r\n\r\n\
         {{\"txt\": \"{TXT}\", \"subdomain\": \"home\"}}"
    );
    for octets in [lego, acme_sh, certbot] {
        assert_eq!(told(&octets), meaning, "{octets}");
    }
}

/// In the order in which acme-dns looks at a request.
#[test]
fn what_is_wrong_is_refused() {
    let short = &TXT[1..];
    let odd = format!("{short}=");
    for (octets, meaning) in [
        (post("/update", "X-Api-Key: t\r\n", "{"), ":t nohost [JsonUnreadable]"),
        (post("/update", "X-Api-Key: t\r\n", "[1]"), ":t nohost [JsonUnreadable]"),
        (post("/update", "X-Api-Key: t\r\n", ""), ":t nohost [JsonUnreadable]"),
        (post("/update", "X-Api-Key: t\r\n", "{\"subdomain\":7}"), ":t nohost [JsonUnreadable]"),
        (post("/update", "X-Api-Key: t\r\n", "{\"subdomain\":\"\"}"), ":t nohost [JsonUnreadable]"),
        (post("/update", "X-Api-Key: t\r\n", "{\"subdomain\":\"h\"}"), ":t dnserr [TextUnusable]"),
        (post("/update", "X-Api-User: u\r\n", "{}"), "nobody nohost [JsonUnreadable]"),
    ] {
        assert_eq!(told(&octets), format!("acme-dns {meaning}"), "{octets}");
    }
    for txt in [short, &odd] {
        assert!(told(update("home", txt)).ends_with("dnserr [TextUnusable]"), "{txt}");
    }
    assert_eq!(told(post("/update", "", "{\"subdomain\":\"h\"}")), "nothing");
    assert_eq!(told(get("/register")), "nothing");
}

#[test]
fn answers_are_those_of_acme_dns() {
    let asked = update("home", TXT);
    let done = said("200 OK", &format!("{{\"txt\": \"{TXT}\"}}"));
    assert_eq!(answered(&asked, &[good("home.dyn.example", &[], &[])]), done);
    assert_eq!(answered(&asked, &[nochg("home.dyn.example", &[])]), done);
    let forbidden = said("401 Unauthorized", "{\"error\": \"forbidden\"}");
    assert_eq!(answered(&asked, &[Outcome::whole(Code::Badauth)]), forbidden);
    assert_eq!(answered(&asked, &[Outcome::bare("home", Code::Nohost)]), forbidden);
    let bad = answered(update("home", "short"), &[Outcome::whole(Code::Dnserr)]);
    assert_eq!(bad, said("400 Bad Request", "{\"error\": \"bad_txt\"}"));
    let broken = said("500 Internal Server Error", "{\"error\": \"db_error\"}");
    assert_eq!(answered(&asked, &[Outcome::whole(Code::Unavailable)]), broken);
    for refusal in refusals("home") {
        // acme.sh looks for the value anywhere.
        let said = answered(&asked, &[refusal]);
        assert!(!said.starts_with("HTTP/1.1 2") && !said.contains(TXT), "{said}");
    }
}

#[test]
fn registrations_are_read() {
    let read = |json: &str| Registration::read(&request(post("/register", "", json)));
    assert!(is_registration(&request(post("/register", "", ""))));
    assert!(!is_registration(&request(get("/register"))));
    let networks = |list: &[&str]| {
        Ok(Registration { allow_from: list.iter().map(|n| (*n).to_owned()).collect() })
    };
    assert_eq!(read(""), networks(&[]));
    assert_eq!(read("{}"), networks(&[]));
    assert_eq!(read("null\n"), Err(json(400, error("malformed_json_payload"))));
    let three = r#"{"allowfrom":["192.168.100.1/24","1.2.3.4/32","[2002:c0a8:2a00::0]/40"]}"#;
    assert_eq!(read(three), networks(&["192.168.100.1/24", "1.2.3.4/32", "2002:c0a8:2a00::0/40"]));
    assert_eq!(read("{"), Err(json(400, error("malformed_json_payload"))));
    for wrong in ["1.2.3.4", "1.2.3.4/33", "1.2.3.4/+1", "1.2.3.4/", "x/8", "::/129"] {
        let refused = read(&format!("{{\"allowfrom\":[\"{wrong}\"]}}"));
        assert_eq!(refused, Err(json(400, error("invalid_allowfrom_cidr"))), "{wrong}");
    }
    let many = vec!["\"::/0\""; Registration::NETWORKS_MAX + 1].join(",");
    let refused = read(&format!("{{\"allowfrom\":[{many}]}}"));
    assert_eq!(refused, Err(json(400, error("invalid_allowfrom_cidr"))));
}

#[test]
fn an_account_is_told_in_the_order_of_acme_dns() {
    let mut account = Registered {
        username: "home".to_owned(),
        password: "hush".to_owned(),
        fulldomain: "_acme-challenge.home.dyn.example".to_owned(),
        subdomain: "home".to_owned(),
        allow_from: Vec::new(),
    };
    let mut out = Vec::new();
    account.render().write(Some(&request(post("/register", "", ""))), false, &mut out);
    let body = "{\"username\":\"home\",\"password\":\"hush\",\
                \"fulldomain\":\"_acme-challenge.home.dyn.example\",\"subdomain\":\"home\",\
                \"allowfrom\":[]}";
    assert_eq!(String::from_utf8(out).unwrap(), said("201 Created", body));
    account.allow_from = vec!["192.0.2.0/24".to_owned(), "2001:db8::/32".to_owned()];
    let body = String::from_utf8(account.render().body).unwrap();
    assert!(body.ends_with("\"allowfrom\":[\"192.0.2.0/24\",\"2001:db8::/32\"]}"), "{body}");
    assert!(!format!("{account:?}").contains("hush"));
    let closed = no_registration();
    assert_eq!((closed.status, &closed.body[..]), (404, &b"404 page not found\n"[..]));
}
