//! `ImageLocality`: nodes that have the pod's images, less for images that few nodes have.
//!
//! Source: facts-kubernetes 1.2; upstream `imagelocality/image_locality.go`.

use super::super::framework::Cycle;
use super::MAX_SCORE;
use crate::cluster::{ImageId, Node};
use crate::units::Bytes;

const MIN: i64 = 23 << 20;
const MAX_PER_CONTAINER: i64 = 1000 << 20;

/// What the pod's images come to.
#[derive(Debug)]
pub(super) struct Images {
    /// What a node gets for each of them, by image.
    shares: Vec<(ImageId, i64)>,
    containers: usize,
}

impl Images {
    /// `PreScore`.
    pub(super) fn of(cycle: &Cycle<'_>) -> Self {
        let placement = cycle.placement();
        let volumes = placement.template.image_volumes.len();
        let (names, nodes) = (&cycle.cluster.image_names, cycle.cluster.tree.len());
        let share = |image: &ImageId| share(names.size(*image), names.nodes_with(*image), nodes);
        let shares = placement.images.iter().map(|image| (*image, share(image))).collect();
        Self { shares, containers: placement.images.len().saturating_sub(volumes) }
    }

    /// The score of a node.
    pub(super) fn score(&self, node: &Node) -> i64 {
        let here = self.shares.iter().filter(|(image, _)| node.images.binary_search(image).is_ok());
        let sum = here.map(|(_, share)| share).sum();
        normalize(sum, self.containers)
    }
}

/// The size, less the fewer nodes have the image.
fn share(size: Bytes, with: u32, nodes: usize) -> i64 {
    (size.as_u64() as f64 * (f64::from(with) / nodes.max(1) as f64)) as i64
}

fn normalize(sum: i64, containers: usize) -> i64 {
    let max = MAX_PER_CONTAINER * containers as i64;
    let bounded = if sum < MIN { MIN } else { sum.min(max) };
    (MAX_SCORE * (bounded - MIN)).checked_div(max - MIN).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_images_do_not_count_and_large_ones_count_fully() {
        let score = |image, with, nodes| normalize(share(image, with, nodes), 1);
        assert_eq!(score(Bytes::mib(40), 1, 2), 0);
        assert_eq!(score(Bytes::gib(4), 1, 2), 100);
        assert_eq!(score(Bytes::mib(250), 1, 2), 10);
        assert_eq!(normalize(2000 << 20, 2), 100);
        assert_eq!(normalize(1000 << 20, 2), 49);
        assert_eq!(normalize(0, 0), 0);
    }
}
