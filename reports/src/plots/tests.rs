use jiff::tz::TimeZone;

use super::*;

fn plot(kind: Kind) -> String {
    let times: Vec<f64> = (0..48).map(|n| f64::from(n) * 1800.0).collect();
    let values = |factor: f64| times.iter().map(|at| (at / 3600.0 * factor).floor()).collect();
    time_plot(&TimePlot {
        title: "Nodes <over> time",
        unit: "nodes",
        times: &times,
        series: vec![
            Series { name: "on_demand", values: values(1.0) },
            Series { name: "spot", values: values(2.5) },
        ],
        kind,
        start_epoch_ms: 1_767_225_600_000,
        zone: &TimeZone::UTC,
    })
}

#[test]
fn pictures_have_a_title_words_and_variables() {
    for kind in [Kind::Stacked, Kind::Lines] {
        let svg = plot(kind);
        assert!(svg.starts_with("<svg viewBox=\"0 0 920 250\" role=\"img\""), "{svg}");
        assert!(svg.contains("<title>Nodes &lt;over&gt; time</title>"));
        assert!(svg.contains("on demand") && svg.contains("12:00"), "{svg}");
        assert!(svg.contains("var(--grid,") && !svg.contains("#020202"));
        assert!(svg.trim_end().ends_with("</svg>"));
        assert!(standalone(&svg).contains("prefers-color-scheme:dark"));
    }
}

#[test]
fn nothing_is_drawn_of_nothing() {
    let empty = TimePlot {
        title: "t",
        unit: "u",
        times: &[0.0],
        series: Vec::new(),
        kind: Kind::Lines,
        start_epoch_ms: 0,
        zone: &TimeZone::UTC,
    };
    assert_eq!(time_plot(&empty), "");
    assert_eq!(sankey("t", &[Flow { from: "spot", to: "useful", nano: -1 }]), "");
}

#[test]
fn bands_show_money_and_share() {
    let flow = |from, to, nano| Flow { from, to, nano };
    let svg = sankey(
        "Where the money went",
        &[
            flow("on_demand", "useful", 3_000_000_000),
            flow("spot", "useful", 5_000_000_000),
            flow("spot", "unallocated", 2_000_000_000),
        ],
    );
    for text in ["on demand", "$8.00 (80.0 %)", "$7.00 (70.0 %)", "unallocated"] {
        assert!(svg.contains(text), "{text} in {svg}");
    }
    assert_eq!(svg.matches("<polygon").count(), 3);
}
