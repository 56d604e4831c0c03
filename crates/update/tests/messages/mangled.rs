//! What happens to messages under way: octets that change, and ends that are missing.

use proptest::prelude::*;
use update::{Unread, compose, parse};
use wire::{Message, Rcode};

use crate::kit::{Names, World, message, signed};

fn whole(number: usize) -> Vec<u8> {
    let wanted = ["pc ANY ANY", "pc IN TXT 0 mark", "pc NONE AAAA", "www NONE ANY"];
    let edits = [
        "pc ANY A",
        "pc IN A 300 192.0.2.1",
        "mail IN MX 300 10 pc",
        "_sip._tcp IN SRV 300 0 0 5060 pc",
        "pc NONE TXT 0 mark",
        "www IN CNAME 300 pc",
        "old ANY ANY",
    ];
    let names = if number & 1 == 0 { Names::Compressed } else { Names::Plain };
    let message = message("corp.example.", names, &wanted, &edits);
    if number & 2 == 0 { message } else { signed(message) }
}

proptest! {
    #[test]
    fn mangled_messages_are_answered_and_what_is_read_of_them_can_be_said_again(
        number in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut octets = whole(number);
        for (place, octet) in changes {
            let place = 2 + place.index(octets.len() - 2);
            octets[place] = octet;
        }
        octets[2] &= 0x7f;
        if let Some(cut) = cut {
            octets.truncate(12 + cut.index(octets.len() - 11));
        }
        let world = World::new("corp.example.", &["pc 60 TXT mark", "old 60 A 192.0.2.9"]);
        match parse(&octets) {
            Err(Unread::Silence) => prop_assert!(false, "a request with a header is answered"),
            Err(Unread::Refuse(about, rcode, _)) => {
                prop_assert_eq!(about.envelope.id.to_be_bytes(), [octets[0], octets[1]]);
                let known = [Rcode::FORMERR, Rcode::NOTAUTH, Rcode::BADVERS];
                prop_assert!(known.contains(&rcode), "{rcode}");
            }
            Ok(update) => {
                prop_assert!(Message::parse(&octets).is_ok());
                world.send(&octets);
                let (mut change, lease) = (update.change, update.lease);
                change.flaw = None;
                let again = compose(1, &change, lease);
                prop_assert_eq!(parse(&again).expect("what we compose").change.edits, change.edits);
            }
        }
    }

    #[test]
    fn a_message_that_is_cut_off_changes_nothing(number in 0..4_usize, cut: prop::sample::Index) {
        let octets = whole(number);
        let world = World::new("corp.example.", &["pc 60 TXT mark", "old 60 A 192.0.2.9"]);
        let cut = 12 + cut.index(octets.len() - 12);
        prop_assert_eq!(world.send(&octets[..cut]), Rcode::FORMERR);
        prop_assert_eq!(world.serial(), 1);
        prop_assert_eq!(world.send(&octets), Rcode::NOERROR);
        prop_assert_eq!(world.serial(), 2);
    }
}
