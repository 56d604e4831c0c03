use super::*;

const GET: &str = "GET /nic/update?hostname=h.example HTTP/1.1\r\nHost: d\r\n";

fn first(octets: &[u8]) -> Result<Option<Request>, Malformed> {
    let mut reader = Reader::new(Limits::default());
    reader.push(octets);
    reader.next()
}

fn request(octets: &[u8]) -> Request {
    first(octets).unwrap().unwrap()
}

fn with(fields: &str) -> Result<Option<Request>, Malformed> {
    first(format!("{GET}{fields}\r\n").as_bytes())
}

/// Two parties that disagree about where a request ends let an attacker hide one in another.
#[test]
fn whatever_could_hide_a_request_in_another_is_refused() {
    let table = [
        ("Transfer-Encoding: chunked\r\n", 501),
        ("Transfer-Encoding: identity\r\n", 501),
        ("transfer-encoding:\r\n", 501),
        ("Transfer-Encoding: xchunked\r\n", 501),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", 400),
        ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding : chunked\r\n", 400),
        ("Transfer-Encoding:\r\n chunked\r\n", 400),
        ("X: a\r\n Transfer-Encoding: chunked\r\nContent-Length\t: 4\r\n", 400),
        ("Content-Length: 4\r\nContent-Length: 4\r\n", 400),
        ("Content-Length: 4\r\nContent-Length: 5\r\n", 400),
        ("Content-Length: 4, 4\r\n", 400),
        ("Content-Length: +4\r\n", 400),
        ("Content-Length: -4\r\n", 400),
        ("Content-Length: 4 4\r\n", 400),
        ("Content-Length: 0x4\r\n", 400),
        ("Content-Length: 4.0\r\n", 400),
        ("Content-Length:\r\n", 400),
        ("Content-Length: \u{664}\r\n", 400),
        ("Content-Length: 4\r\n 4\r\n", 400),
        ("Content-Length : 4\r\n", 400),
        ("Content-Length: 8193\r\n", 413),
        ("Content-Length: 99999999999999999999999999\r\n", 413),
        ("Connection : close\r\n", 400),
        ("Connection: keep-alive,\r\n close\r\n", 400),
        ("Connection: clo\u{1}se\r\n", 400),
        ("Expect: 100-continue\r\nContent-Length: 4\r\n", 417),
        ("Expect: something\r\n", 417),
        ("Host: e\r\n", 400),
        ("Authorization: Basic dTpw\r\nAuthorization: Basic dTpx\r\n", 400),
        ("no colon\r\n", 400),
        (": nothing\r\n", 400),
        ("two words: x\r\n", 400),
        ("X: a\rContent-Length: 4\r\n", 400),
        ("X\r: a\r\n", 400),
        ("X: a\r\r\n", 400),
        ("X: a\0b\r\n", 400),
        ("X\0: a\r\n", 400),
        ("X\u{b}: a\r\n", 400),
        ("X\u{e4}: a\r\n", 400),
    ];
    for (fields, status) in table {
        assert_eq!(with(fields).map_err(|m| m.status), Err(status), "{fields:?}");
    }
}

#[test]
fn a_forwarding_field_is_refused_where_the_proxy_may_have_read_other_lines() {
    let forwarded = "X-Forwarded-For: 192.0.2.1\r\n";
    let table = [
        ("X: a\n", 400),
        ("X: a\r\n b\r\n", 400),
        ("X : a\r\n", 400),
        ("X: a\u{1}\r\n", 200),
        ("X: a\r\n", 200),
        ("X: \u{fc}\r\n", 200),
    ];
    for (fields, status) in table {
        let found = with(&format!("{fields}{forwarded}")).map_or_else(|m| m.status, |_| 200);
        assert_eq!(found, status, "{fields:?}");
    }
    assert_eq!(with("X-Forwarded-For : 192.0.2.1\r\n").map_err(|m| m.status), Err(400));
    assert_eq!(with("X: a\nForwarded: for=192.0.2.1\r\n").map_err(|m| m.status), Err(400));
    let odd_target = format!("GET /a b HTTP/1.1\r\nHost: d\r\n{forwarded}\r\n");
    assert_eq!(request(odd_target.as_bytes()).hints, [Hint::Unescaped]);
}

#[test]
fn a_request_line_that_is_none_is_refused() {
    let table: [(&[u8], u16); 14] = [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/0.9\r\n\r\n", 505),
        (b"GET / HTTP/1.1 and more\r\n", 400),
        (b"GET / HTTP/11\r\n", 400),
        (b"POST /nic/update\r\n", 400),
        (b"HELO d\r\n", 400),
        (b" GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET\t/ HTTP/1.1\r\n\r\n", 400),
        (b"G(T / HTTP/1.1\r\n\r\n", 400),
        (b"GET /\0 HTTP/1.1\r\n\r\n", 400),
        (b"GET /a\rb HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n folded: first\r\n\r\n", 400),
        (b"\n\n\n\n\n\n\n\n\nGET / HTTP/1.1\r\n\r\n", 400),
    ];
    for (octets, status) in table {
        let shown = octets.escape_ascii();
        assert_eq!(first(octets).map_err(|m| m.status), Err(status), "{shown}");
    }
}

#[test]
fn a_refusal_is_final_and_matches_no_word_of_success() {
    let mut reader = Reader::new(Limits::default());
    reader.push(b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    let refused = reader.next().unwrap_err();
    reader.push(b"GET / HTTP/1.1\r\nHost: d\r\n\r\n");
    assert_eq!((reader.next(), reader.end(), reader.room()), (Err(refused), Err(refused), 0));

    let mut out = Vec::new();
    refused.response().write(None, false, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("HTTP/1.1 501 Not Implemented\r\n"), "{text}");
    assert!(text.contains("\r\nConnection: close\r\n"), "{text}");
    assert!(text.ends_with("not supported here\n"), "{text}");
    for word in ["good", "nochg", "OK", "\nw"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn rfc9112_9_3_a_connection_persists_when_both_sides_can_know_it() {
    let table = [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: keep-alive\r\n", true),
        ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: TE\r\nConnection: x, Close\r\n", false),
        ("HTTP/1.7", "", true),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
        ("HTTP/1.0", "Proxy-Connection: keep-alive\r\n", false),
        ("HTTP/1.0", "Expect: 100-continue\r\nConnection: keep-alive\r\n", true),
    ];
    for (version, fields, persistent) in table {
        let octets = format!("GET /ip {version}\r\nHost: d\r\n{fields}\r\n");
        assert_eq!(request(octets.as_bytes()).persistent, persistent, "{version} {fields}");
    }
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let mut reader = Reader::new(Limits::default());
    assert!(reader.is_idle());
    reader
        .push(b"POST /nic/update HTTP/1.1\r\nHost: d\r\nContent-Length: 10\r\n\r\nhostname=a\r\n");
    reader.push(b"GET /b HTTP/1.1\r\nHost: d\r\nContent-Length: 34\r\n\r\n");
    assert_eq!(reader.next().unwrap().unwrap().parameter(&["hostname"]), Some("a"));
    assert_eq!(reader.next(), Ok(None));
    assert!(!reader.is_idle());
    // The body of a GET is consumed and means nothing.
    reader.push(b"GET /smuggled HTTP/1.1\r\nHost: d\r\n\r\nHEAD /c HTTP/1.1\r\nHost: d\r\n\r\n\r");
    assert_eq!(reader.next().unwrap().unwrap().path, "/b");
    let last = reader.next().unwrap().unwrap();
    assert_eq!((last.path.as_str(), last.method), ("/c", Method::Head));
    assert_eq!(reader.next(), Ok(None));
    assert!(reader.is_idle());
    assert_eq!(reader.end(), Ok(None));
}

#[test]
fn the_limits_have_their_statuses() {
    let limits = Limits { head_octets: 128, body_octets: 16, headers: 4 };
    let check = |octets: &[u8]| {
        let mut reader = Reader::new(limits);
        for octet in octets {
            reader.push(&[*octet]);
            match reader.next() {
                Ok(None) => {}
                Ok(Some(_)) => return 200,
                Err(malformed) => return malformed.status,
            }
        }
        0
    };
    let line = |octets: usize| format!("GET /{} HTTP/1.1\r\n", "a".repeat(octets - 16));
    assert_eq!(check(format!("{}\r\n", line(126)).as_bytes()), 200);
    assert_eq!(check(format!("{}\r\n", line(127)).as_bytes()), 431);
    assert_eq!(check(line(129).as_bytes()), 414);
    assert_eq!(check("x".repeat(127).as_bytes()), 0);
    assert_eq!(check("x".repeat(128).as_bytes()), 414);
    let fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(count));
    assert_eq!(check(fields(4).as_bytes()), 200);
    assert_eq!(check(fields(5).as_bytes()), 431);
    let body = |octets: usize| {
        let body = "b".repeat(octets);
        format!("POST / HTTP/1.1\r\nContent-Length: {octets}\r\n\r\n{body}")
    };
    assert_eq!(check(body(16).as_bytes()), 200);
    assert_eq!(check(body(17).as_bytes()), 413);
}

#[test]
fn what_there_is_no_room_for_ends_the_connection_after_the_next_request() {
    let mut reader = Reader::new(Limits::default());
    let many = "GET /ip HTTP/1.1\r\nHost: d\r\n\r\n".repeat(1000);
    reader.push(many.as_bytes());
    assert_eq!(reader.room(), 0);
    assert!(!reader.next().unwrap().unwrap().persistent);
    assert_eq!(reader.next(), Ok(None));
}

#[test]
fn credentials_are_read_as_devices_write_them() {
    let table = [
        ("Basic dXNlcjpwYXNz", Some(("user", "pass"))),
        ("basic   dXNlcjpwYXNz", Some(("user", "pass"))),
        ("Basic OnBhc3M=", Some(("", "pass"))),
        ("Basic OnBhc3M", Some(("", "pass"))),
        ("Basic dTpwOnE6cg==", Some(("u", "p:q:r"))),
        ("Basic dTo=", Some(("u", ""))),
        ("Basic dXNlcg==", Some(("user", ""))),
        ("Basic YkBjLmQ6/Pw=", Some(("b@c.d", "\u{fc}\u{fc}"))),
        ("Basic YkBjLmQ6_Pw", Some(("b@c.d", "\u{fc}\u{fc}"))),
        ("Basic dTrDvA==", Some(("u", "\u{fc}"))),
        ("Bearer abc", Some(("", "abc"))),
        ("Token abc", Some(("", "abc"))),
        ("Basic !!!", None),
        ("Basic", Some(("", ""))),
        ("Digest username=\"u\"", None),
        ("", None),
    ];
    for (value, expected) in table {
        let request = with(&format!("Authorization: {value}\r\n")).unwrap().unwrap();
        let found = request.credentials.as_ref().map(|c| (c.user.as_str(), c.password.as_str()));
        assert_eq!(found, expected, "{value}");
        let hint = request.hints.contains(&Hint::AuthorizationUnreadable);
        assert_eq!(hint, expected.is_none(), "{value}");
    }
}

#[test]
fn paths_are_normalised() {
    let table = [
        ("/nic/update", "/nic/update"),
        ("/nic/update/", "/nic/update"),
        ("//v3//update", "/v3/update"),
        ("\\nic\\update", "/nic/update"),
        ("/NIC/Update", "/nic/update"),
        ("/nic%2fupdate", "/nic/update"),
        ("/ip", "/ip"),
        ("//ip", "/ip"),
        ("/", "/"),
        ("*", "*"),
        ("d.example:8080", "/nic/update"),
        ("d.example?hostname=h", "/nic/update"),
        ("d.example/nic/update", "/nic/update"),
        ("%20http:/d.example/nic/update", "/nic/update"),
        ("update", "/update"),
        ("http://d.example", "/"),
        ("HTTPS://d.example/ip?x", "/ip"),
        ("http://d.example?x=1", "/"),
        ("/a%0d%0ab", "/a\u{fffd}\u{fffd}b"),
        ("/nic/update/../../metrics", "/nic/update/../../metrics"),
    ];
    for (target, path) in table {
        let octets = format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n");
        assert_eq!(request(octets.as_bytes()).path, path, "{target}");
    }
    assert_eq!(request(b"GET HTTP/1.0\r\n\r\n").path, "/");
}

#[test]
fn parameters_are_decoded_in_order_and_found_in_any_case() {
    let octets = b"GET /?a=1&&A=2&amp;b=%e4+x%41&b=&=3&c&d=%&e=x=y HTTP/1.1\r\nHost: d\r\n\r\n";
    let request = request(octets);
    let pairs: Vec<(&str, &str)> =
        request.parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let expected = [
        ("a", "1"),
        ("A", "2"),
        ("b", "\u{e4} xA"),
        ("b", ""),
        ("", "3"),
        ("c", ""),
        ("d", "%"),
        ("e", "x=y"),
    ];
    assert_eq!(pairs, expected);
    assert_eq!(request.parameter(&["a"]), Some("2"));
    assert_eq!(request.parameter(&["B"]), Some("\u{e4} xA"));
    assert_eq!(request.parameter(&["c"]), None);
    assert_eq!(request.hints, [Hint::HtmlAmpersand, Hint::NotUtf8, Hint::LonePercent]);
}

#[test]
fn a_body_is_parameters_only_when_it_is_the_form_of_a_post() {
    let table: [(&str, &str, Option<&str>, Option<Hint>); 6] = [
        ("POST", "Content-Length: 5\r\n", Some("b"), None),
        (
            "POST",
            "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: 5\r\n",
            Some("b"),
            None,
        ),
        (
            "POST",
            "Content-Type: text/plain\r\nContent-Length: 5\r\n",
            None,
            Some(Hint::BodyNotForm),
        ),
        ("POST", "Content-Type: application/json\r\nContent-Length: 5\r\n", None, None),
        ("POST", "", None, Some(Hint::PostWithoutLength)),
        ("PUT", "Content-Length: 5\r\n", None, None),
    ];
    for (method, fields, expected, hint) in table {
        let octets = format!("{method} / HTTP/1.1\r\nHost: d\r\n{fields}\r\na=b\r\n");
        let request = request(octets.as_bytes());
        assert_eq!(request.parameter(&["a"]), expected, "{method} {fields}");
        assert_eq!(request.hints, Vec::from_iter(hint), "{method} {fields}");
        let kept = method == "POST" && fields.contains("Length");
        assert_eq!(request.body, if kept { &b"a=b\r\n"[..] } else { b"" }, "{method} {fields}");
    }
}

/// `curl -d` calls JSON a form, and so do the scripts that use it.
#[test]
fn json_is_kept_whatever_it_is_called_and_is_no_parameter() {
    let body = br#"{"subdomain":"home", "txt": "a=b&c=%zz"}"#;
    for content_type in ["application/json; charset=utf-8", "application/x-www-form-urlencoded"] {
        let head = format!(
            "POST /update HTTP/1.1\r\nHost: d\r\nContent-Type: {content_type}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let request = request(&[head.as_bytes(), body].concat());
        assert_eq!((&request.body[..], request.parameters.len()), (&body[..], 0), "{content_type}");
        assert!(request.persistent && request.hints.is_empty(), "{content_type}");
    }
}

#[test]
fn one_slash_at_the_end_of_a_path_is_not_odd() {
    for (target, path, hint) in [
        ("/u/token/", "/u/token", None),
        ("/api/?action=getdyndns", "/api", None),
        ("/u//token/", "/u/token", Some(Hint::PathUntidy)),
        ("/u/token//", "/u/token", Some(Hint::PathUntidy)),
    ] {
        let request = request(format!("GET {target} HTTP/1.1\r\nHost: d\r\n\r\n").as_bytes());
        assert_eq!(request.path, path, "{target}");
        assert_eq!(request.hints, Vec::from_iter(hint), "{target}");
    }
}

#[test]
fn header_fields_are_found_and_the_secret_one_is_not_kept() {
    let fields = "X-Forwarded-For: 192.0.2.1\r\nx-forwarded-for: 192.0.2.2\r\n\
                  User-Agent: a\u{1}b\r\nAuthorization: Bearer secret\r\n";
    let request = with(fields).unwrap().unwrap();
    assert_eq!(request.header("X-Forwarded-For"), Some("192.0.2.2"));
    let all: Vec<&str> = request.headers("X-FORWARDED-FOR").collect();
    assert_eq!(all, ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(request.header("Authorization"), None);
    assert_eq!(request.header("Referer"), None);
    assert_eq!(request.user_agent.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(request.hints, [Hint::ControlCharacter]);
}

#[test]
fn debug_output_shows_no_secret() {
    let mut reader = Reader::new(Limits::default());
    reader.push(
        b"GET /hush?token=hush HTTP/1.1\r\nHost: hush\r\nAuthorization: Basic aHVzaDpodXNo\r\n",
    );
    let mut shown = format!("{reader:?}");
    reader.push(b"X-Token: hush\r\n\r\n");
    let request = reader.next().unwrap().unwrap();
    shown += &format!("{request:?} {:?}", request.credentials);
    assert!(request.credentials.is_some());
    assert!(!shown.contains("hush") && !shown.contains("aHVz"), "{shown}");
}

#[test]
fn a_response_takes_the_form_that_the_request_asks_for() {
    let written = |octets: &[u8], close: bool| {
        let mut out = Vec::new();
        Response::text(200, "good 192.0.2.1\n").write(Some(&request(octets)), close, &mut out);
        String::from_utf8(out).unwrap()
    };
    let head = "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 15\r\n\
                Cache-Control: no-store\r\n";
    assert_eq!(
        written(b"GET / HTTP/1.1\r\nHost: d\r\n\r\n", false),
        format!("HTTP/1.1 200 OK\r\n{head}\r\ngood 192.0.2.1\n")
    );
    assert_eq!(
        written(b"GET / HTTP/1.1\r\nHost: d\r\n\r\n", true),
        format!("HTTP/1.1 200 OK\r\n{head}Connection: close\r\n\r\ngood 192.0.2.1\n")
    );
    // A tolerance closes.
    assert_eq!(
        written(b"GET / HTTP/1.1\r\n\r\n", false),
        format!("HTTP/1.1 200 OK\r\n{head}Connection: close\r\n\r\ngood 192.0.2.1\n")
    );
    assert_eq!(
        written(b"GET / HTTP/1.0\r\n\r\n", false),
        format!("HTTP/1.0 200 OK\r\n{head}Connection: close\r\n\r\ngood 192.0.2.1\n")
    );
    assert_eq!(
        written(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false),
        format!("HTTP/1.0 200 OK\r\n{head}Connection: keep-alive\r\n\r\ngood 192.0.2.1\n")
    );
    assert_eq!(
        written(b"HEAD / HTTP/1.1\r\nHost: d\r\n\r\n", false),
        format!("HTTP/1.1 200 OK\r\n{head}\r\n")
    );
    assert_eq!(written(b"GET /\r\n", false), "good 192.0.2.1\n");
}

#[test]
fn a_header_value_cannot_end_its_line() {
    let mut response = Response::text(200, "");
    response.headers.push(("X-Note", "a\r\nSet-Cookie: b".to_owned()));
    let mut out = Vec::new();
    response.write(None, true, &mut out);
    assert!(String::from_utf8(out).unwrap().contains("\r\nX-Note: a  Set-Cookie: b\r\n"));
}
