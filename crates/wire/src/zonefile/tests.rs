use super::{Records, ZonefileError, write_record};
use crate::name::Name;
use crate::record::Record;

fn lines(text: &str) -> Result<Vec<String>, ZonefileError> {
    let origin = Name::parse("example.").unwrap();
    Records::parse(text.as_bytes(), &origin)
        .map(|record| {
            let mut line = String::new();
            write_record(&mut line, &record?).unwrap();
            Ok(line.trim_end().to_owned())
        })
        .collect()
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(lines(text).unwrap_or_else(|e| panic!("{text:?}: {e}")), expected, "{text:?}");
}

fn check_error(text: &str, expected: &str) {
    let error = lines(text).expect_err(text).to_string();
    assert!(error.starts_with(expected), "{text:?}: {error}");
}

#[test]
fn rfc1035_5_1_names_are_relative_to_the_origin() {
    check("@ 60 IN A 192.0.2.1\n", &["example. 60 IN A 192.0.2.1"]);
    check("www 60 IN CNAME @\n", &["www.example. 60 IN CNAME example."]);
    check("www 60 IN CNAME web.\n", &["www.example. 60 IN CNAME web."]);
    check(
        "$ORIGIN a\nx 60 A 192.0.2.1\n$ORIGIN b.test.\nx 60 A 192.0.2.2\n",
        &["x.a.example. 60 IN A 192.0.2.1", "x.b.test. 60 IN A 192.0.2.2"],
    );
}

#[test]
fn rfc1035_5_1_a_blank_repeats_the_owner() {
    check(
        "www 60 IN A 192.0.2.1\n 60 IN A 192.0.2.2\n\t IN 70 A 192.0.2.3\n",
        &[
            "www.example. 60 IN A 192.0.2.1",
            "www.example. 60 IN A 192.0.2.2",
            "www.example. 70 IN A 192.0.2.3",
        ],
    );
    check_error(" 60 IN A 192.0.2.1\n", "line 1:");
}

#[test]
fn rfc1035_5_1_parentheses_comments_and_quotes() {
    check(
        "; a comment\n@ 60 IN SOA ns host ( 1 ; serial\n 2\n 3 4 5 )\n\n",
        &["example. 60 IN SOA ns.example. host.example. 1 2 3 4 5"],
    );
    check("t 60 TXT \"a ; b ( c\" d\n", &["t.example. 60 IN TXT \"a ; b ( c\" \"d\""]);
    check("t 60 TXT \"a\\\"b\\\\c\"\n", &["t.example. 60 IN TXT \"a\\\"b\\\\c\""]);
    check_error("@ 60 IN A 192.0.2.1 )\n", "line 1:");
}

#[test]
fn rfc1035_5_1_escapes() {
    check("a\\.b\\032c 60 A 192.0.2.1\n", &["a\\.b\\032c.example. 60 IN A 192.0.2.1"]);
    check("t 60 TXT \\000\\255\n", &["t.example. 60 IN TXT \"\\000\\255\""]);
    check_error("a\\999 60 A 192.0.2.1\n", "line 1:");
}

#[test]
fn rfc2308_4_ttl_directive() {
    check(
        "$TTL 30\na A 192.0.2.1\nb 60 A 192.0.2.1\nc A 192.0.2.1\n",
        &[
            "a.example. 30 IN A 192.0.2.1",
            "b.example. 60 IN A 192.0.2.1",
            "c.example. 30 IN A 192.0.2.1",
        ],
    );
}

#[test]
fn rfc1035_5_1_a_missing_ttl_is_the_last_one_and_an_hour_when_there_was_none() {
    check(
        "a A 192.0.2.1\nb 60 A 192.0.2.1\nc A 192.0.2.1\n",
        &[
            "a.example. 3600 IN A 192.0.2.1",
            "b.example. 60 IN A 192.0.2.1",
            "c.example. 60 IN A 192.0.2.1",
        ],
    );
}

#[test]
fn times_may_have_units() {
    check(
        "$TTL 1h\n@ SOA ns host 1 1d 2H 1w2d3h4m5s 90\n1h 1m IN A 192.0.2.1\n\tIN 2m A 192.0.2.2\n",
        &[
            "example. 3600 IN SOA ns.example. host.example. 1 86400 7200 788645 90",
            "1h.example. 60 IN A 192.0.2.1",
            "1h.example. 120 IN A 192.0.2.2",
        ],
    );
    check(
        "@ 1d SOA ns host ( 7 ; 3h here is a comment\n 1m ; refresh\n 2m 3m 4m )\n",
        &["example. 86400 IN SOA ns.example. host.example. 7 60 120 180 240"],
    );
    // Where no time stands, nothing is touched.
    check("t 60 TXT 1h \"2d\"\n", &["t.example. 60 IN TXT \"1h\" \"2d\""]);
    check("c 60 CNAME 1h\n", &["c.example. 60 IN CNAME 1h.example."]);
    check_error("$TTL 9999999999h\n", "line 1:");
    check_error("$TTL 1x\n", "line 1:");
}

#[test]
fn rfc2181_8_a_ttl_of_more_than_31_bits_is_refused_with_its_line() {
    check("a 2147483647 A 192.0.2.1\n", &["a.example. 2147483647 IN A 192.0.2.1"]);
    check_error("a 60 A 192.0.2.1\nb 2147483648 A 192.0.2.1\n", "line 2: the TTL");
}

#[test]
fn include_is_refused_with_its_line() {
    check_error("a 60 A 192.0.2.1\n$INCLUDE /etc/passwd\n", "line 2: `$INCLUDE` is not followed");
}

#[test]
fn other_classes_are_refused_with_their_line() {
    check_error("\n\nversion.bind. 0 CH TXT x\n", "line 3: class CH: only class IN");
    check_error("a 0 CLASS32 A \\# 0\n", "line 1: class CLASS32: only class IN");
}

#[test]
fn malformed_data_is_refused_with_its_line() {
    check_error("a 60 A 192.0.2.1\n; x\nb 60 A 192.0.2\n", "line 3:");
    check_error(
        "a 60 A 192.0.2.1\n; x\nb 60 A \\# 3 c00002\n",
        "line 3: the data does not have the form of A",
    );
    check_error("b 60 ANY \\# 0\n", "line 1: type ANY");
    check_error("b 60 WHAT 1\n", "line 1:");
    check_error("a 60 IN A (\n192.0.2.1\n", "line 3: a parenthesis");
    check_error("a 60 IN TXT \"x\n", "line 1: a quoted text");
    check_error("a..b 60 IN A 192.0.2.1\n", "line 1:");
}

#[test]
fn after_an_error_nothing_more_is_read() {
    let origin = Name::root();
    let mut records = Records::parse(b"a 60 A x\nb 60 A 192.0.2.1\n", &origin);
    assert!(records.next().is_some_and(|record| record.is_err()));
    assert!(records.next().is_none());
}

#[test]
fn rfc3597_5_any_type_in_generic_form() {
    check("a 60 TYPE65280 \\# 2 beef\n", &["a.example. 60 IN TYPE65280 \\# 2 beef"]);
    check("a 60 A \\# 4 C0000201\n", &["a.example. 60 IN A 192.0.2.1"]);
    check("a 60 CLASS1 TYPE1 \\# 4 C0 0002 01\n", &["a.example. 60 IN A 192.0.2.1"]);
    check("a 60 TYPE65280 \\# 0\n", &["a.example. 60 IN TYPE65280 \\# 0"]);
}

#[test]
fn a_file_may_end_without_a_line_feed_and_have_carriage_returns() {
    check("a 60 A 192.0.2.1", &["a.example. 60 IN A 192.0.2.1"]);
    check(
        "a 60 A 192.0.2.1\r\nb 60 A 192.0.2.2\r\n",
        &["a.example. 60 IN A 192.0.2.1", "b.example. 60 IN A 192.0.2.2"],
    );
    check("", &[]);
}

#[test]
fn what_is_written_is_read_again() {
    let text = "a\\@b\\$ 60 MX 10 m\n* 60 CNAME \\;x\nt 60 TXT \"a b\" \"\"\n";
    let origin = Name::parse("example.").unwrap();
    let read = |text: &str| -> Vec<Record> {
        Records::parse(text.as_bytes(), &origin).map(Result::unwrap).collect()
    };
    let records = read(text);
    let mut written = String::new();
    records.iter().for_each(|record| write_record(&mut written, record).unwrap());
    assert_eq!(read(&written), records);
}

#[test]
fn messages_about_hostile_words_are_short_and_printable() {
    let long = "A".repeat(1_000_000);
    for (word, shown) in [
        ("\u{1b}[31mEVIL", "`?[31mEVIL`"),
        ("\u{9b}x", "`??x`"),
        ("7\u{1b}x", "`7?x`"),
        (&*long, "…`"),
    ] {
        let file = format!("a {word} 192.0.2.1\n");
        let read = Records::parse(file.as_bytes(), &Name::root()).next().unwrap();
        let why = read.unwrap_err().to_string();
        assert!(why.ends_with(shown) && why.len() < 100, "{why}");
    }
}
