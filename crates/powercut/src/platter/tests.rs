use super::*;

fn left(platter: &Platter, loss: Loss) -> Vec<(String, Vec<u8>)> {
    let left = platter.left(loss).into_iter();
    left.map(|(name, _, octets)| (name.into_string().unwrap(), octets)).collect()
}

fn one(name: &str, octets: &[u8]) -> Vec<(String, Vec<u8>)> {
    vec![(name.to_owned(), octets.to_vec())]
}

#[test]
fn what_is_synced_stays_and_the_rest_is_lost() {
    let mut platter = Platter::default();
    let file = platter.create(OsStr::new("a"), 0o600);
    platter.write(file, 0, b"safe").unwrap();
    platter.sync(file).unwrap();
    assert_eq!(left(&platter, Loss::All), [], "its entry is not safe");
    platter.sync_entries();
    platter.write(file, 4, b" and not").unwrap();
    platter.write(file, 0, b"S").unwrap();
    assert_eq!(platter.read(file, 0, 99).unwrap(), b"Safe and not", "programs see all of it");
    assert_eq!(left(&platter, Loss::All), one("a", b"safe"));
    assert_eq!(left(&platter, Loss::Nothing), one("a", b"Safe and not"));
    platter.set_length(file, 2).unwrap();
    assert_eq!(left(&platter, Loss::All), one("a", b"safe"));
    platter.sync(file).unwrap();
    assert_eq!(left(&platter, Loss::All), one("a", b"Sa"));
}

#[test]
fn entries_are_safe_when_the_directory_is_synced() {
    let mut platter = Platter::default();
    let old = platter.create(OsStr::new("a"), 0o600);
    platter.write(old, 0, b"old").unwrap();
    platter.sync(old).unwrap();
    platter.sync_entries();
    let new = platter.create(OsStr::new("a.new"), 0o600);
    platter.write(new, 0, b"new").unwrap();
    platter.rename(OsStr::new("a.new"), OsStr::new("a")).unwrap();
    assert_eq!(left(&platter, Loss::All), one("a", b"old"));
    platter.sync_entries();
    assert_eq!(left(&platter, Loss::All), one("a", b""), "renamed before it was synced");
    platter.sync(new).unwrap();
    assert_eq!(left(&platter, Loss::All), one("a", b"new"));
    platter.unlink(OsStr::new("a")).unwrap();
    assert_eq!(left(&platter, Loss::All), one("a", b"new"));
    assert_eq!(left(&platter, Loss::Nothing), []);
}

#[test]
fn writes_are_torn_between_sectors_only() {
    let mut platter = Platter::default();
    let file = platter.create(OsStr::new("a"), 0o600);
    platter.write(file, 0, &[1; 4 * SECTOR]).unwrap();
    platter.sync(file).unwrap();
    platter.sync_entries();
    platter.write(file, 100, &[2; 3 * SECTOR]).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let octets = left(&platter, Loss::Some(seed)).remove(0).1;
        let kept = |from: usize, to: usize| {
            let part = &octets[from..to];
            assert!(part.iter().all(|octet| *octet == part[0]), "seed {seed}");
            part[0] == 2
        };
        let ends = [100, SECTOR, 2 * SECTOR, 3 * SECTOR, 3 * SECTOR + 100];
        seen.insert(ends.windows(2).map(|ends| kept(ends[0], ends[1])).collect::<Vec<_>>());
        assert_eq!((octets[99], octets[3 * SECTOR + 100]), (1, 1), "nothing beside it");
    }
    assert!(seen.len() > 10, "{} ways to lose four sectors", seen.len());
}
