//! Changes of RRsets that are written into the tables together: of many of one RRset the last one,
//! and all in the order of the table's key, so that each of its pages is written once.

use rusqlite::{Connection, params};
use store::codec;
use wire::{Name, Rtype, Serial};
use zone::Delta;

use crate::load::{damaged, sum};
use crate::state::StateError;

/// Changes that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    zones: Vec<(Name, Serial)>,
    rows: Vec<Row>,
    /// The owners and bodies of rows.
    octets: Vec<u8>,
}

/// What an RRset has become.
#[derive(Clone, Copy, Debug)]
struct Row {
    zone: u32,
    /// How the owner begins: most are told apart by it.
    prefix: u64,
    rtype: Rtype,
    /// Where the owner stands; the body follows it. No body: the RRset is gone.
    at: u32,
    owner: u8,
    body: u32,
}

/// Rows of one zone, by owner and type.
pub(crate) struct OfZone<'g> {
    pub(crate) zone: &'g Name,
    pub(crate) serial: Serial,
    rows: &'g [Row],
    octets: &'g [u8],
}

impl Gathered {
    /// Whether it is time to write.
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= ROWS_MAX || self.octets.len() >= OCTETS_MAX
    }

    pub(crate) fn clear(&mut self) {
        self.zones.clear();
        self.rows.clear();
        self.octets.clear();
    }

    /// Takes over what a change does to a zone.
    pub(crate) fn change(&mut self, zone: &Name, serial: Serial, deltas: &[Delta]) -> Done {
        let number = match self.zones.iter().rposition(|(known, _)| known == zone) {
            Some(number) => number,
            None => {
                self.zones.push((zone.clone(), serial));
                self.zones.len() - 1
            }
        };
        if let Some((_, last)) = self.zones.get_mut(number) {
            *last = serial;
        }
        for delta in deltas {
            let relative = delta.owner.strip_suffix(zone);
            let relative =
                relative.ok_or_else(|| damaged(format!("{} lies outside {zone}", delta.owner)))?;
            let at = self.octets.len();
            // Octets of length are below the letters.
            self.octets.extend(relative.iter().map(u8::to_ascii_lowercase));
            if let Some(rrset) = &delta.after {
                codec::encode_rrset(rrset, &mut self.octets);
            }
            let mut prefix = [0; 8];
            let owner = self.octets.get(at..at + relative.len()).unwrap_or_default();
            prefix.iter_mut().zip(owner).for_each(|(to, from)| *to = *from);
            let too_many = |_| damaged("too much in one transaction");
            self.rows.push(Row {
                zone: u32::try_from(number).map_err(too_many)?,
                prefix: u64::from_be_bytes(prefix),
                rtype: delta.rtype,
                at: u32::try_from(at).map_err(too_many)?,
                owner: u8::try_from(relative.len()).map_err(too_many)?,
                body: u32::try_from(self.octets.len() - at - relative.len()).map_err(too_many)?,
            });
        }
        Ok(())
    }

    /// What is to be written of each zone; [`OfZone::write`] goes through it.
    pub(crate) fn by_zone(&mut self) -> impl Iterator<Item = OfZone<'_>> {
        let Gathered { zones, rows, octets } = self;
        let octets = octets.as_slice();
        // Places grow with time: of the rows of one RRset the last one is the newest.
        rows.sort_unstable_by(|a, b| {
            let by_owner = || a.owner(octets).cmp(b.owner(octets));
            let key = |row: &Row| (row.zone, row.prefix);
            let by_owner = key(a).cmp(&key(b)).then_with(by_owner);
            by_owner.then_with(|| (a.rtype, a.at).cmp(&(b.rtype, b.at)))
        });
        let rows = rows.as_slice();
        zones.iter().enumerate().map(move |(number, (zone, serial))| {
            let begin = rows.partition_point(|row| (row.zone as usize) < number);
            let end = rows.partition_point(|row| row.zone as usize <= number);
            let rows = rows.get(begin..end).unwrap_or_default();
            OfZone { zone, serial: *serial, rows, octets }
        })
    }
}

impl Row {
    fn owner<'g>(&self, octets: &'g [u8]) -> &'g [u8] {
        let at = self.at as usize;
        octets.get(at..at + usize::from(self.owner)).unwrap_or_default()
    }

    fn body<'g>(&self, octets: &'g [u8]) -> &'g [u8] {
        let at = self.at as usize + usize::from(self.owner);
        octets.get(at..at + self.body as usize).unwrap_or_default()
    }
}

impl OfZone<'_> {
    /// Writes the rows into the zone of this number; how many there are more, and how many are gone.
    ///
    /// `has_base`: what is gone may stand in the base of the zone, so it is noted that it is gone.
    pub(crate) fn write(
        &self,
        connection: &Connection,
        (id, has_base): (i64, bool),
    ) -> Result<(u64, u64), StateError> {
        let mut insert = connection.prepare_cached(INSERT)?;
        let mut update = connection.prepare_cached(UPDATE)?;
        let mut delete = connection.prepare_cached(DELETE)?;
        let (mut more, mut gone) = (0, 0);
        // Rows are there or not as their neighbours are, more often than not.
        let mut is_new = false;
        let same = |a: &Row, b: &Row| {
            a.rtype == b.rtype
                && a.prefix == b.prefix
                && a.owner(self.octets) == b.owner(self.octets)
        };
        for row in self.rows.chunk_by(same).filter_map(<[Row]>::last) {
            let (owner, body) = (row.owner(self.octets), row.body(self.octets));
            let rtype = row.rtype.0;
            if body.is_empty() && !has_base {
                gone += delete.execute(params![id, owner, rtype])? as u64;
                continue;
            }
            let sum = sum(&[&id.to_be_bytes(), owner, &rtype.to_be_bytes(), body]);
            let values = params![id, owner, rtype, body, sum];
            let (first, second) =
                if is_new { (&mut insert, &mut update) } else { (&mut update, &mut insert) };
            if first.execute(values)? == 0 {
                second.execute(values)?;
                is_new = !is_new;
            }
            more += u64::from(is_new);
        }
        Ok((more, gone))
    }
}

type Done = Result<(), StateError>;

const INSERT: &str =
    "INSERT OR IGNORE INTO rrset (zone, owner, type, body, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
const UPDATE: &str =
    "UPDATE rrset SET body = ?4, sum = ?5 WHERE zone = ?1 AND owner = ?2 AND type = ?3";
const DELETE: &str = "DELETE FROM rrset WHERE zone = ?1 AND owner = ?2 AND type = ?3";
/// Changes that are written together at most, and octets that they take until then.
const ROWS_MAX: usize = 128 * 1024;
const OCTETS_MAX: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use wire::{Rdata, Rrset};

    use super::*;

    fn delta(owner: &str, rtype: Rtype, address: Option<u8>) -> Delta {
        let rrset = |last| Rrset { ttl_s: 60, rdata: vec![Rdata::a([192, 0, 2, last].into())] };
        let owner = Name::parse(owner).unwrap();
        Delta { owner, rtype, before: None, after: address.map(rrset) }
    }

    #[test]
    fn of_many_changes_of_an_rrset_the_last_one_is_written_in_the_order_of_the_key() {
        let [one, two] = ["one.test", "two.test"].map(|name| Name::parse(name).unwrap());
        let mut gathered = Gathered::default();
        let a = Rtype::A;
        let changes = [
            (&two, 1, vec![delta("b.two.test", a, Some(1)), delta("a.two.test", a, Some(2))]),
            (&one, 1, vec![delta("long-label-2.one.test", a, Some(3))]),
            (&two, 2, vec![delta("B.two.test", a, Some(4)), delta("b.two.test", Rtype(99), None)]),
            (&one, 2, vec![delta("long-label-1.one.test", a, Some(5))]),
            (&two, 3, vec![delta("a.two.test", a, None), delta("two.test", a, Some(6))]),
        ];
        for (zone, serial, deltas) in &changes {
            gathered.change(zone, Serial(*serial), deltas).unwrap();
        }
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::state::MIGRATIONS.concat().as_str()).unwrap();
        let mut written = Vec::new();
        for of_zone in gathered.by_zone() {
            let id = i64::from(*of_zone.zone == two) + 1;
            written.push((of_zone.serial, of_zone.write(&connection, (id, id == 2)).unwrap()));
        }
        // Without a base nothing is noted of what is gone; with one there is a row for it.
        assert_eq!(written, [(Serial(3), (4, 0)), (Serial(2), (2, 0))]);
        let sql = "SELECT zone, owner, type, body FROM rrset ORDER BY zone, owner, type";
        let mut select = connection.prepare(sql).unwrap();
        let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(i64, Vec<u8>, u16, Option<u8>)> {
            let body: Vec<u8> = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, body.last().copied()))
        };
        let rows: Vec<_> = select.query_map([], row).unwrap().map(Result::unwrap).collect();
        let expected: [(i64, &[u8], u16, Option<u8>); 6] = [
            (1, b"\x0clong-label-1", 1, Some(5)),
            (1, b"\x0clong-label-2", 1, Some(3)),
            (2, b"", 1, Some(6)),
            (2, b"\x01a", 1, None),
            (2, b"\x01b", 1, Some(4)),
            (2, b"\x01b", 99, None),
        ];
        assert_eq!(
            rows,
            expected.map(|(id, owner, rtype, last)| (id, owner.to_vec(), rtype, last))
        );
    }
}
