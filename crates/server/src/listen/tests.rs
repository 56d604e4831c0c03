use super::*;

#[test]
fn all_workers_of_an_address_get_queries() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = Settings {
        addresses: vec!["127.0.0.1:0".parse().unwrap()],
        workers: 4,
        ..Settings::default()
    };
    let zones = Arc::new(zone::Zones::new());
    let server = Server::start(&settings, &Served::new(zones), runtime.handle()).unwrap();
    // The system spreads askers by their port: with many ports every worker gets some.
    let query = b"\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\x01\0\x01";
    for _ in 0..500 {
        let asker = UdpSocket::bind("127.0.0.1:0").unwrap();
        asker.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        asker.connect(server.addresses()[0]).unwrap();
        asker.send(query).unwrap();
        asker.recv(&mut [0; 512]).unwrap();
    }
    // The first counters are those of TCP.
    let answered: Vec<u64> =
        server.counters[1..].iter().map(|counters| counters.udp_answers()).collect();
    assert_eq!(answered.len(), 4);
    assert!(answered.iter().all(|&count| count > 0), "{answered:?}");
    assert_eq!(answered.iter().sum::<u64>(), 500);
}

#[test]
fn connections_leave_half_of_the_files_to_others() {
    let table = [
        (10_000, None, 10_000),
        (10_000, Some(1 << 20), 10_000),
        (10_000, Some(1_024), 512),
        (10, Some(1_024), 10),
        (10, Some(u64::MAX), 10),
    ];
    for (wanted, files, expected) in table {
        assert_eq!(affordable(wanted, files), expected, "{wanted} of {files:?}");
    }
}
