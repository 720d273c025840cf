//! `trace fit-spot`: the shock model, fitted to a recorded series.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use reports::grid::{Grid, GridCell, GridColumn};
use reports::render::{self, Format};
use serde::Serialize;
use traces::spot_fit::{SpellFit, SpotFit, fit_spot};
use traces::spot_series::{SpotContent, SpotFormat, SpotSeries, read_spot_series};

use crate::cli::Stop;
use crate::cli::noise::Noise;
use crate::cli::output::Output;

#[derive(Debug, Args)]
pub(crate) struct FitSpotArgs {
    /// Recorded series: probes of instances, nodes added and removed, numbers of nodes, or a folder
    /// of listings.
    #[arg(value_name = "FILE")]
    series: PathBuf,
    /// Its format [default: found out].
    #[arg(long, value_parser = PossibleValuesParser::new(SpotFormat::NAMES.map(|(name, _)| name)))]
    format: Option<String>,
}

/// What scripts get.
#[derive(Serialize)]
struct Fitted<'a> {
    schema: &'static str,
    format: SpotFormat,
    rows: u64,
    rows_used: u64,
    fit: &'a SpotFit,
}

pub(super) fn fit(args: &FitSpotArgs, noise: &Noise, output: &mut Output) -> Result<(), Stop> {
    let format = args.format.as_deref().and_then(SpotFormat::of_name);
    let series = read_spot_series(&args.series, format).map_err(Stop::bad_input)?;
    noise.findings(series.findings.iter(), "");
    let SpotContent::Weather(weather) = &series.content else {
        return Err(Stop::BadInput(format!(
            "{}: `{}` does not say when capacity was there: there is nothing to fit",
            args.series.display(),
            series.format.name()
        )));
    };
    let fit = fit_spot(weather);
    match output.format() {
        Format::Json => output.text(&render::json(&value(&series, &fit))),
        Format::Yaml => output.text(&render::yaml(&value(&series, &fit))),
        Format::Csv => output.grid(&figures(&fit)),
        Format::Table | Format::Markdown => sections(&series, &fit, output),
    }
}

fn value<'a>(series: &SpotSeries, fit: &'a SpotFit) -> Fitted<'a> {
    Fitted {
        schema: "seatrial.spot-fit/v1",
        format: series.format,
        rows: series.counts.rows,
        rows_used: series.counts.kept,
        fit,
    }
}

fn sections(series: &SpotSeries, fit: &SpotFit, output: &mut Output) -> Result<(), Stop> {
    output.text(&format!(
        "{} series: {} pools over {:.1} h, {} of {} rows used\n\n",
        series.format.name(),
        fit.pools,
        fit.hours,
        series.counts.kept,
        series.counts.rows,
    ))?;
    output.grid(&figures(fit))?;
    for (title, spells) in [("Calm", &fit.calm), ("Tight", &fit.tight)] {
        match spells {
            Some(spells) => {
                output.text(&format!("\n{title} spells: {}\n\n", sentence(spells)))?;
                output.grid(&quantiles(spells))?;
            }
            None => output.text(&format!("\n{title} spells: too few to fit\n"))?,
        }
    }
    if !fit.against.is_empty() {
        output.text("\nThe fitted model, drawn 100 times for these pools and this time:\n\n")?;
        output.grid(&against(fit))?;
    }
    output.text("\nFor a scenario, under spec.assumptions:\n\n")?;
    let block = render::yaml(&serde_json::json!({ "spot": fit.model }));
    output.text(&block)?;
    for note in &fit.notes {
        output.text(&format!("# {note}\n"))?;
    }
    Ok(())
}

fn sentence(spells: &SpellFit) -> String {
    let distance = spells.lognormal;
    let other = spells.exponential;
    let verdict = match distance.p_value {
        p if p < 0.05 => "the log-normal is rejected at 5 %",
        _ => "the log-normal is not rejected at 5 %",
    };
    format!(
        "{} complete, {} cut off; KS distance {:.3} (p {:.3}) from the log-normal, {:.3} (p {:.3}) \
         from an exponential: {verdict}",
        spells.complete, spells.censored, distance.ks, distance.p_value, other.ks, other.p_value,
    )
}

fn hours(value: f64) -> GridCell {
    GridCell::figure(value, format!("{value:.3}"))
}

fn quantiles(spells: &SpellFit) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("Hours", "what"),
        GridColumn::figures("Recorded", "recorded"),
        GridColumn::figures("Fitted", "fitted"),
    ]);
    grid.push(vec![GridCell::text("mean"), hours(spells.mean), hours(spells.fitted_mean)]);
    for quantile in &spells.quantiles {
        let name = format!("p{}", quantile.q * 100.0);
        grid.push(vec![GridCell::text(name), hours(quantile.recorded), hours(quantile.fitted)]);
    }
    grid
}

fn figures(fit: &SpotFit) -> Grid {
    let mut grid =
        Grid::new(&[GridColumn::words("Figure", "figure"), GridColumn::figures("Value", "value")]);
    let mut row = |what: &str, value: Option<f64>| {
        let cell = value.map_or(GridCell::Missing, hours);
        grid.push(vec![GridCell::text(what), cell]);
    };
    row("shocks", Some(fit.shocks as f64));
    row("tight spells", Some(fit.spells as f64));
    row("hours between two of a pool", fit.mean_hours_between);
    row("share of time tight", Some(fit.tight_share));
    row("calm spells, sigma", fit.calm.as_ref().map(|spells| spells.sigma));
    row("tight spells, sigma", fit.tight.as_ref().map(|spells| spells.sigma));
    row("share of nodes that a shock takes", fit.sizes.map(|sizes| sizes.share));
    row("the same, all shocks of a spell", fit.sizes.map(|sizes| sizes.share_by_spell));
    row("the same, p50 of shocks", fit.sizes.map(|sizes| sizes.p50));
    row("the same, p90", fit.sizes.map(|sizes| sizes.p90));
    row("the same, most", fit.sizes.map(|sizes| sizes.max));
    row("variance of shocks over the model's", fit.sizes.map(|sizes| sizes.dispersion));
    row("phi, one type in two zones of a region", fit.correlation.within_region);
    row("phi, two types of a zone", fit.correlation.within_zone);
    row("phi, two regions", fit.correlation.across_regions);
    grid
}

fn against(fit: &SpotFit) -> Grid {
    let mut grid = Grid::new(&[
        GridColumn::words("Figure", "figure"),
        GridColumn::figures("Recorded", "recorded"),
        GridColumn::figures("Model", "mean"),
        GridColumn::figures("p5", "p05"),
        GridColumn::figures("p95", "p95"),
    ]);
    for row in &fit.against {
        grid.push(vec![
            GridCell::text(row.figure),
            hours(row.recorded),
            hours(row.mean),
            hours(row.p05),
            hours(row.p95),
        ]);
    }
    grid
}
