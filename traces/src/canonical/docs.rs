//! The documentation of the canonical trace, made from the columns themselves.

use super::columns::{POD_COLUMNS, RUN_COLUMNS, STAGE_COLUMNS};
use crate::table::Column;

/// The text of `docs/trace-format.md`.
pub fn trace_format_markdown() -> String {
    let mut text = String::from(INTRODUCTION);
    let tables: [(&str, &str, &[Column]); 3] = [
        ("runs", RUNS, RUN_COLUMNS),
        ("stages", STAGES, STAGE_COLUMNS),
        ("pods", PODS, POD_COLUMNS),
    ];
    for (name, about, columns) in tables {
        text.push_str(&format!("\n## `{name}`\n\n{about}\n\n"));
        text.push_str("| column | type | unit | default | meaning |\n|---|---|---|---|---|\n");
        for column in columns {
            let default = if column.required { "**required**" } else { column.default };
            text.push_str(&format!(
                "| `{}` | {} | {} | {default} | {} |\n",
                column.name,
                column.kind.name(),
                column.unit,
                column.doc.replace('|', "\\|"),
            ));
        }
    }
    text
}

const INTRODUCTION: &str = "\
# The canonical trace

<!-- Made from the columns in traces/src/canonical/columns.rs; UPDATE_EXPECT=1 cargo test -p \
traces rewrites it. -->

A trace is up to three tables, each a CSV file (`.csv`, `.csv.gz`; UTF-8, comma, a header) or a
Parquet file (`.parquet`) with the same columns. `seatrial trace ingest` writes them; anything that
can write a table can make one. Columns may come in any order, and all that are not required may
be left out.

- An empty cell, or a Parquet null, means \"not recorded\", and the default holds.
- A bad value (negative, NaN, not a number, out of range) is taken as missing; when it is required,
  the row is dropped. Later rows with a key that was there already are dropped. All of that is
  counted in findings, with the first line it was seen at: rows = kept + dropped.
- An unknown column is a finding. A missing required column, or one that is there twice, is an
  error.
- Times are written as RFC 3339 in UTC with milliseconds. RFC 3339 text with any offset, such text
  without an offset (UTC), seconds and milliseconds since 1970 are read; in Parquet also
  timestamps and dates.
- Durations are exact to the millisecond, memory to the byte, cores to the thousandth.
- Cells are written as they are, also those that begin with `=`, `+`, `-` or `@`, so that a trace
  reads back exactly.
- At most 5,000,000 rows, 1,000 columns, 10,000 characters a cell (40,000 in `parents` and
  `task_ms`), 4 MiB a CSV record, 4 GiB a Parquet file.
";

const RUNS: &str = "\
One row per submission by the orchestrator. Rows of later tries (`attempt` above 1, or `retry_of`
set) may be there: they are counted and folded into their first one, since the simulator makes its
own retries. Where the first try is not in the table, the earliest later one stands for it.";

const STAGES: &str = "\
One row per stage of a run, in order of submission. A file `stages.csv` or `stages.parquet` beside
a `runs` file is picked up with it. A run without stages here is simulated from its totals.";

const PODS: &str = "\
One row per plain pod, for load beside Spark or for a replay of a pod trace.";

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_documentation_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/trace-format.md");
        let expected = super::trace_format_markdown();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, &expected).expect("docs/ can be written");
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == expected,
            "docs/trace-format.md is stale: run UPDATE_EXPECT=1 cargo test -p traces"
        );
    }
}
