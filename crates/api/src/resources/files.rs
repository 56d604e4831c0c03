//! Zones as zone files, in and out (RFC 1035 §5).

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use account::AccountId;
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use engine::NewZone;
use node::ImportError;
use serde::Serialize;
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};
use utoipa::ToSchema;

use super::zones::{Seen, missing};
use crate::answer::{Answer, Content};
use crate::call::Call;
use crate::endpoint::{Conditions, Endpoint, Needs, Shape};
use crate::problem::{Kind, Problem};
use crate::refusal::{self, unavailable};
use crate::{tag, text};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new((Method::GET, PATH), "exportZone", Needs::Reader, export)
            .says(
                "Export a zone",
                "The whole zone at one serial. A file that was cut off lacks its last line, which \
                 begins with `; end of`.",
            )
            .conditions(Conditions::Read)
            .gives_other("The zone file.", ZONE_FILE, (Shape::Text, Some(json!(FILE))))
            .tagged()
            .fails(&[Kind::NotFound]),
        Endpoint::new((Method::PUT, PATH), "importZone", Needs::Operator, import)
            .says(
                "Import a zone",
                "Makes a zone file the content of a zone, which is served from then on if it was not \
                 before. All of it becomes visible at once, and nothing of a file with a fault in it. \
                 Hosts, their tokens and the settings of the zone stay.",
            )
            .takes_text(ZONE_FILE, json!(FILE), FILE_OCTETS_MAX)
            .gives::<Imported>(200, "The zone has this content now.", Imported::example())
            .fails(&[Kind::Invalid, Kind::NotFound]),
    ]
}

/// What was imported.
#[derive(Debug, Serialize, ToSchema)]
struct Imported {
    /// Name of the zone.
    #[schema(example = "example.org")]
    zone: String,
    /// Number of its RRsets.
    rrsets: usize,
    /// Its serial.
    serial: u32,
}

impl Imported {
    fn example() -> serde_json::Value {
        json!({ "zone": "example.org", "rrsets": 3, "serial": 2_026_010_200 })
    }
}

async fn export(call: Call) -> Result<Answer, Problem> {
    let Seen { entry, served } = Seen::of(&call)?;
    let Ok(place) = Arc::clone(&EXPORTS.0).try_acquire_owned() else {
        return Err(unavailable("too many zones are being exported"));
    };
    let snapshot = served.snapshot();
    let tag = tag::of_serial(snapshot.serial());
    if call.preconditions.differs.as_ref().is_some_and(|tags| tags.hold(Some(&tag))) {
        return Ok(Answer::bare(StatusCode::OK).tagged(tag));
    }
    let (sender, chunks) = mpsc::channel(CHUNKS);
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let until = Instant::now() + EXPORT_TIME;
        let mut out = Sender { sender, chunk: Vec::with_capacity(CHUNK_OCTETS), until };
        let written = node::export(&entry.apex, &snapshot, &mut out).and_then(|()| out.flush());
        if let Err(why) = written {
            // The other side has gone, or it was too slow: an error in place of the end tells it.
            let _ = out.sender.try_send(Err(why));
        }
    });
    let mut answer = Answer::whole(StatusCode::OK, ZONE_FILE, Bytes::new()).tagged(tag);
    answer.body = Content::Chunks(chunks);
    Ok(answer)
}

async fn import(call: Call) -> Result<Answer, Problem> {
    let apex = call.name("zone")?;
    let caller = call.caller()?;
    let entry = call.directory().zone(&apex).cloned();
    if entry.as_ref().is_some_and(|entry| !caller.sees_zone(entry)) {
        return Err(missing(&apex));
    }
    let Ok(_one) = IMPORTS.try_acquire() else {
        return Err(unavailable("another zone is being imported"));
    };
    let account = entry.map_or(caller.account(), |entry| entry.account);
    let zone = NewZone { account: AccountId(account.0), ..node::fresh_zone(&apex, &[]) };
    let (client, actor, body) = (call.client().clone(), caller.actor(), call.body.clone());
    let done = tokio::task::spawn_blocking(move || node::import(&client, &actor, (&body, zone)));
    let done = done.await.map_err(|why| {
        tracing::error!(%why, "an import failed");
        Problem::new(Kind::Internal, "the import failed; nothing was changed")
    })?;
    let done = done.map_err(problem)?;
    let (rrsets, serial) = (done.rrsets, done.serial.0);
    let zone = text::name(&apex);
    Ok(Answer::ok(&Imported { zone, rrsets, serial })?.tagged(tag::of_serial(done.serial)))
}

fn problem(why: ImportError) -> Problem {
    match why {
        ImportError::Refused(refused) => refusal::refusal(&refused),
        ImportError::Unavailable => unavailable(why.to_string()),
        ImportError::Submit(submit) => match refusal::of(Err(submit)) {
            Ok(_) => Problem::new(Kind::Internal, submit.to_string()),
            Err(problem) => problem,
        },
        ImportError::Line { .. }
        | ImportError::Somewhere(_)
        | ImportError::NoSoa(_)
        | ImportError::ManySoas
        | ImportError::NoNs(_) => Problem::invalid(why.to_string()),
    }
}

/// Gives what is written on in chunks.
struct Sender {
    sender: mpsc::Sender<Result<Bytes, io::Error>>,
    chunk: Vec<u8>,
    until: Instant,
}

impl Write for Sender {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(octets);
        if self.chunk.len() >= CHUNK_OCTETS {
            self.flush()?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if Instant::now() > self.until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_OCTETS));
        let sent = self.sender.blocking_send(Ok(Bytes::from(chunk)));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Places for exports.
struct Places(Arc<Semaphore>);

const PATH: &str = "/v1/zones/{zone}/file";
/// RFC 4027.
const ZONE_FILE: &str = "text/dns";
const FILE: &str = "example.org. 3600 IN SOA ns1.example.org. hostmaster.example.org. 1 3600 600 1209600 60\n\
     example.org. 3600 IN NS ns1.example.org.\n\
     ns1.example.org. 3600 IN A 192.0.2.53\n";
/// Longest zone file, in octets; a longer one goes through the command line.
const FILE_OCTETS_MAX: usize = 64 * 1024 * 1024;
/// Octets that are sent at once.
const CHUNK_OCTETS: usize = 64 * 1024;
/// Chunks that wait to be sent.
const CHUNKS: usize = 4;
/// Longest time that an export takes, however slowly it is read.
const EXPORT_TIME: Duration = Duration::from_secs(900);
static EXPORTS: std::sync::LazyLock<Places> =
    std::sync::LazyLock::new(|| Places(Arc::new(Semaphore::new(4))));
/// One at a time: each is held in memory.
static IMPORTS: Semaphore = Semaphore::const_new(1);
