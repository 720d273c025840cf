//! A price that moves, and what it sums up to.
//!
//! Each price holds from its moment to the next one's; the first one holds before it too, the last
//! one for ever. Sums are whole numbers, so that parts of a time add up to the whole exactly.

use crate::units::{HourlyPrice, SimTime};

/// A price over time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PriceCurve {
    /// Ascending; the first one is at zero.
    points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    from: SimTime,
    price: HourlyPrice,
    /// The sum from zero to `from`, in nano-dollars an hour times milliseconds.
    before: u128,
}

impl PriceCurve {
    /// The curve through `points`, in ascending order; of those at one time, the last one counts.
    /// None without a point.
    pub(crate) fn new(points: &[(SimTime, HourlyPrice)]) -> Option<Self> {
        let (_, first) = points.first()?;
        let mut curve =
            Self { points: vec![Point { from: SimTime::ZERO, price: *first, before: 0 }] };
        for (from, price) in points {
            let last = &curve.points[curve.points.len() - 1];
            if *from <= last.from {
                let place = curve.points.len() - 1;
                curve.points[place].price = *price;
            } else {
                let before = last.sum_to(*from);
                curve.points.push(Point { from: *from, price: *price, before });
            }
        }
        Some(curve)
    }

    /// The price at `at`.
    pub(crate) fn at(&self, at: SimTime) -> HourlyPrice {
        self.point(at).price
    }

    /// The sum over time, in nano-dollars an hour times milliseconds.
    pub(crate) fn sum(&self, from: SimTime, to: SimTime) -> u128 {
        let to = to.max(from);
        self.point(to).sum_to(to) - self.point(from).sum_to(from)
    }

    fn point(&self, at: SimTime) -> &Point {
        let after = self.points.partition_point(|point| point.from <= at);
        &self.points[after.saturating_sub(1)]
    }
}

impl Point {
    fn sum_to(&self, at: SimTime) -> u128 {
        let ms = u128::from(at.since(self.from).as_millis());
        self.before + u128::from(self.price.as_nano()) * ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(u64, u64)]) -> PriceCurve {
        let point =
            |(ms, nano): &(u64, u64)| (SimTime::from_millis(*ms), HourlyPrice::from_nano(*nano));
        let points: Vec<_> = points.iter().map(point).collect();
        PriceCurve::new(&points).expect("there are points")
    }

    #[test]
    fn sums_hold_each_price_for_its_time() {
        let curve = curve(&[(100, 7), (200, 3), (200, 5), (400, 0)]);
        let sum = |from, to| curve.sum(SimTime::from_millis(from), SimTime::from_millis(to));
        assert_eq!(sum(0, 100), 700, "the first price holds before its time");
        assert_eq!(sum(150, 250), 50 * 7 + 50 * 5);
        assert_eq!(sum(0, 1000), 1400 + 1000);
        assert_eq!(sum(300, 200), 0);
        assert_eq!(curve.at(SimTime::from_millis(399)).as_nano(), 5);
        assert_eq!(PriceCurve::new(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn parts_add_up_to_the_whole(
            points in proptest::collection::btree_map(0u64..10_000, 0u64..1_000_000, 1..20),
            mut cuts in proptest::collection::vec(0u64..20_000, 2..20),
        ) {
            let points: Vec<(u64, u64)> = points.into_iter().collect();
            let curve = curve(&points);
            cuts.sort_unstable();
            let at = |ms: &u64| SimTime::from_millis(*ms);
            let parts: u128 = cuts.windows(2).map(|c| curve.sum(at(&c[0]), at(&c[1]))).sum();
            proptest::prop_assert_eq!(parts, curve.sum(at(&cuts[0]), at(&cuts[cuts.len() - 1])));
        }
    }
}
