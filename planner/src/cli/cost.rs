//! `cost`: who spent what, against the period before, with waste and a forecast.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use reports::cost::{self, Costs, Dimension, Forecast, Period, Query, Terms};
use reports::document::{Block, Document, Section};
use reports::render::{self, Format};
use reports::result_file;
use sim::scenario::SharedSplit;

use super::Stop;
use super::output::Output;
use crate::result_folder;

#[derive(Debug, Args)]
pub(super) struct CostArgs {
    /// Result folder, as `seatrial run` wrote it.
    result: PathBuf,
    /// By what: one or more of these, separated by commas.
    #[arg(long, value_name = "DIMENSION", value_delimiter = ',', default_value = "team",
          value_parser = by())]
    by: Vec<Dimension>,
    /// How long a period is.
    #[arg(long, value_name = "PERIOD", default_value = "month", value_parser = period())]
    period: Period,
    /// Who pays for what belongs to nobody: by the larger of request and use (as OpenCost), by
    /// request, everybody alike, or nobody [default: the scenario's `spec.billing.sharedSplit`].
    #[arg(long, value_name = "RULE", value_parser = split())]
    split: Option<SharedSplit>,
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

/// A value of `known` by its name; clap lists the names.
fn one_of<T: Copy + Send + Sync + 'static, const N: usize>(
    known: [(&'static str, T); N],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(known.map(|(name, _)| name)).map(move |given| {
        let found = known.iter().find(|(name, _)| *name == given);
        found.map(|(_, value)| *value).expect("clap lets through what is listed")
    })
}

fn by() -> impl TypedValueParser<Value = Dimension> {
    one_of(Dimension::ALL.map(|by| (by.flag(), by)))
}

fn period() -> impl TypedValueParser<Value = Period> {
    one_of(Period::NAMES)
}

fn split() -> impl TypedValueParser<Value = SharedSplit> {
    one_of(SharedSplit::ALL.map(|rule| (rule.name(), rule)))
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
    let costs = cost::read(&args.result, query).map_err(Stop::bad_input)?;
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
    let terms = Terms::of(&result_file::summary(&args.result).map_err(Stop::bad_input)?);
    let mut by: Vec<Dimension> = Vec::new();
    for one in &args.by {
        if !by.contains(one) {
            by.push(*one);
        }
    }
    let zone = args.timezone.as_deref().unwrap_or(&terms.timezone);
    let query = Query {
        by,
        period: args.period,
        split: args.split.unwrap_or(terms.split),
        timezone: cost::zone(zone).map_err(Stop::BadInput)?,
    };
    Ok((terms.scenario, query))
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
