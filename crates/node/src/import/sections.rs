//! Reading a zone file with several threads: in sections, each as if the directives before it were
//! those at the head of the file, and read again where that was not so.

use std::collections::{HashMap, HashSet};
use std::hash::RandomState;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::{Part, PartOwner, PartSet};
use wire::zonefile::{self, Context, RecordRef, Records, SyntaxError};
use wire::{Name, Serial};

use super::content::{Content, Owner, hash};
use super::{Fault, ImportError};

/// What a zone file comes to.
pub(super) struct Read {
    /// All its RRsets, packed for the zone.
    pub(super) parts: Vec<Part>,
    /// How many there are.
    pub(super) rrsets: usize,
    /// The serial of its SOA.
    pub(super) serial: Serial,
}

/// Reads a whole zone file and checks that it is one that can be served.
pub(super) fn read(text: &[u8], apex: &Name) -> Result<Read, ImportError> {
    let apex = apex.to_lowercase();
    let hasher = RandomState::new();
    let reader = Reader { apex: &apex, hasher: &hasher, cut: (HEAD_OCTETS, SECTION_OCTETS) };
    let content = reader.read_all(text)?;
    let Content { parts, rrsets, soa, soas, has_ns, .. } = content;
    let soa = soa.ok_or_else(|| ImportError::NoSoa(apex.clone()))?;
    if !has_ns {
        return Err(ImportError::NoNs(apex));
    }
    if soas > 1 {
        return Err(ImportError::ManySoas);
    }
    Ok(Read { parts, rrsets, serial: Serial(soa.serial) })
}

/// Reads sections of one zone.
#[derive(Clone, Copy)]
struct Reader<'a> {
    apex: &'a Name,
    hasher: &'a RandomState,
    /// Octets of the first section and of the others, at least.
    cut: (usize, usize),
}

/// A section that was read.
struct Section {
    content: Content,
    /// The context that it was read in.
    begin: Context,
    /// The context after it.
    end: Context,
    /// Number of its line ends.
    lines: usize,
}

type Outcome = Result<Section, ImportError>;

impl Reader<'_> {
    /// Reads a text, and puts names together that stand in several places of it.
    fn read_all(&self, text: &[u8]) -> Result<Content, ImportError> {
        let content = self.read(text)?;
        let scattered = repeated(&content.names);
        if scattered.is_empty() { Ok(content) } else { self.gather(&content, &scattered) }
    }

    fn read(&self, text: &[u8]) -> Result<Content, ImportError> {
        let texts = cut(text, self.cut);
        let mut all = Content::default();
        let mut context = Context::new(self.apex);
        let (mut octets, mut lines) = (0, 0);
        let mut ahead = Vec::<Option<Outcome>>::new().into_iter();
        for (at, piece) in texts.iter().enumerate() {
            let outcome = match ahead.next().flatten() {
                Some(Ok(section)) if section.begin.is_like(&context) => Ok(section),
                // It was not read yet, or in another context, or failed, perhaps because of that.
                Some(_) | None => self.section(piece, context.clone()),
            };
            let is_last = at + 1 == texts.len();
            let section = match outcome {
                // The parentheses are closed in a later section: all that is left is read at once.
                Err(why) if is_unclosed(&why) && !is_last => {
                    let left = text.get(octets..).unwrap_or_default();
                    let section = self.section(left, context).map_err(|why| later(why, lines))?;
                    all.append(section.content);
                    return Ok(all);
                }
                outcome => outcome.map_err(|why| later(why, lines))?,
            };
            all.append(section.content);
            lines += section.lines;
            octets += piece.len();
            context = section.end;
            if at == 0 {
                let rest = texts.get(1..).unwrap_or_default();
                ahead = self.in_parallel(rest, &context).into_iter();
            }
        }
        Ok(all)
    }

    /// Reads sections with all the cores, each in the same context; `None` for one that was not read.
    fn in_parallel(&self, texts: &[&[u8]], context: &Context) -> Vec<Option<Outcome>> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let outcomes: Vec<Mutex<Option<Outcome>>> =
            texts.iter().map(|_| Mutex::new(None)).collect();
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let (Some(text), Some(outcome)) = (texts.get(at), outcomes.get(at)) else { return };
                let read = self.section(text, context.clone());
                if let Ok(mut outcome) = outcome.lock() {
                    *outcome = Some(read);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..cores.min(texts.len()).min(THREADS_MAX) {
                // One that cannot be started is not missed: the work is shared.
                let _ =
                    std::thread::Builder::new().name("import".to_owned()).spawn_scoped(scope, work);
            }
            work();
        });
        outcomes.into_iter().map(|outcome| outcome.into_inner().unwrap_or_default()).collect()
    }

    /// Reads one section.
    fn section(&self, text: &[u8], context: Context) -> Outcome {
        let begin = context.clone();
        let mut records = Records::parse_in(text, context);
        let mut content = Content::default();
        // The owner as it was written last, and what it comes to.
        let mut written: Vec<u8> = Vec::new();
        let mut owner = Owner::default();
        while let Some(record) = records.read().map_err(|why| fault(why.line, why.fault))? {
            let line = record.line;
            if written != record.owner {
                let mut folded = [0; 255];
                let below = record.below(self.apex).ok_or_else(|| outside(&record))?;
                let below = wire::fold_into(below, &mut folded);
                if written.is_empty() || below != owner.below {
                    self.close(&owner, &mut content)?;
                    owner.begin(below, line);
                }
                written.clear();
                written.extend_from_slice(record.owner);
            }
            let (rtype, ttl_s) = (record.rtype, record.ttl_s);
            if owner.push(rtype, ttl_s, record.data).is_err() {
                return Err(fault(line, Fault::TooLarge(self.name(&owner.below), rtype)));
            }
        }
        self.close(&owner, &mut content)?;
        content.finish();
        let (end, lines) = (records.context().clone(), records.lines());
        Ok(Section { content, begin, end, lines })
    }

    fn close(&self, owner: &Owner, content: &mut Content) -> Result<(), ImportError> {
        if owner.sets().is_empty() {
            return Ok(());
        }
        owner.check(self.apex)?;
        content.push(owner, self.hasher);
        Ok(())
    }

    /// Puts names together that stand in several places; their hashes are given.
    fn gather(&self, content: &Content, scattered: &HashSet<u64>) -> Result<Content, ImportError> {
        let mut gathered = Content::default();
        let mut owners: Vec<Owner> = Vec::new();
        let mut by_name: HashMap<Vec<u8>, usize> = HashMap::new();
        for set in content.parts.iter().flat_map(Part::sets) {
            let PartOwner::Below(below) = set.owner else { continue };
            if !scattered.contains(&hash(self.hasher, below)) {
                gathered.push_set(below, set.rtype, set.ttl_s, set.records());
                continue;
            }
            let at = *by_name.entry(below.to_vec()).or_insert_with(|| {
                let mut owner = Owner::default();
                owner.begin(below, 0);
                owners.push(owner);
                owners.len() - 1
            });
            if let Some(owner) = owners.get_mut(at) {
                self.add(owner, &set)?;
            }
        }
        for owner in &owners {
            self.close(owner, &mut gathered)?;
        }
        gathered.finish();
        Ok(gathered)
    }

    fn add(&self, owner: &mut Owner, set: &PartSet<'_>) -> Result<(), ImportError> {
        for record in set.records() {
            if owner.push(set.rtype, set.ttl_s, record).is_err() {
                let too_large = Fault::TooLarge(self.name(&owner.below), set.rtype);
                return Err(ImportError::Somewhere(too_large));
            }
        }
        Ok(())
    }

    fn name(&self, below: &[u8]) -> Name {
        Name::join(below, self.apex).unwrap_or_else(|_| self.apex.clone())
    }
}

/// Cuts a text in front of lines that begin with an owner. The first piece is small: it is read before
/// the others, for its directives.
fn cut(text: &[u8], (head, section): (usize, usize)) -> Vec<&[u8]> {
    let mut texts = Vec::new();
    let mut rest = text;
    let mut least = head;
    while !rest.is_empty() {
        let end = begin_of_owner(rest, least).unwrap_or(rest.len());
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        texts.push(piece);
        (rest, least) = (after, section);
    }
    texts
}

/// Where a line begins with an owner, so many octets on at least.
fn begin_of_owner(text: &[u8], least: usize) -> Option<usize> {
    let is_end = |pair: &[u8]| matches!(pair, [b'\n', next] if !b" \t\r\n;()$\"".contains(next));
    let from = text.get(least..)?;
    from.windows(2).position(is_end).map(|at| least + at + 1)
}

/// Hashes that are there more than once.
fn repeated(names: &[u64]) -> HashSet<u64> {
    // Open addressing, half full; 0 is an empty place.
    let mut table = vec![0_u64; (names.len() * 2).next_power_of_two()];
    let mask = table.len() - 1;
    let mut repeated = HashSet::new();
    for &name in names {
        let name = name.max(1);
        let mut at = name as usize & mask;
        while let Some(place) = table.get_mut(at) {
            if *place == 0 {
                *place = name;
                break;
            }
            if *place == name {
                repeated.insert(name);
                break;
            }
            at = (at + 1) & mask;
        }
    }
    // That of a name whose hash is 0 is looked for as such.
    if repeated.contains(&1) {
        repeated.insert(0);
    }
    repeated
}

fn outside(record: &RecordRef<'_>) -> ImportError {
    match Name::from_wire(record.owner) {
        Ok(owner) => fault(record.line, Fault::Outside(owner)),
        Err(why) => fault(record.line, Fault::Zonefile(why.into())),
    }
}

fn fault(line: usize, fault: impl Into<Fault>) -> ImportError {
    ImportError::Line { line, fault: fault.into() }
}

/// The same so many lines further on.
fn later(why: ImportError, lines: usize) -> ImportError {
    match why {
        ImportError::Line { line, fault } => ImportError::Line { line: line + lines, fault },
        other => other,
    }
}

fn is_unclosed(why: &ImportError) -> bool {
    let unclosed = zonefile::Fault::Syntax(SyntaxError::Unclosed);
    matches!(why, ImportError::Line { fault: Fault::Zonefile(why), .. } if *why == unclosed)
}

/// Octets of the first section.
const HEAD_OCTETS: usize = 64 * 1024;
/// Octets of the others: enough for one part of an import.
const SECTION_OCTETS: usize = 4 * 1024 * 1024;
/// Threads that read.
const THREADS_MAX: usize = 8;

#[cfg(test)]
mod tests;
