use std::collections::HashSet;

use super::{Name, NameError};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

#[test]
fn rfc1035_5_1_escapes_in_names() {
    for (text, wire, shown) in [
        (".", &b"\0"[..], "."),
        ("a", b"\x01a\0", "a."),
        ("a.b.", b"\x01a\x01b\0", "a.b."),
        ("a\\.b.c", b"\x03a.b\x01c\0", "a\\.b.c."),
        ("\\000\\255\\032", b"\x03\0\xff \0", "\\000\\255\\032."),
        ("\\065\\a", b"\x02Aa\0", "Aa."),
        ("a\\\\b", b"\x03a\\b\0", "a\\\\b."),
        ("\\@\\$\\\"\\(\\)\\;", b"\x06@$\"();\0", "\\@\\$\\\"\\(\\)\\;."),
        ("*._tcp", b"\x01*\x04_tcp\0", "*._tcp."),
    ] {
        let read = name(text);
        assert_eq!(read.as_wire(), wire, "{text}");
        assert_eq!(read.to_string(), shown, "{text}");
        assert_eq!(name(shown), read, "{shown}");
    }
    for (text, why) in [
        ("", NameError::Empty),
        (".a", NameError::EmptyLabel),
        ("a..b", NameError::EmptyLabel),
        ("..", NameError::EmptyLabel),
        ("\\", NameError::BadEscape),
        ("\\1", NameError::BadEscape),
        ("\\12x", NameError::BadEscape),
        ("\\256", NameError::BadEscape),
    ] {
        assert_eq!(Name::parse(text), Err(why), "{text}");
    }
}

#[test]
fn rfc1035_2_3_4_limits_of_labels_and_names() {
    let label = |len: usize| "l".repeat(len);
    assert_eq!(name(&label(63)).as_wire().len(), 65);
    assert_eq!(Name::parse(&label(64)), Err(NameError::LabelTooLong));
    assert_eq!(Name::parse(&format!("{}.", label(64))), Err(NameError::LabelTooLong));
    let longest = [label(63), label(63), label(63), label(61)].join(".");
    assert_eq!(name(&longest).as_wire().len(), 255);
    let longer = [label(63), label(63), label(63), label(62)].join(".");
    assert_eq!(Name::parse(&longer), Err(NameError::TooLong));
    let many = vec!["a"; 127].join(".");
    assert_eq!((name(&many).label_count(), name(&many).as_wire().len()), (127, 255));
    assert_eq!(Name::parse(&vec!["a"; 128].join(".")), Err(NameError::TooLong));
    assert_eq!(name(&many).child(b"x"), Err(NameError::TooLong));
    assert_eq!(name("a").child(b""), Err(NameError::EmptyLabel));
    assert_eq!(name("a").child(&[b'x'; 64]), Err(NameError::LabelTooLong));
    assert_eq!(name(&many).wildcard(), Err(NameError::TooLong));
}

#[test]
fn rfc1035_3_1_octets_are_one_name_or_refused() {
    for octets in [
        &b""[..],
        b"\x01",
        b"\x01a",
        b"\x02a\0",
        b"\0\0",
        b"\x01a\0\0",
        b"\xc0\x00",
        b"\x40a\0",
        &[1; 256],
    ] {
        assert_eq!(Name::from_wire(octets), Err(NameError::BadWire), "{octets:?}");
    }
    assert_eq!(Name::split_from(b"\x01a\0rest"), Ok((name("a"), 3)));
}

#[test]
fn rfc4343_3_case_is_folded_for_ascii_alone() {
    assert_eq!(name("ExAmPlE"), name("eXaMpLe"));
    assert_ne!(name("\\195\\164"), name("\\195\\132"));
    let set: HashSet<Name> = [name("A.b"), name("a.B"), name("a.c")].into();
    assert_eq!(set.len(), 2);
    assert_eq!(name("A.B").to_string(), "A.B.");
    assert_eq!(name("A.[").to_lowercase().to_string(), "a.[.");
}

#[test]
fn rfc4034_6_1_canonical_order() {
    // The list of that section, and a few steps more.
    let ordered = [
        ".",
        "example",
        "a.example",
        "yljkjljk.a.example",
        "Z.a.example",
        "zABC.a.EXAMPLE",
        "z.example",
        "\\001.z.example",
        "*.z.example",
        "\\200.z.example",
        "zz",
    ]
    .map(name);
    for (i, a) in ordered.iter().enumerate() {
        for (j, b) in ordered.iter().enumerate() {
            assert_eq!(a.cmp(b), i.cmp(&j), "{a} {b}");
        }
    }
    // A shorter label stands before one that goes on, also with an octet of zero.
    assert!(name("a.b") < name("a\\000.b"));
}

#[test]
fn names_are_cut_and_joined_between_labels_only() {
    let apex = name("Example.org");
    assert_eq!(name("a.b.example.ORG").strip_suffix(&apex), Some(&b"\x01a\x01b"[..]));
    assert_eq!(apex.strip_suffix(&apex), Some(&b""[..]));
    assert_eq!(name("org").strip_suffix(&apex), None);
    assert_eq!(name("xexample.org").strip_suffix(&apex), None);
    // Octets of the end that are an apex by chance, within a label.
    assert_eq!(name("\\001a").strip_suffix(&name("a")), None);
    assert_eq!(name("x\\001a").strip_suffix(&name("a")), None);
    assert!(apex.is_subdomain_of(&Name::root()));
    assert_eq!(Name::join(b"\x01a", &apex), Ok(name("a.example.org")));
    for bad in [&b"\x01a\0"[..], b"\x02a", b"a", b"\xc0\x0c"] {
        assert_eq!(Name::join(bad, &apex), Err(NameError::BadWire), "{bad:?}");
    }
}

#[test]
fn rfc6672_2_2_rebase() {
    let (from, to) = (name("old.example"), name("new.test"));
    assert_eq!(name("A.b.Old.example").rebase(&from, &to), Ok(name("a.b.new.test")));
    assert_eq!(from.rebase(&from, &to), Ok(to.clone()));
    assert_eq!(name("x.test").rebase(&from, &to), Err(NameError::BadWire));
    let long = name(&vec!["l".repeat(60); 4].join("."));
    assert_eq!(name("aaaaaaaaaaaaa.old.example").rebase(&from, &long), Err(NameError::TooLong));
}

#[test]
fn parents_and_labels() {
    let deep = name("*.b.c");
    assert!(deep.is_wildcard() && !name("*x.b").is_wildcard() && !name("b.*").is_wildcard());
    assert_eq!(deep.parent(), Some(name("b.c")));
    assert_eq!(name("c").parent(), Some(Name::root()));
    assert_eq!(Name::root().parent(), None);
    assert_eq!(deep.labels().collect::<Vec<_>>(), [&b"*"[..], b"b", b"c"]);
    assert_eq!(name("b.c").wildcard(), Ok(deep));
    assert_eq!("b.C".parse(), Ok(name("B.c")));
}
