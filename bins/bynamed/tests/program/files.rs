//! Files: permissions, export and import, backup and restore.

use std::os::unix::fs::PermissionsExt;

use crate::bynamed::{HOST, Place, ZONE};

#[test]
fn data_directory_and_all_in_it_are_private() {
    let (place, token) = Place::with_host();
    let service = place.serve(&[]);
    assert_eq!(service.update(&token, "198.51.100.7"), "good 198.51.100.7");
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("a file").permissions().mode() & 0o777
    };
    assert_eq!(mode(&place.data()), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place.data()).expect("the data directory") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().map(|name| name.to_string_lossy().into_owned()));
    }
    for name in ["admin.sock", "lock", "log.db", "state.db"] {
        assert!(names.contains(&Some(name.to_owned())), "no {name} in {names:?}");
    }
    let copy = place.beside("copy");
    place.json(&["backup", &copy.to_string_lossy()]);
    assert_eq!(mode(&copy), 0o600, "a backup holds the same secrets");
}

#[test]
fn zone_goes_out_and_in_again_with_and_without_a_service() {
    let (place, token) = Place::with_host();
    let service = place.serve(&[]);
    assert_eq!(service.update(&token, "198.51.100.7"), "good 198.51.100.7");
    let over = place.run(&["zone", "export", ZONE]).out;
    assert!(over.starts_with(ZONE) && over.contains("nas.dyn.example. 60 IN A 198.51.100.7\n"));
    assert!(service.stop().success());
    let direct = place.run(&["zone", "export", ZONE]).out;
    assert_eq!(direct, over);
    let file = place.beside("zone");
    let path = file.to_string_lossy();
    place.json(&["zone", "export", ZONE, &path]);
    assert_eq!(std::fs::read_to_string(&file).expect("a zone file"), over);
    let other = Place::new();
    other.json(&["zone", "import", ZONE, &path]);
    let again = other.run(&["zone", "export", ZONE]).out;
    let without_soa = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_soa(&again), without_soa(&over));
}

#[test]
fn export_that_fails_leaves_no_file() {
    let (place, _) = Place::with_host();
    let file = place.beside("zone");
    let ended = place.run(&["zone", "export", "other.example", &file.to_string_lossy()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let left: Vec<_> = std::fs::read_dir(place.beside("")).expect("the folder").collect();
    assert_eq!(left.len(), 1, "only the data directory is there: {left:?}");
}

#[test]
fn restored_data_serve_the_same_hosts_under_newer_serials() {
    let (place, token) = Place::with_host();
    let copy = place.beside("copy");
    let service = place.serve(&[]);
    assert_eq!(service.update(&token, "198.51.100.7"), "good 198.51.100.7");
    place.json(&["backup", &copy.to_string_lossy()]);
    // After the backup the world sees newer serials, which are lost with the disk.
    for last in 8..12 {
        service.update(&token, &format!("198.51.100.{last}"));
    }
    let serial = |place: &Place| {
        let shown = place.json(&["zone", "show", ZONE])["serial"].as_u64();
        shown.and_then(|serial| u32::try_from(serial).ok()).expect("a serial")
    };
    let lost = serial(&place);
    let other = Place::new();
    other.json(&["restore", &copy.to_string_lossy()]);
    let restored = other.serve(&[]);
    assert_eq!(other.json(&["host", "show", HOST])["a"][0], "198.51.100.7");
    // RFC 1982 §3.2: newer, as secondaries compare.
    let ahead = serial(&other).wrapping_sub(lost);
    assert!(ahead > 0 && ahead < 1 << 31, "{ahead}");
    assert_eq!(restored.update(&token, "198.51.100.20"), "good 198.51.100.20");
}
