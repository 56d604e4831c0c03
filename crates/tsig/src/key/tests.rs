use hmac::EagerHash;
use hmac::digest::zeroize::ZeroizeOnDrop;

use super::*;

fn key(number: usize, secret: &[u8]) -> Key {
    let name = Name::parse(&format!("k{number}.test")).unwrap();
    Key::new(name, TsigAlgorithm::HmacSha256, secret, false)
}

fn mac(keys: &Keys, number: usize) -> Option<Mac> {
    keys.get(key(number, b"").name()).map(|key| key.mac(&[b"message"]))
}

#[test]
fn states_of_keys_are_wiped_when_they_are_dropped() {
    // That this compiles is the test: what a MAC is made of, its two hashes, promises it. What of the
    // secret is in its buffer is wiped by the same feature.
    fn wiped<H: EagerHash>()
    where
        H::Core: ZeroizeOnDrop,
    {
    }
    wiped::<md5::Md5>();
    wiped::<sha1::Sha1>();
    wiped::<sha2::Sha224>();
    wiped::<sha2::Sha256>();
    wiped::<sha2::Sha384>();
    wiped::<sha2::Sha512>();
}

#[test]
fn keys_from_before_a_change_stay_as_they_were() {
    let first: Keys = (0..100).map(|number| key(number, b"old")).collect();
    let second = first.with(key(7, b"new")).with(key(100, b"new")).without(key(8, b"").name());
    assert!(mac(&first, 7) == mac(&first, 7) && mac(&first, 7) != mac(&second, 7));
    assert!(mac(&first, 8).is_some() && mac(&second, 8).is_none());
    assert!(mac(&first, 100).is_none() && mac(&second, 100).is_some());
    assert_eq!(mac(&first, 50), mac(&second, 50));
    assert!(Keys::default().is_empty() && !second.is_empty());
}

#[test]
fn a_key_more_shares_all_others_with_those_from_before() {
    // Each is added to a copy that readers may hold; every copy whole would be two billion entries.
    let mut kept = Vec::new();
    let mut keys = Keys::default();
    let shared = Arc::new(key(0, b"secret"));
    for number in 0..65_536 {
        let name = Name::parse(&format!("k{number}.test")).unwrap();
        keys.by_name = keys.by_name.insert(name, Arc::clone(&shared));
        kept.push(keys.clone());
    }
    assert_eq!(kept.iter().map(|keys| keys.by_name.size()).sum::<usize>(), 65_536 * 65_537 / 2);
    // Where entries are shared they hold the key once.
    let held = Arc::strong_count(&shared);
    assert!(held < 65_536 * 64, "{held} entries are held");
}
