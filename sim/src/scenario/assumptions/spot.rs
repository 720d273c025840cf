//! The lines about spot weather and capacity in the list of assumptions.

use super::{Assumption, Assumptions};
use crate::scenario::{Capacity, Rebalance, Spells, SpotModel};

pub(super) fn list_of_spot(given: &Assumptions) -> Vec<Assumption> {
    let line = |name, value: String, source, guess| Assumption { name, value, source, guess };
    let (fact, guess) = (false, true);
    vec![
        line(
            "spot",
            model_text(&given.spot),
            "facts-cloud 0.4: lengths of spells and correlation of zones are measured; how often \
             pools go tight and what share is taken are ours",
            guess,
        ),
        line(
            "spotNotice",
            given.spot_notice.to_string(),
            "facts-kubernetes 3: interruption notice two minutes before",
            fact,
        ),
        line(
            "spotPrices",
            match given.spot_prices.0.len() {
                0 => "as the catalogue has them, all the time".to_owned(),
                pools => format!("recorded, of {pools} capacity pools"),
            },
            "the catalogue's savings; a recorded series where one is named",
            fact,
        ),
        line(
            "capacity",
            capacity_text(&given.capacity),
            "no limits are known; that failed launches are seen after a minute is ours",
            guess,
        ),
        line(
            "spotDrain",
            given.spot_drain.to_string(),
            "facts-kubernetes 3: managed node groups drain spot nodes themselves",
            fact,
        ),
        line(
            "rebalance",
            rebalance_text(&given.rebalance),
            "facts-cloud 6: 9 of 15 interruptions had one before, 9 of 30 were followed by one, 17 \
             min to 8 h 42 min; facts-kubernetes 3: the handler does not drain on them by default",
            fact,
        ),
    ]
}

fn spells_text(spells: &Spells) -> String {
    format!(
        "taking {}, tight for {:.2} h on average (sigma {}), calm spells of sigma {}, zones of a \
         region with phi {}",
        spells.share_taken,
        spells.tight_hours,
        spells.tight_sigma,
        spells.calm_sigma,
        spells.zone_correlation,
    )
}

fn model_text(model: &SpotModel) -> String {
    match model {
        SpotModel::None => "none".to_owned(),
        SpotModel::PoolShocks { mean_hours_between, spells } => {
            let spells = spells_text(spells);
            format!("pool-shocks, every {mean_hours_between} h at band 2, {spells}")
        }
        SpotModel::Advisor { spells } => {
            format!("advisor, as often as each band says, {}", spells_text(spells))
        }
        SpotModel::Recorded(series) => {
            let hours = series.span.as_millis() as f64 / 3.6e6;
            format!("recorded, {} pools over {hours:.1} h", series.pools.len())
        }
    }
}

fn rebalance_text(given: &Rebalance) -> String {
    format!(
        "{}; recall {}, precision {}, {} to {} ahead",
        given.response.name(),
        given.recall,
        given.precision,
        given.lead_min,
        given.lead_max,
    )
}

fn capacity_text(capacity: &Capacity) -> String {
    let limited = if capacity.is_limited() { "limited" } else { "unlimited" };
    match capacity.failure_seen_after {
        Some(time) => format!("{limited}; a failed launch is seen after {time}"),
        None => format!("{limited}; a failed launch hangs until max-node-provision-time"),
    }
}
