//! Recorded spot series that a scenario names: read, and put into it as plain values.
//!
//! What a series cannot be used for is a problem at the place that names it; what it leaves open
//! (pools and instance types that it does not have) is a finding.

use std::sync::Arc;

use scenarios::file::{SpotSeriesRef, SpotSeriesUse};
use scenarios::problem::{Problem, Problems};
use sim::scenario::{CapacityType, Scenario, SpotModel, SpotPrices};
use sim::{Finding, Severity};
use traces::spot_series::{SpotContent, SpotFormat, SpotSeries, read_spot_series};

/// Dollars an hour that a pool's nodes may cost together, as `scenarios` has it for prices that do
/// not move.
const MOST_USD_PER_HOUR: f64 = 1e6;
/// A shorter recording would begin again and again.
const SPAN_MIN_MS: u64 = 60_000;
/// Changes that come faster, all pools together, would keep the simulation busy with nothing else.
const CHANGE_MIN_MS: u64 = 1_000;

/// Puts every series into `scenario`, and gives the findings about them.
///
/// # Errors
/// Every series that cannot be read or used.
pub(crate) fn apply(
    scenario: &mut Scenario,
    series: &[SpotSeriesRef],
) -> Result<Vec<Finding>, Problems> {
    let mut findings = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for reference in series {
        let format = reference.format.and_then(SpotFormat::of_name);
        match read_spot_series(&reference.path, format) {
            Err(error) => problems.push(reference.problem(error)),
            Ok(read) => {
                findings.extend(read.findings.iter().cloned());
                if let Err(reason) = put(scenario, reference, read, &mut findings) {
                    problems.push(reference.problem(reason));
                }
            }
        }
    }
    if problems.is_empty() { Ok(findings) } else { Err(Problems(problems)) }
}

fn put(
    scenario: &mut Scenario,
    reference: &SpotSeriesRef,
    series: SpotSeries,
    findings: &mut Vec<Finding>,
) -> Result<(), String> {
    let format = series.format.name();
    match (reference.purpose, series.content) {
        (SpotSeriesUse::Weather, SpotContent::Weather(weather)) => {
            if weather.span_ms < SPAN_MIN_MS {
                return Err(format!("{} ms are too short a recording", weather.span_ms));
            }
            let changes: usize = weather.pools.iter().map(|pool| pool.steps.len()).sum();
            if changes as u64 > weather.span_ms / CHANGE_MIN_MS {
                return Err(format!("{changes} changes in {} ms are no weather", weather.span_ms));
            }
            let recorded = weather.to_recorded(reference.share_taken);
            findings.extend(strangers(scenario, &|instance_type, zone| {
                let mut pools = recorded.pools.iter();
                pools.any(|pool| pool.zone == zone && pool.instance_type == instance_type)
            }));
            scenario.assumptions.spot = SpotModel::Recorded(Arc::new(recorded));
            Ok(())
        }
        (SpotSeriesUse::Bands, SpotContent::Bands(bands)) => {
            let region = scenario.region.clone();
            for pool in &mut scenario.pools {
                for instance_type in &mut pool.instance_types {
                    let mut of_region = bands.iter().filter(|band| band.region == region);
                    let found = of_region.find(|band| band.instance_type == instance_type.name);
                    if let Some(band) = found {
                        instance_type.interruption_band = Some(band.band);
                    } else if pool.capacity_type == CapacityType::Spot {
                        findings.push(missing("no-band", &instance_type.name, "band"));
                    }
                }
            }
            Ok(())
        }
        (SpotSeriesUse::Prices, SpotContent::Prices(prices)) => {
            let prices = SpotPrices(Arc::new(prices));
            too_dear(scenario, &prices)?;
            findings.extend(without_price(scenario, &prices));
            scenario.assumptions.spot_prices = prices;
            Ok(())
        }
        (SpotSeriesUse::Prices, SpotContent::RegionPrices(prices)) => {
            let region = scenario.region.clone();
            for instance_type in scenario.pools.iter_mut().flat_map(|p| &mut p.instance_types) {
                let mut of_region = prices.iter().filter(|price| price.region == region);
                let found = of_region.find(|price| price.instance_type == instance_type.name);
                match found {
                    Some(found) => instance_type.spot_price = Some(found.price),
                    None => findings.push(missing("no-price", &instance_type.name, "price")),
                }
            }
            Ok(())
        }
        (SpotSeriesUse::Weather, _) => Err(format!("`{format}` does not say when pools are tight")),
        (SpotSeriesUse::Bands, _) => Err(format!("`{format}` has no interruption bands")),
        (SpotSeriesUse::Prices, _) => Err(format!("`{format}` has no prices")),
    }
}

fn missing(code: &str, instance_type: &str, what: &str) -> Finding {
    let message = format!("the series has no {what} of it in this region: the catalogue's is used");
    Finding::new(Severity::Warning, code, instance_type, message)
}

/// Capacity pools that take the weather of a pool of another name.
fn strangers(scenario: &Scenario, known: &dyn Fn(&str, &str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (instance_type, zone) in spot_pools(scenario) {
        if !known(instance_type, zone) {
            let message = "the recorded series does not have it: it takes the weather of a \
                           recorded pool of its zone, or else of one that its name hashes to"
                .to_owned();
            let subject = format!("{instance_type} {zone}");
            findings.push(Finding::new(Severity::Info, "recorded-elsewhere", subject, message));
        }
    }
    findings
}

fn without_price(scenario: &Scenario, prices: &SpotPrices) -> Vec<Finding> {
    let pools = spot_pools(scenario).into_iter();
    let without = pools.filter(|(instance_type, zone)| prices.of(instance_type, zone).is_none());
    let finding = |(instance_type, zone): (&str, &str)| {
        missing("no-price", &format!("{instance_type} {zone}"), "price")
    };
    without.map(finding).collect()
}

/// Instance types and zones of spot pools, each once.
fn spot_pools(scenario: &Scenario) -> Vec<(&str, &str)> {
    let spot = scenario.pools.iter().filter(|pool| pool.capacity_type == CapacityType::Spot);
    let mut found: Vec<(&str, &str)> = spot
        .flat_map(|pool| {
            let of = |zone| pool.instance_types.iter().map(move |t| (t.name.as_str(), zone));
            pool.zones.iter().map(String::as_str).flat_map(of)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A bill is kept in nano-dollars, in 63 bits.
fn too_dear(scenario: &Scenario, prices: &SpotPrices) -> Result<(), String> {
    let points = prices.0.iter().flat_map(|series| &series.points);
    let dearest = points.map(|(_, price)| price.as_usd_f64()).fold(0.0, f64::max);
    let spot = scenario.pools.iter().filter(|pool| pool.capacity_type == CapacityType::Spot);
    let most = spot.map(|pool| pool.max_size).max().unwrap_or(0);
    if dearest * f64::from(most) > MOST_USD_PER_HOUR {
        return Err(format!(
            "its highest price is ${dearest} an hour, and {most} nodes of a pool would cost more \
             than a bill can hold; at most ${MOST_USD_PER_HOUR:.0} an hour"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scenario with `assumptions`, and a series beside it.
    fn load(assumptions: &str, series: &str) -> (Scenario, Result<Vec<Finding>, Problems>) {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "apiVersion: seatrial/v1alpha1\nkind: Scenario\nspec:\n  region: us-west-2\n  nodes:\n    \
             pools: [{{name: p, capacityType: spot, instanceTypes: [m5.large], maxSize: 9, zones: \
             [us-west-2a]}}]\n  assumptions: {assumptions}\n"
        );
        std::fs::write(folder.path().join("s.yaml"), text).expect("written");
        std::fs::write(folder.path().join("series"), series).expect("written");
        let loaded = scenarios::load(&folder.path().join("s.yaml"), &[]).expect("it loads");
        let mut scenario = loaded.scenario;
        let findings = apply(&mut scenario, &loaded.spot_series);
        (scenario, findings)
    }

    #[test]
    fn series_become_values_of_the_scenario() {
        let spot = "{spot: {model: recorded, series: series, shareTaken: 0.5}}";
        let (scenario, findings) = load(spot, "0.0,8\n1.0,4\n2.0,8\n");
        let SpotModel::Recorded(series) = &scenario.assumptions.spot else { panic!("recorded") };
        assert_eq!((series.pools.len(), series.pools[0].steps.len()), (1, 3));
        assert_eq!(series.pools[0].steps[1].share_taken, 0.5);
        let findings = findings.expect("it is used");
        assert!(findings.iter().any(|f| f.code == "recorded-elsewhere"), "{findings:?}");

        let advisor = r#"{"spot_advisor":{"us-west-2":{"Linux":{"m5.large":{"s":60,"r":4}}}}}"#;
        let (scenario, _) = load("{spot: {model: advisor, series: series}}", advisor);
        assert_eq!(scenario.pools[0].instance_types[0].interruption_band, Some(4));

        let prices = r#"{"SpotPriceHistory":[{"AvailabilityZone":"us-west-2a","InstanceType":
            "m5.large","ProductDescription":"Linux/UNIX","SpotPrice":"0.05","Timestamp":
            "2020-01-01T00:00:00Z"}]}"#;
        let (scenario, findings) = load("{spotPrices: {series: series}}", prices);
        assert!(scenario.assumptions.spot_prices.of("m5.large", "us-west-2a").is_some());
        assert!(findings.expect("it is used").is_empty());
    }

    #[test]
    fn a_series_for_something_else_is_a_problem_at_its_place() {
        let (_, error) = load("{spotPrices: {series: series}}", "0.0,8\n1.0,4\n");
        let message = error.expect_err("counts are no prices").to_string();
        assert!(message.contains("`counts` has no prices"), "{message}");
        assert!(message.contains("s.yaml:"), "{message}");
        let (_, error) = load("{spot: {model: recorded, series: series}}", "hello\n");
        assert!(error.is_err());
    }
}
