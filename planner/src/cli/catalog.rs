//! `catalog`: the instance types that are built in, and which executors fit on them.

use clap::{Args, Subcommand};
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::Format;
use scenarios::catalogue::fit::Binding;
use scenarios::catalogue::tile::{Tile, tiles};
use scenarios::catalogue::{
    Catalogue, Entry, Filter, FitQuestion, FitReport, FitRow, REGIONS, allocatable_cpu, fit,
};
use serde_json::json;
use sim::scenario::{DaemonSets, MemoryOverheads};
use sim::units::{Bytes, HourlyPrice, MilliCores, ParseUnitError, quantity, spark_size};

use super::Stop;
use super::noise::Noise;
use super::output::Output;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct CatalogArgs {
    #[command(subcommand)]
    verb: Option<CatalogVerb>,
    #[command(flatten)]
    choice: Choice,
}

#[derive(Debug, Subcommand)]
enum CatalogVerb {
    /// How many executors of one shape fit on each instance type, and what they cost.
    Fit(FitArgs),
    /// Every executor shape that tiles an instance type, and what each leaves stranded.
    Tile(TileArgs),
}

/// Which instance types.
#[derive(Debug, Args)]
struct Choice {
    /// Prices of this region.
    #[arg(long, default_value = "us-west-2")]
    region: String,
    /// Only `amd64` or `arm64`.
    #[arg(long, value_parser = ["amd64", "arm64"])]
    arch: Option<String>,
    /// Only types with so many vCPUs: `4`, `4-16`, `16-` or `-16`.
    #[arg(long, value_parser = parse_range, allow_hyphen_values = true)]
    vcpu: Option<Range>,
    /// Only this type (`m5.xlarge`) or family (`m5`); repeatable.
    #[arg(long = "instance-type", value_name = "NAME")]
    instance_types: Vec<String>,
}

#[derive(Debug, Args)]
struct FitArgs {
    #[command(flatten)]
    choice: Choice,
    /// `spark.executor.cores`.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    cores: u32,
    /// `spark.executor.memory`, for example `11g`; a bare number is in MiB.
    #[arg(long, value_parser = parse_size)]
    memory: Bytes,
    /// `spark.kubernetes.executor.request.cores`, for example `3400m`.
    #[arg(long, value_parser = quantity::parse_cpu)]
    request_cores: Option<MilliCores>,
    /// `spark.executor.memoryOverhead`; a bare number is in MiB.
    #[arg(long, value_parser = parse_size)]
    memory_overhead: Option<Bytes>,
    /// Rows shown in a table; the other formats have all.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

#[derive(Debug, Args)]
struct TileArgs {
    #[command(flatten)]
    choice: Choice,
    /// Only shapes with at least so much heap for each task slot, for example `3g`.
    #[arg(long, value_parser = parse_size)]
    heap_per_slot: Option<Bytes>,
    /// Rows shown in a table; the other formats have all.
    #[arg(long, default_value_t = 30)]
    limit: usize,
}

/// vCPUs from, to.
#[derive(Debug, Clone, Copy)]
struct Range(Option<u32>, Option<u32>);

fn parse_range(text: &str) -> Result<Range, String> {
    let number = |part: &str| match part {
        "" => Ok(None),
        part => part
            .parse()
            .map(Some)
            .map_err(|_| format!("`{part}` is not a number of vCPUs; write 4, 4-16, 16- or -16")),
    };
    match text.split_once('-') {
        Some((from, to)) => Ok(Range(number(from)?, number(to)?)),
        None => number(text).map(|exactly| Range(exactly, exactly)),
    }
}

fn parse_size(text: &str) -> Result<Bytes, ParseUnitError> {
    spark_size::parse_size(text, Bytes::mib(1))
}

impl Choice {
    fn filter(&self, catalogue: &Catalogue) -> Result<Filter, Stop> {
        if !REGIONS.contains(&self.region.as_str()) {
            return Err(Stop::BadInput(format!(
                "no prices of region `{}` are built in; known: {}",
                self.region,
                REGIONS.join(", ")
            )));
        }
        let mut unknown = Vec::new();
        for name in &self.instance_types {
            let family = catalogue.list(&Filter { names: vec![name.clone()], ..Filter::default() });
            if let (true, Err(error)) = (family.is_empty(), catalogue.entry(name)) {
                unknown.push(error.to_string());
            }
        }
        if !unknown.is_empty() {
            return Err(Stop::BadInput(unknown.join("\n")));
        }
        let Range(vcpu_min, vcpu_max) = self.vcpu.unwrap_or(Range(None, None));
        Ok(Filter {
            names: self.instance_types.clone(),
            arch: self.arch.clone(),
            vcpu_min,
            vcpu_max,
            ..Filter::default()
        })
    }
}

pub(super) fn catalog(args: CatalogArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let catalogue = Catalogue::builtin();
    match args.verb {
        None => {
            let filter = args.choice.filter(&catalogue)?;
            let found = catalogue.list(&filter);
            if found.is_empty() {
                noise.note("no instance type is like that");
            }
            output.grid(&list(&catalogue, &found, &args.choice.region))
        }
        Some(CatalogVerb::Fit(fit)) => answer(&catalogue, &fit, noise, output),
        Some(CatalogVerb::Tile(tile)) => shapes(&catalogue, &tile, noise, output),
    }
}

fn shapes(
    catalogue: &Catalogue,
    args: &TileArgs,
    noise: &Noise,
    output: &mut Output,
) -> Result<(), Stop> {
    let filter = args.choice.filter(catalogue)?;
    if filter.names.is_empty() {
        return Err(Stop::BadInput(
            "which instance types? For example --instance-type r5.4xlarge or --instance-type m5"
                .to_owned(),
        ));
    }
    let around = (&DaemonSets::default(), &MemoryOverheads::default());
    let mut found = tiles(catalogue, &args.choice.region, &filter, around);
    let least = args.heap_per_slot.unwrap_or_default();
    found.retain(|tile| tile.heap_per_slot() >= least);
    let mut grid = tile_grid(&found);
    let people = matches!(output.format(), Format::Table | Format::Markdown);
    if people && grid.len() > args.limit {
        noise.note(&format!("{} shapes; --limit or -o csv has the others", grid.len()));
        grid = grid.first(args.limit);
    }
    output.grid(&grid)
}

/// Shapes that tile instance types, a row each.
pub(super) fn tile_grid(found: &[Tile]) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("Instance type", "instance_type"),
        GridColumn::figures("Cores", "executor_cores"),
        GridColumn::words("request.cores", "request_cores"),
        GridColumn::figures("Heap", "executor_memory_gib"),
        GridColumn::figures("Executors", "executors"),
        GridColumn::figures("Slots", "slots"),
        GridColumn::figures("GiB a slot", "heap_per_slot_gib"),
        GridColumn::figures("CPU stranded", "stranded_cpu_milli"),
        GridColumn::figures("GiB stranded", "stranded_memory_gib"),
        GridColumn::figures("$ a slot-hour", "usd_per_slot_hour"),
    ]);
    for tile in found {
        let request = tile.request.map_or_else(|| tile.cores.to_string(), |cpu| cpu.to_string());
        grid.push(vec![
            GridCell::text(&tile.instance_type),
            GridCell::whole(u64::from(tile.cores)),
            GridCell::figure(request.clone(), request),
            GridCell::figure(tile.heap.as_gib_f64(), format!("{:.0}g", tile.heap.as_gib_f64())),
            GridCell::whole(u64::from(tile.executors)),
            GridCell::whole(u64::from(tile.slots())),
            GridCell::decimal(tile.heap_per_slot().as_gib_f64(), 2),
            GridCell::figure(tile.stranded_cpu.as_millis(), tile.stranded_cpu.to_string()),
            GridCell::decimal(tile.stranded_memory.as_gib_f64(), 1),
            tile.usd_per_slot().map_or(GridCell::Missing, |usd| GridCell::decimal(usd, 4)),
        ]);
    }
    grid
}

fn list(catalogue: &Catalogue, entries: &[&Entry], region: &str) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("Instance type", "instance_type"),
        GridColumn::words("Arch", "arch"),
        GridColumn::figures("vCPU", "vcpu"),
        GridColumn::figures("Memory GiB", "memory_gib"),
        GridColumn::figures("Allocatable CPU", "allocatable_cpu_milli"),
        GridColumn::figures("Allocatable MiB", "allocatable_memory_mib"),
        GridColumn::figures("Pods", "max_pods"),
        GridColumn::figures("GPUs", "gpus"),
        GridColumn::figures("On-demand $/h", "on_demand_usd_per_hour"),
        GridColumn::figures("Spot $/h", "spot_usd_per_hour"),
        GridColumn::words("Interruptions", "interruption_band"),
    ]);
    for entry in entries {
        let priced = catalogue.instance_type(&entry.name, region).ok();
        let price = priced.as_ref().map(|priced| priced.on_demand_price);
        let spot = priced.as_ref().and_then(|priced| priced.spot_price);
        let band = priced.as_ref().and_then(|priced| priced.interruption_band);
        let allocatable = allocatable_cpu(entry.vcpu);
        grid.push(vec![
            GridCell::text(&entry.name),
            GridCell::text(&entry.arch),
            GridCell::whole(u64::from(entry.vcpu)),
            GridCell::figure(entry.memory.as_gib_f64(), gib(entry.memory)),
            GridCell::figure(allocatable.as_millis(), allocatable.to_string()),
            GridCell::whole(catalogue.allocatable_memory(entry).as_mib_floor()),
            GridCell::whole(u64::from(entry.max_pods)),
            GridCell::whole(u64::from(entry.gpus)),
            hourly(price),
            hourly(spot),
            band.map_or(GridCell::Missing, |band| GridCell::figure(band, interruptions(band))),
        ]);
    }
    grid
}

/// Spot Advisor's bands. Source: facts-cloud section 2.
fn interruptions(band: u8) -> &'static str {
    match band {
        0 => "< 5 %",
        1 => "5-10 %",
        2 => "10-15 %",
        3 => "15-20 %",
        _ => "> 20 %",
    }
}

fn answer(
    catalogue: &Catalogue,
    args: &FitArgs,
    noise: &Noise,
    output: &mut Output,
) -> Result<(), Stop> {
    let mut filter = args.choice.filter(catalogue)?;
    if filter.names.is_empty() {
        // Nobody runs plain executors on these.
        filter.gpus = Some(false);
        filter.priced_in = Some(args.choice.region.clone());
    }
    let question = FitQuestion {
        cores: args.cores,
        request_cores: args.request_cores,
        heap: args.memory,
        memory_overhead: args.memory_overhead,
        overheads: MemoryOverheads::default(),
        daemonsets: DaemonSets::default(),
        filter,
    };
    let report = fit(catalogue, &args.choice.region, &question);
    match output.format() {
        Format::Table | Format::Markdown => {
            let shown = args.limit.min(report.rows.len());
            output.text(&introduction(&report, output.format()))?;
            output.grid(&fit_grid(&report.rows[..shown]))?;
            if shown < report.rows.len() {
                noise.note(&format!(
                    "{} more instance types: --limit, --instance-type, --vcpu or --arch",
                    report.rows.len() - shown
                ));
            }
            Ok(())
        }
        Format::Csv => output.grid(&fit_grid(&report.rows)),
        Format::Json | Format::Yaml => output.value(&json!({
            "pod_cpu_milli": report.pod_cpu.as_millis(),
            "pod_memory_mib": report.pod_memory.as_mib_ceil(),
            "region": args.choice.region,
            "notes": report.notes,
            "instance_types": fit_grid(&report.rows).to_value(),
        })),
    }
}

fn introduction(report: &FitReport, format: Format) -> String {
    let mut text = String::new();
    for note in &report.notes {
        match format {
            Format::Markdown => text.push_str(&format!("- {note}\n")),
            _ => text.push_str(&wrapped(note)),
        }
    }
    text.push('\n');
    text
}

/// A note as a list item, in lines of at most 100 characters where its words allow it.
fn wrapped(note: &str) -> String {
    const WIDTH: usize = 98;
    let mut text = String::new();
    let mut line = String::new();
    for word in note.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let start = if text.is_empty() { "* " } else { "  " };
            text.push_str(&format!("{start}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let start = if text.is_empty() { "* " } else { "  " };
    text.push_str(&format!("{start}{line}\n"));
    text
}

fn fit_grid(rows: &[FitRow]) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("Instance type", "instance_type"),
        GridColumn::figures("vCPU", "vcpu"),
        GridColumn::figures("Memory GiB", "memory_gib"),
        GridColumn::figures("Free CPU", "free_cpu_milli"),
        GridColumn::figures("Free MiB", "free_memory_mib"),
        GridColumn::figures("Executors", "executors"),
        GridColumn::words("Bound by", "bound_by"),
        GridColumn::figures("CPU left", "stranded_cpu_milli"),
        GridColumn::figures("MiB left", "stranded_memory_mib"),
        GridColumn::figures("Largest heap MiB", "heap_max_mib"),
        GridColumn::figures("$/executor-h", "on_demand_usd_per_executor_hour"),
        GridColumn::figures("spot", "spot_usd_per_executor_hour"),
    ]);
    for row in rows {
        let cpu = |cpu: MilliCores| GridCell::figure(cpu.as_millis(), cpu.to_string());
        let bound_by = match row.binds {
            Binding::Cpu => "cpu",
            Binding::Memory => "memory",
            Binding::CpuAndMemory => "cpu and memory",
            Binding::Pods => "pods",
        };
        grid.push(vec![
            GridCell::text(&row.name),
            GridCell::whole(u64::from(row.vcpu)),
            GridCell::figure(row.memory.as_gib_f64(), gib(row.memory)),
            cpu(row.free_cpu),
            GridCell::whole(row.free_memory.as_mib_floor()),
            GridCell::whole(u64::from(row.executors)),
            GridCell::text(bound_by),
            cpu(row.stranded_cpu),
            GridCell::whole(row.stranded_memory.as_mib_floor()),
            GridCell::whole(row.heap_max.as_mib_floor()),
            hourly(row.on_demand_per_executor()),
            hourly(row.spot_per_executor()),
        ]);
    }
    grid
}

fn gib(bytes: Bytes) -> String {
    format!("{:.1}", bytes.as_gib_f64()).trim_end_matches(".0").to_owned()
}

fn hourly(price: Option<HourlyPrice>) -> GridCell {
    price.map_or(GridCell::Missing, |price| GridCell::decimal(price.as_usd_f64(), 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_wrapped_between_words() {
        let text = wrapped(&"twelve chars ".repeat(20));
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(text.starts_with("* twelve") && text.contains("\n  "), "{text}");
        assert_eq!(text.matches("twelve chars").count() + text.matches("twelve\n").count(), 20);
        assert_eq!(wrapped("short"), "* short\n");
    }

    #[test]
    fn ranges_of_vcpus() {
        let read = |text| parse_range(text).map(|Range(from, to)| (from, to));
        assert_eq!(read("4"), Ok((Some(4), Some(4))));
        assert_eq!(read("4-16"), Ok((Some(4), Some(16))));
        assert_eq!(read("16-"), Ok((Some(16), None)));
        assert_eq!(read("-16"), Ok((None, Some(16))));
        assert!(read("four").unwrap_err().contains("`four`"));
    }
}
