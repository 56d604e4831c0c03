use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use gateway::{Client, SubmitError};
use store::{MemoryStore, ShardId};

use engine::Outcome;

use super::*;

mod disk;
mod lost;

/// A writer over a store, and what it is reached by.
struct Desk {
    client: Client,
    thread: JoinHandle<()>,
    /// Kept open.
    _woken: Receiver<()>,
}

impl Desk {
    fn open(store: Arc<dyn Store>) -> Desk {
        let owner = NodeId("ours".to_owned());
        let fence = store.acquire(ShardId(0), &owner).unwrap();
        let (queue, letters) = gateway::letters(64);
        let (wake_folder, woken) = sync_channel(1);
        let writable = Arc::new(AtomicBool::new(true));
        let live = Arc::new(engine::Live::new());
        let client = Client::new(Arc::clone(&live), queue, Arc::clone(&writable), Random::new());
        let appender = Appender::start(Arc::clone(&store)).unwrap();
        let writer = Writer {
            engine: Engine::new(live),
            store,
            fence,
            letters,
            wake_folder,
            writable,
            stopping: Arc::new(AtomicBool::new(false)),
            probed: Instant::now(),
            owner,
            random: Random::new(),
            expirer: Expirer::new(now()),
            freed: None,
            appender,
            flying: None,
            tide: Arc::default(),
        };
        let thread = std::thread::spawn(move || writer.run());
        Desk { client, thread, _woken: woken }
    }
}

/// Somebody else has taken the log over: taking it back would let two writers take turns.
#[test]
fn fenced_writer_ends_for_good() {
    let store = Arc::new(MemoryStore::new());
    let Desk { client, thread, _woken } = Desk::open(Arc::clone(&store) as Arc<dyn Store>);
    let first = client.operate(Operation::AddAccount("alice".to_owned())).unwrap();
    assert!(matches!(first, Outcome::Done { .. }), "{first:?}");
    let theirs = store.acquire(ShardId(0), &NodeId("theirs".to_owned())).unwrap();
    let lost = client.operate(Operation::AddAccount("bob".to_owned()));
    assert_eq!(lost, Err(SubmitError::Unconfirmed));
    thread.join().unwrap();
    let refused = client.operate(Operation::AddAccount("carol".to_owned()));
    assert_eq!(refused, Err(SubmitError::Stopping));
    assert!(!client.is_writable());
    assert_eq!(store.shards().unwrap()[0].epoch, theirs.epoch, "it did not take the log back");
}

/// A node that stops gives its data directory back: the next one opens it at once.
#[test]
fn a_writer_that_has_ended_holds_the_store_no_more() {
    for _ in 0..200 {
        let store = Arc::new(MemoryStore::new());
        let Desk { client, thread, _woken } = Desk::open(Arc::clone(&store) as Arc<dyn Store>);
        client.close();
        thread.join().unwrap();
        assert_eq!(Arc::strong_count(&store), 1, "a thread of it still has the store");
    }
}
