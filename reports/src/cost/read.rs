//! The ledger of a result folder, added up.

use std::collections::BTreeMap;
use std::path::Path;

use super::calendar::Calendar;
use super::split;
use super::{Cell, Costs, Dimension, KINDS, Key, Query};
use crate::tables::{ReadError, TableFile, TableRow};

/// Columns in the order in which rows are taken apart; those of the kinds follow.
const NAMED: [&str; 12] = [
    "hour_s",
    "team",
    "application",
    "run",
    "pool",
    "instance_type",
    "zone",
    "capacity_type",
    "billed",
    "cpu_requested_core_s",
    "cpu_used_core_s",
    "cpu_larger_core_s",
];

/// Reads the ledger in `folder` and adds it up as `query` asks.
///
/// # Errors
/// If the folder is no result of this version.
pub fn read(folder: &Path, query: Query) -> Result<Costs, ReadError> {
    let [costs] = read_all(folder, [query])?;
    Ok(costs)
}

/// Answers several queries, reading the ledger once.
///
/// # Errors
/// As [`read`].
pub fn read_all<const N: usize>(
    folder: &Path,
    queries: [Query; N],
) -> Result<[Costs; N], ReadError> {
    let ledger = TableFile::open(folder, "ledger")?;
    let run_ids = match queries.iter().any(|query| query.by.contains(&Dimension::Run)) {
        true => run_ids(folder)?,
        false => BTreeMap::new(),
    };
    let kinds = KINDS.map(|kind| format!("{kind}_nano_usd"));
    let mut columns: Vec<&str> = NAMED.to_vec();
    columns.push("memory_gib_s");
    columns.extend(kinds.iter().map(String::as_str));
    let span = (ledger.start_epoch_ms(), end_s(folder)?);
    let mut answers = queries.map(|query| {
        let calendar = Calendar::new(query.period, query.timezone.clone(), span);
        (query, calendar, Sums::default())
    });
    ledger.rows(&columns, |row| {
        let (hour, cell) = (row.float(0).unwrap_or_default(), cell(row));
        for (query, calendar, sums) in &mut answers {
            sums.add(query, &run_ids, calendar.place(hour), (row, &cell));
        }
    })?;
    Ok(answers.map(|(query, calendar, sums)| sums.finish(query, calendar)))
}

#[derive(Default)]
struct Sums {
    groups: BTreeMap<Key, BTreeMap<usize, Cell>>,
    /// What belongs to nobody, where owners are asked for: by the other dimensions and the period.
    shared: BTreeMap<(Key, usize), Cell>,
}

impl Sums {
    fn add(
        &mut self,
        query: &Query,
        run_ids: &BTreeMap<i64, String>,
        period: usize,
        (row, cell): (TableRow<'_>, &Cell),
    ) {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let billed = row.text(8).unwrap_or_default();
        let is_shared = matches!(billed, "shared" | "pause_pods");
        let owner = |name: Option<String>| match billed {
            "run" => name,
            "trace_pods" => Some("(plain pods)".to_owned()),
            _ => None,
        };
        let key = |kind: Option<&str>| -> Key {
            let name = |dimension: &Dimension| match dimension {
                Dimension::Team => owner(owned(row.text(1))),
                Dimension::Application => owner(owned(row.text(2))),
                Dimension::Run => owner(row.integer(3).and_then(|run| run_ids.get(&run)).cloned()),
                Dimension::Pool => owned(row.text(4)),
                Dimension::InstanceType => owned(row.text(5)),
                Dimension::Zone => owned(row.text(6)),
                Dimension::CapacityType => owned(row.text(7)),
                Dimension::Kind => owned(kind),
            };
            query.by.iter().map(name).collect()
        };
        let mut put = |key: Key, cell: &Cell| match is_shared
            && query.by.iter().any(|dimension| dimension.is_owner())
        {
            true => self.shared.entry((key, period)).or_default().add(cell),
            false => self.groups.entry(key).or_default().entry(period).or_default().add(cell),
        };
        if !query.by.contains(&Dimension::Kind) {
            put(key(None), cell);
            return;
        }
        // Use goes with the first kind, so that it is counted once.
        let mut use_left = Cell { kinds: [0; KINDS.len()], ..*cell };
        for (place, kind) in KINDS.iter().enumerate().filter(|(place, _)| cell.kinds[*place] != 0) {
            let mut part = std::mem::take(&mut use_left);
            part.kinds[place] = cell.kinds[place];
            put(key(Some(kind)), &part);
        }
    }

    fn finish(self, query: Query, calendar: Calendar) -> Costs {
        let (periods, went) = calendar.finish();
        let Query { by, split, .. } = query;
        let mut costs = Costs { by, split, periods, groups: BTreeMap::new() };
        for (key, cells) in self.groups {
            let cells = cells.into_iter().map(|(period, cell)| (went[period], cell)).collect();
            costs.groups.insert(key, cells);
        }
        if costs.by.iter().any(|dimension| dimension.is_owner()) {
            let shared = self.shared.into_iter().map(|(key, cell)| ((key.0, went[key.1]), cell));
            split::put(&mut costs, shared.collect());
        }
        costs
    }
}

fn cell(row: TableRow<'_>) -> Cell {
    let number = |place| row.float(place).unwrap_or_default();
    let first = NAMED.len() + 1;
    Cell {
        kinds: std::array::from_fn(|place| row.integer(first + place).unwrap_or_default()),
        shared: [0; KINDS.len()],
        cpu: [number(9), number(10), number(11)],
        memory: number(12),
    }
}

/// When the simulation ended: the last sample of the timeline.
fn end_s(folder: &Path) -> Result<Option<f64>, ReadError> {
    let mut end = None;
    TableFile::open(folder, "timeline")?.rows(&["at_s"], |row| end = row.float(0).or(end))?;
    Ok(end)
}

fn run_ids(folder: &Path) -> Result<BTreeMap<i64, String>, ReadError> {
    let mut ids = BTreeMap::new();
    TableFile::open(folder, "runs")?.rows(&["run", "run_id"], |row| {
        let id = row.text(1).unwrap_or_default().to_owned();
        ids.insert(row.integer(0).unwrap_or_default(), id);
    })?;
    Ok(ids)
}
