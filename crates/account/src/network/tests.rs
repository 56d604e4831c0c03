use super::*;

#[test]
fn network_reads_blocks_and_addresses() {
    for (text, expected) in [
        ("192.0.2.0/24", Ok("192.0.2.0/24")),
        ("192.0.2.7", Ok("192.0.2.7/32")),
        ("0.0.0.0/0", Ok("0.0.0.0/0")),
        ("2001:db8::/32", Ok("2001:db8::/32")),
        ("::1", Ok("::1/128")),
        ("::/0", Ok("::/0")),
        ("192.0.2.1/24", Err(NetworkError::HostBits(24))),
        ("2001:db8::1/32", Err(NetworkError::HostBits(32))),
        ("192.0.2.0/33", Err(NetworkError::Length)),
        ("192.0.2.0/", Err(NetworkError::Length)),
        ("192.0.2.0/+8", Err(NetworkError::Length)),
        ("::/129", Err(NetworkError::Length)),
        ("::ffff:192.0.2.1", Err(NetworkError::Address)),
        ("localhost", Err(NetworkError::Address)),
        ("", Err(NetworkError::Address)),
    ] {
        let found = text.parse::<Network>().map(|network| network.to_string());
        assert_eq!(found, expected.map(str::to_owned), "{text}");
    }
}

#[test]
fn network_contains_its_addresses_and_no_others() {
    for (network, address, expected) in [
        ("192.0.2.0/24", "192.0.2.0", true),
        ("192.0.2.0/24", "192.0.2.255", true),
        ("192.0.2.0/24", "192.0.3.0", false),
        ("192.0.2.0/24", "::ffff:192.0.2.9", true),
        ("192.0.2.0/24", "2001:db8::1", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.6", false),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "::1", false),
        ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false),
        ("::/0", "ffff::1", true),
        ("::/0", "::ffff:1.2.3.4", false),
    ] {
        let block: Network = network.parse().unwrap();
        assert_eq!(block.contains(address.parse().unwrap()), expected, "{network} {address}");
    }
}

#[test]
fn one_source_is_an_ipv4_address_or_an_ipv6_64() {
    for (address, expected) in [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ] {
        assert_eq!(source_block(address.parse().unwrap()), expected.parse::<IpAddr>().unwrap());
    }
}
