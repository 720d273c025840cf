//! Same scenario, workload and seed: the same outcome and records.

use crate::fixtures::*;
use sim::scenario::{Spells, SpotModel};

#[test]
fn the_same_seed_gives_the_same_records_and_another_one_others() {
    let mut scenario = platform();
    scenario.assumptions.spot = SpotModel::PoolShocks {
        mean_hours_between: 0.5,
        spells: Spells { share_taken: 0.5, ..Spells::default() },
    };
    let workload = runs((0..40).map(|i| run(&format!("r{i}"), i * 20, 30)).collect());
    let text = |seed| {
        let (outcome, records) = simulate(&scenario, &workload, seed);
        format!("{outcome:?}\n{records:?}")
    };
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
}

/// Common random numbers: a knob that touches nothing else leaves the weather and the boots of
/// nodes alone.
#[test]
fn what_ifs_share_their_draws() {
    let workload = runs((0..5).map(|i| run(&format!("r{i}"), i * 600, 30)).collect());
    let boots = |unneeded: u64| {
        let mut scenario = platform();
        let autoscaler = scenario.cluster_autoscaler_mut().unwrap();
        autoscaler.scale_down_unneeded_time = sim::units::SimDuration::minutes(unneeded);
        let (_, records) = simulate(&scenario, &workload, 1);
        let mut nodes = records.nodes;
        nodes.sort_by_key(|node| node.node);
        let first = nodes.iter().take(2);
        first.map(|node| node.ready_at.unwrap().since(node.launched_at)).collect::<Vec<_>>()
    };
    assert_eq!(boots(2), boots(30));
}
