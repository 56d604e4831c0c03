use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;

/// An UPDATE, and for each algorithm the KEY record and the SIG record that Python's `cryptography`
/// made for it: by `host.dyn.example`, valid for five minutes before and after [`NOW_S`].
const MESSAGE: &str = "1234280000010000000200000364796e076578616d706c650000060001\
                       036e6173c00c000100ff000000000000c01d000100010000003c0004c0000207";
const NOW_S: u64 = 1_700_000_000;
#[rustfmt::skip]
const RSASHA256: (&str, &str) = (
    "0200030803010001a393df8bf02b9ed29aa3c5becb58f0a89f88b53b57345d6f00e0489d1ae1327415fb10eb\
     7f874a2c5159b5dd592d4f2016b270593c8504980b98448549e78080854352a5ba6005e39baf1dbcbe8e88f4\
     2e7b8f40e1b6853eeec7a2472198a02306a991d4802092e09fe619bac75cf122820deb99b8e23bb96be2ca32\
     87e044d464db3cf524e2453f183f901cb6775e14760d07932d6349820ec979a121ddba6caa542edbfe7a8256\
     5969ff58f41e204833efbd35f43ec20a7390ea96e9989102cbe5f37f420e0dabb3c651d48cc42b0660fe5ab4\
     487a211efe7e891d5c47a74d9bda0bf65ea4e2d79b5353f33d39bc47fb4b7d94fee0653431196e35de7aa703",
    "00000800000000006553f22c6553efd4a72104686f73740364796e076578616d706c6500329a8d7bc79a2e1e\
     9c8630a25c9587c817b275896d420114e90cb00ab8f0f56b1f8a96185966b84c4961da119998d62b000d078c\
     8a73ef15cab0d4da5528f6e1761190a76e726226129e237071845295e9d1a7ad69509fae3d71d7f2c64158aa\
     bc81623a7b750cf15f8c006c2ecda27a45ff2db6ca333d7d7638c708305fe9ac9ad5044727a1a9430534cb26\
     b8b3dec0490bf865dc520154b92f2baacc81ceaf89fc70c0883e5ef28c8b4dbef6df7e301886afca8e3d729c\
     2c99db8ada2c4d0293387322e837935431ad90e43d37765517d6f46390efae936f65cb8feb0720f6ffb2dbad\
     cb399cfd015e2dcb2a61eed8924cb1c924c4f9080ba92eac607e0446",
);
#[rustfmt::skip]
const RSASHA512: (&str, &str) = (
    "0200030a03010001a393df8bf02b9ed29aa3c5becb58f0a89f88b53b57345d6f00e0489d1ae1327415fb10eb\
     7f874a2c5159b5dd592d4f2016b270593c8504980b98448549e78080854352a5ba6005e39baf1dbcbe8e88f4\
     2e7b8f40e1b6853eeec7a2472198a02306a991d4802092e09fe619bac75cf122820deb99b8e23bb96be2ca32\
     87e044d464db3cf524e2453f183f901cb6775e14760d07932d6349820ec979a121ddba6caa542edbfe7a8256\
     5969ff58f41e204833efbd35f43ec20a7390ea96e9989102cbe5f37f420e0dabb3c651d48cc42b0660fe5ab4\
     487a211efe7e891d5c47a74d9bda0bf65ea4e2d79b5353f33d39bc47fb4b7d94fee0653431196e35de7aa703",
    "00000a00000000006553f22c6553efd4a72304686f73740364796e076578616d706c65000b43310f5ebf8f4d\
     51745efd877151910815dcfb4e0fdb31626667190d54496f53c4844c451c1e52c2c362c2cba637979d78fe27\
     157e1fac34947eb4dd2876d6fb1ca3227c2473b8b1fb0e117e624cefb26e3e7b38a929af5ab8a8aebc456ddb\
     35171fcbb9addcc4acf1b396527c3e7ffdb304e9f2279fb63ec651f3d93eda05ef48ea820fe4b9ea7b85a4f0\
     fc2c935e61039e66237d036d8a1feacf4bd837dae331d3747edb800f560e450bdc1b6843fc86e9ad705fc3ba\
     435b18296e46949aec1afe71fe424f6b94910301e2fa2e7705ead80b5e00fe894f106e0d8740f873c98453c7\
     0b453c8dd9c3bf88f65d2b8bef723e90fc0245a2a79965737dd31787",
);
#[rustfmt::skip]
const ECDSAP256: (&str, &str) = (
    "0200030d3f53f78d1866f46bfcc0c72d53f16f1550b9ffcaa6a904c81e01f413f0dedb774678311a1d308308\
     8d35e6146ec67be3d224542edccb3c1c0b74b5c8e9d9cde8",
    "00000d00000000006553f22c6553efd4d81104686f73740364796e076578616d706c650000700b266f5f0fc9\
     d8238491b39ff3cc3d26c37650689537f8ada639b3137faf2a26f574d386e0e6dc79edf1245e25b9490f39e8\
     aba15b5cb4abec35b2a5269e",
);
#[rustfmt::skip]
const ECDSAP384: (&str, &str) = (
    "0200030efc952b3324064dfbdf96fdb9c97c0fe78b38285891d4c3598451d02b1fb9e30c426bab36375ba7f3\
     421c85c584223849db4d930fa03bc6a32bb17437c94564fab1ea50a496ed043c17b89db615cb5450d978474b\
     7ac3a8cfae9ef0782557acf3",
    "00000e00000000006553f22c6553efd41d3004686f73740364796e076578616d706c650081ab49ecfc542747\
     c12afd57cf49dae0a54b9da8ab3eb2c99f0c574ae4868ed87441c3a4a1248015e2948c23f9c436844c421a94\
     a2a9f28ba769cb5f1ba1fa03e2ba630ac672e8ec6f1b34f1305b4ca7bfffbfaf4cb5084f279769097c5bf703",
);
#[rustfmt::skip]
const ED25519: (&str, &str) = (
    "0200030f9b4b9c91ffbe53b7b8b129bfd6b825b0248cbcfa42d2438f31e40cf0339b2709",
    "00000f00000000006553f22c6553efd4709d04686f73740364796e076578616d706c6500054955ec2c217d51\
     f8785dbec8ab5275c1584aaf5cdea0f9ced800eafb2f4422765a37e6964bb5f479b9276fd42428b84ecad4e9\
     45d0617878d05f19201d3a0e",
);
#[rustfmt::skip]
const RSASHA1: (&str, &str) = (
    "0200030503010001a393df8bf02b9ed29aa3c5becb58f0a89f88b53b57345d6f00e0489d1ae1327415fb10eb\
     7f874a2c5159b5dd592d4f2016b270593c8504980b98448549e78080854352a5ba6005e39baf1dbcbe8e88f4\
     2e7b8f40e1b6853eeec7a2472198a02306a991d4802092e09fe619bac75cf122820deb99b8e23bb96be2ca32\
     87e044d464db3cf524e2453f183f901cb6775e14760d07932d6349820ec979a121ddba6caa542edbfe7a8256\
     5969ff58f41e204833efbd35f43ec20a7390ea96e9989102cbe5f37f420e0dabb3c651d48cc42b0660fe5ab4\
     487a211efe7e891d5c47a74d9bda0bf65ea4e2d79b5353f33d39bc47fb4b7d94fee0653431196e35de7aa703",
    "00000500000000006553f22c6553efd4a71e04686f73740364796e076578616d706c65007435f071c4eb6bf8\
     b60da07ad75e6dcce4886e6d19d6ba2e445de56506c90b995ca07fc87a413add47b001d33e8c4a80a0f011e3\
     7076d4a6e7e28d8b705c0543527ff11a78026e152b0124416f148197a03a9594ba4cb816e473af87d38d6a7e\
     a25a5200d6b10b6b7dab685635b9211aac86b21db8f16d70475aa005db79d9585e73d0ed60582f496c92f84d\
     ea4a45812cf0270c5e3f12a2880fcbc666af9a2e781e9a40e519f314a38acf932c13458639f5bfc9fd6f3227\
     080308789fc454bc070a4e5c41715bb8e89e1d525fc12043475c5d356474591455106aa86718f11758b9ddb7\
     d24ecc673ca3f87af3bbae3633b5286754afca3884e7a6805557e6ea",
);

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn key(text: &str) -> Rdata {
    Rdata::new(Rtype::KEY, &hex(text)).unwrap()
}

/// The message with a SIG record of this data at its end.
fn signed(data: &[u8]) -> Vec<u8> {
    let mut message = hex(MESSAGE);
    message[11] = 1;
    let length = (data.len() as u16).to_be_bytes();
    [&message, &b"\0\0\x18\0\xff\0\0\0\0"[..], &length, data].concat()
}

fn verify(message: &[u8], keys: &[Rdata], now_s: u64) -> Result<(), Sig0Fault> {
    Sig0::find(message).unwrap().unwrap().verify(keys, now_s)
}

#[test]
fn rfc2931_3_1_signatures_of_every_algorithm_are_checked() {
    for (public, data) in [RSASHA256, RSASHA512, ECDSAP256, ECDSAP384, ED25519] {
        let mut message = signed(&hex(data));
        let sig = Sig0::find(&message).unwrap().unwrap();
        assert_eq!(sig.signer().to_string(), "host.dyn.example.");
        assert_eq!(verify(&message, &[key(public)], NOW_S), Ok(()));
        message[20] ^= 1;
        assert_eq!(verify(&message, &[key(public)], NOW_S), Err(Sig0Fault::BadSig));
    }
}

#[test]
fn rfc9905_3_sha1_is_not_accepted() {
    let (public, data) = RSASHA1;
    assert_eq!(verify(&signed(&hex(data)), &[key(public)], NOW_S), Err(Sig0Fault::BadSig));
}

#[test]
fn rfc2931_3_1_a_signature_is_good_for_its_time_only() {
    let (public, data) = ED25519;
    let message = signed(&hex(data));
    for (now_s, expected) in [
        (NOW_S - 601, Err(Sig0Fault::BadTime)),
        (NOW_S - 600, Ok(())),
        (NOW_S + 300, Ok(())),
        (NOW_S + 301, Err(Sig0Fault::BadTime)),
    ] {
        assert_eq!(verify(&message, &[key(public)], now_s), expected, "{now_s}");
    }
    // One that is valid for more than an hour.
    let mut data = hex(data);
    data[8..12].copy_from_slice(&(NOW_S as u32 + 3400).to_be_bytes());
    assert_eq!(verify(&signed(&data), &[key(public)], NOW_S), Err(Sig0Fault::BadTime));
}

#[test]
fn rfc2535_3_1_keys_that_are_not_for_this_are_not_used() {
    let (public, data) = ED25519;
    let message = signed(&hex(data));
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut data = hex(public);
        change(&mut data);
        verify(&message, &[Rdata::new(Rtype::KEY, &data).unwrap()], NOW_S)
    };
    let none = Err(Sig0Fault::NoKey);
    assert_eq!(with(&|data| data[0] |= 0x80), none, "not for authentication");
    assert_eq!(with(&|data| data[2] = 1), none, "of TLS");
    assert_eq!(with(&|data| data[3] = 13), none, "of another algorithm");
    assert_eq!(with(&|data| data[20] ^= 1), none, "of another tag");
    assert_eq!(with(&|data| data.truncate(4)), none, "without a key");
    assert_eq!(verify(&message, &[], NOW_S), none);
    assert_eq!(verify(&message, &[key(ECDSAP256.0), key(public)], NOW_S), Ok(()), "among others");
}

#[test]
fn a_signature_that_anybody_can_make_of_another_is_no_new_request() {
    let (public, data) = ECDSAP256;
    let mut mirrored = hex(data);
    let s = mirrored.len() - 32;
    // n − s, with the order n of the curve (SEC 2 §2.4.2).
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let mut borrow = 0;
    for (at, &of_order) in order.iter().enumerate().rev() {
        let octet = i16::from(of_order) - i16::from(mirrored[s + at]) - borrow;
        (mirrored[s + at], borrow) = ((octet & 0xff) as u8, i16::from(octet < 0));
    }
    let (message, other) = (signed(&hex(data)), signed(&mirrored));
    assert_ne!(message, other);
    assert_eq!(verify(&other, &[key(public)], NOW_S), Ok(()));
    let identity = |message: &[u8]| Sig0::find(message).unwrap().unwrap().identity();
    assert_eq!(identity(&message), identity(&other));
    let mut changed = message.clone();
    changed[20] ^= 1;
    assert_ne!(identity(&message), identity(&changed));
}

#[test]
fn rfc2931_3_owner_class_and_ttl_are_meaningless() {
    let (public, data) = ED25519;
    let mut message = hex(MESSAGE);
    message[11] = 1;
    let length = (hex(data).len() as u16).to_be_bytes();
    // The owner is a pointer to the zone's name.
    message.extend([&b"\xc0\x0c\0\x18\0\x01\0\0\0\x3c"[..], &length, &hex(data)].concat());
    assert_eq!(verify(&message, &[key(public)], NOW_S), Ok(()));
}

#[test]
fn rfc2931_3_what_is_no_sig0_record() {
    let data = hex(ED25519.1);
    let mut covers = data.clone();
    covers[1] = 1;
    assert!(Sig0::find(&signed(&covers)).unwrap().is_none(), "a SIG of RRset A");
    assert!(Sig0::find(&hex(MESSAGE)).unwrap().is_none());
    for len in [0, 17, 20] {
        assert!(Sig0::find(&signed(&data[..len])).is_err(), "{len} octets");
    }
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let message = signed(&[&[0, 0], &octets[..]].concat());
        if let Ok(Some(sig)) = Sig0::find(&message) {
            prop_assert!(sig.verify(&[key(ED25519.0), key(RSASHA256.0)], NOW_S).is_err());
        }
        let _ = Sig0::find(&octets);
    }

    #[test]
    fn any_public_key_is_used_or_refused(
        algorithm in 0_u8..20,
        public in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let data = [&[2, 0, 3, algorithm], &public[..]].concat();
        let mut fields = hex(ED25519.1);
        fields[2] = algorithm;
        fields[16..18].copy_from_slice(&tag(&data).to_be_bytes());
        let key = Rdata::new(Rtype::KEY, &data).unwrap();
        prop_assert_eq!(verify(&signed(&fields), &[key], NOW_S), Err(Sig0Fault::BadSig));
    }

    #[test]
    fn no_bit_of_a_signed_message_can_be_turned(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let (public, data) = ED25519;
        let mut message = signed(&hex(data));
        let before_data = message.len() - hex(data).len();
        let at = at.index(message.len());
        message[at] ^= 1 << bit;
        let good = Sig0::find(&message)
            .is_ok_and(|sig| sig.is_some_and(|sig| sig.verify(&[key(public)], NOW_S).is_ok()));
        // Class and TTL of the record mean nothing.
        prop_assert!(!good || (before_data - 8..before_data - 2).contains(&at), "{at}");
    }
}
