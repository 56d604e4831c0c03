//! The contract of stores, kept by SQLite.

use store::Store;
use store::contract::{Job, Subject};
use store_sqlite::SqliteStore;
use tempfile::TempDir;

struct Sqlite {
    directory: TempDir,
    /// `None` only between closing and opening again.
    store: Option<SqliteStore>,
}

impl Sqlite {
    #[expect(clippy::expect_used, reason = "a step that fails is a failed test")]
    fn new() -> Sqlite {
        let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let mut subject = Sqlite { directory, store: None };
        subject.reopen();
        subject
    }
}

impl Subject for Sqlite {
    #[expect(clippy::expect_used, reason = "a step that fails is a failed test")]
    fn store(&self) -> &dyn Store {
        self.store.as_ref().expect("an open store")
    }

    #[expect(clippy::expect_used, reason = "a step that fails is a failed test")]
    fn reopen(&mut self) {
        drop(self.store.take());
        self.store = Some(SqliteStore::open(self.directory.path()).expect("a store"));
    }

    fn at_once(&self, jobs: Vec<Job<'_>>) {
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(|| job(self.store()));
            }
        });
    }
}

store::contract_tests!(Sqlite::new);
