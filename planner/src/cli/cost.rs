//! `cost`: who spent what, against the period before, with waste and a forecast.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reports::cost::{self, Costs, Dimension, Forecast, Period, Query};
use reports::document::{Block, Document, Section};
use reports::render::{self, Format};
use sim::scenario::SharedSplit;

use super::Stop;
use super::output::Output;
use crate::result_folder;

/// Larger files are no summaries.
const SUMMARY_MAX: u64 = 64 << 20;

#[derive(Debug, Args)]
pub(super) struct CostArgs {
    /// Result folder, as `seatrial run` wrote it.
    result: PathBuf,
    /// By what: one or more of these, separated by commas.
    #[arg(long, value_name = "DIMENSION", value_delimiter = ',', default_value = "team")]
    by: Vec<By>,
    /// How long a period is.
    #[arg(long, value_enum, default_value = "month")]
    period: Every,
    /// Who pays for what belongs to nobody [default: the scenario's `spec.billing.sharedSplit`].
    #[arg(long, value_enum, value_name = "RULE")]
    split: Option<Split>,
    /// IANA name of the zone in which days begin [default: the scenario's].
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Growth from one period to the next, such as 5% [default: as three or more whole periods say].
    #[arg(long, value_name = "PERCENT", value_parser = growth, allow_hyphen_values = true)]
    growth: Option<f64>,
    /// Rows of each period; the others are added up in one. With -o csv, json, yaml: all.
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..))]
    top: u32,
    /// Rows in OpenCost's allocation schema, as JSON.
    #[arg(long)]
    opencost: bool,
    /// Also write the report as an HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// The runs' owners.
    Team,
    /// Applications.
    Application,
    /// Runs.
    Run,
    /// Node pools.
    Pool,
    /// Instance types.
    InstanceType,
    /// Zones.
    Zone,
    /// On-demand and spot.
    CapacityType,
    /// Kinds of cost.
    Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Every {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// All of it.
    All,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Split {
    /// By the larger of what pods requested and used, as OpenCost.
    MaxRequestUse,
    /// By what pods requested.
    Request,
    /// The same for every owner.
    Even,
    /// Not at all.
    None,
}

fn growth(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
    match number {
        Ok(percent) if (-100.0..=10_000.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("a number of percent such as 5% or -2.5%".to_owned()),
    }
}

pub(super) fn cost(args: CostArgs, output: &mut Output) -> Result<(), Stop> {
    let (scenario, query) = query(&args)?;
    let costs = cost::read(&args.result, &query).map_err(Stop::bad_input)?;
    let forecast = Forecast::of(&costs, args.growth);
    if let Some(path) = &args.html {
        let page = page(&costs, forecast.as_ref(), &scenario, args.top as usize);
        result_folder::write_whole(path, &page.to_html()).map_err(Stop::failed)?;
    }
    if args.opencost {
        return output.value(&cost::allocations(&costs, &scenario));
    }
    let lines = cost::summary_lines(&costs, forecast.as_ref());
    match output.format() {
        Format::Json => output.text(&render::json(&costs.to_value(forecast.as_ref()))),
        Format::Yaml => output.text(&render::yaml(&costs.to_value(forecast.as_ref()))),
        Format::Csv => output.grid(&cost::table(&costs, usize::MAX)),
        Format::Markdown => {
            let page = page(&costs, forecast.as_ref(), &scenario, args.top as usize);
            output.text(&page.to_markdown())
        }
        Format::Table => {
            output.text(&format!("{}\n\n", lines.join("\n")))?;
            output.grid(&cost::table(&costs, args.top as usize))
        }
    }
}

/// The name of the scenario, and what is asked for.
fn query(args: &CostArgs) -> Result<(String, Query), Stop> {
    let path = args.result.join("summary.json");
    let bad = |reason: String| {
        let help = "is this a result folder? `seatrial run` writes one";
        Stop::BadInput(format!("{}: {reason}; {help}", path.display()))
    };
    let file = std::fs::File::open(&path).map_err(|error| bad(error.to_string()))?;
    let summary: serde_json::Value =
        serde_json::from_reader(std::io::Read::take(file, SUMMARY_MAX))
            .map_err(|error| bad(error.to_string()))?;
    let terms = &summary["cost_usd"]["terms"];
    let named = |name: &str| SharedSplit::ALL.into_iter().find(|rule| rule.name() == name);
    let split = match args.split {
        Some(Split::MaxRequestUse) => Some(SharedSplit::MaxRequestUse),
        Some(Split::Request) => Some(SharedSplit::Request),
        Some(Split::Even) => Some(SharedSplit::Even),
        Some(Split::None) => Some(SharedSplit::None),
        None => terms["shared_split"].as_str().and_then(named),
    };
    let zone = args.timezone.as_deref().or(terms["timezone"].as_str()).unwrap_or("UTC");
    let mut by: Vec<Dimension> = Vec::new();
    for one in &args.by {
        let one = dimension(*one);
        if !by.contains(&one) {
            by.push(one);
        }
    }
    let query = Query {
        by,
        period: match args.period {
            Every::Hour => Period::Hour,
            Every::Day => Period::Day,
            Every::Week => Period::Week,
            Every::Month => Period::Month,
            Every::All => Period::All,
        },
        split: split.unwrap_or_default(),
        timezone: cost::zone(zone).map_err(Stop::BadInput)?,
    };
    Ok((summary["scenario"].as_str().unwrap_or_default().to_owned(), query))
}

const fn dimension(by: By) -> Dimension {
    match by {
        By::Team => Dimension::Team,
        By::Application => Dimension::Application,
        By::Run => Dimension::Run,
        By::Pool => Dimension::Pool,
        By::InstanceType => Dimension::InstanceType,
        By::Zone => Dimension::Zone,
        By::CapacityType => Dimension::CapacityType,
        By::Kind => Dimension::Kind,
    }
}

fn page(costs: &Costs, forecast: Option<&Forecast>, scenario: &str, top: usize) -> Document {
    let by: Vec<&str> = costs.by.iter().map(|by| by.name()).collect();
    let caption = format!("By {}; the latest period first", by.join(" and "));
    let table = Block::Table { caption, grid: cost::table(costs, top), shown: 200 };
    let lines = Block::Lines(cost::summary_lines(costs, forecast));
    Document {
        title: format!("Cost of {scenario}"),
        subtitle: "Simulated, in US dollars".to_owned(),
        sections: vec![Section { id: "cost", title: "Cost", blocks: vec![lines, table] }],
    }
}
