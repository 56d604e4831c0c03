//! The core under loom: every order in which the loads and stores of a reader and of the writer can
//! happen. Run by `RUSTFLAGS="--cfg loom" cargo test -p zone --lib models`.

use std::sync::Arc;

use wire::{Rdata, Rrset, Rtype, Serial};

use super::commit::Commit;
use super::set::Set;
use super::{Index, State};

fn a(number: u32) -> Set {
    Set::pack(Rtype::A, &Rrset { ttl_s: 60, rdata: vec![Rdata::a(number.into())] })
}

fn address(state: &State<'_>, name: &[u8]) -> Option<u32> {
    let set = state.node(name).and_then(|node| node.set(Rtype::A))?;
    Some(u32::from_be_bytes(set.records().next()?.try_into().ok()?))
}

/// More than stands in a segment here.
fn giant(text: u8) -> Set {
    let rdata = Rdata::txt(&[&[text; 31]]).unwrap();
    Set::pack(Rtype::TXT, &Rrset { ttl_s: 60, rdata: vec![rdata] })
}

const X: &[u8] = b"\x01x";
const Y: &[u8] = b"\x01y";

/// What a reader may see: the two addresses and the number of RRsets.
type Seen = (Option<u32>, Option<u32>, u64);

fn seen(index: &Index) -> Seen {
    index.consistent(|state| Ok((address(state, X), address(state, Y), state.facts().rrsets)))
}

/// Runs a write against a reader of two names, who must see one of these states; the last is the
/// one that the write leaves.
///
/// The writer goes first in the first run that loom makes: it moves a load to before the last store
/// of another thread, while a thread that loads before it stores would hide the loads of others.
fn check(before: fn(&mut Commit<'_>), write: fn(&Index), states: &'static [Seen]) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(move || {
        let index = Arc::new(Index::new(Serial(1)));
        index.commit(before);
        let reader = {
            let index = Arc::clone(&index);
            loom::thread::spawn(move || {
                let seen = seen(&index);
                assert!(states.contains(&seen), "{seen:?}");
            })
        };
        write(&index);
        assert_eq!(Some(&seen(&index)), states.last());
        reader.join().unwrap();
    });
}

#[test]
fn two_addresses_change_at_once() {
    check(
        |commit| [X, Y].into_iter().for_each(|name| commit.put(name, a(1))),
        |index| {
            index.commit(|commit| [X, Y].into_iter().for_each(|name| commit.put(name, a(2))));
        },
        &[(Some(1), Some(1), 2), (Some(2), Some(2), 2)],
    );
}

#[test]
fn one_name_comes_as_the_other_goes() {
    check(
        |commit| commit.put(X, a(1)),
        |index| {
            index.commit(|commit| {
                commit.remove(X, Rtype::A);
                commit.put(Y, a(2));
            });
        },
        &[(Some(1), None, 1), (None, Some(2), 1)],
    );
}

#[test]
fn a_segment_is_replaced_as_names_come() {
    check(
        |commit| [X, Y].into_iter().for_each(|name| commit.put(name, a(1))),
        |index| {
            index.commit(|commit| {
                commit.put(Y, a(2));
                (b'a'..=b'h').for_each(|label| commit.put(&[1, label], a(3)));
            });
        },
        &[(Some(1), Some(1), 2), (Some(1), Some(2), 10)],
    );
}

#[test]
fn a_bulk_load_is_seen_as_a_whole() {
    check(
        |_| {},
        |index| {
            let mut loader = index.loader();
            [X, Y].into_iter().for_each(|name| loader.put(name, &[a(1).as_ref()]));
        },
        &[(None, None, 0), (Some(1), Some(1), 2)],
    );
}

#[test]
fn two_commits_follow_each_other() {
    check(
        |commit| [X, Y].into_iter().for_each(|name| commit.put(name, a(1))),
        |index| {
            index.commit(|commit| commit.remove(X, Rtype::A));
            index.commit(|commit| [X, Y].into_iter().for_each(|name| commit.put(name, a(2))));
        },
        &[(Some(1), Some(1), 2), (None, Some(1), 1), (Some(2), Some(2), 2)],
    );
}

#[test]
fn a_giant_comes_and_changes_beside_another_name() {
    check(
        |commit| {
            [X, Y].into_iter().for_each(|name| commit.put(name, a(1)));
            commit.put(X, giant(1));
        },
        |index| {
            index.commit(|commit| {
                commit.put(X, a(2));
                commit.put(Y, a(2));
                commit.put(Y, giant(2));
            });
        },
        &[(Some(1), Some(1), 3), (Some(2), Some(2), 4)],
    );
}
