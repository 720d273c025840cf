//! `ImageLocality` for pods of one container. Source: facts-kubernetes 1.2.

use super::MAX_SCORE;
use crate::units::Bytes;

const MIN: u64 = 23 << 20;
const MAX: u64 = 1000 << 20;

/// The score of a node that has the image, when `with_image` of `nodes` have it.
pub(super) fn score(image: Bytes, with_image: usize, nodes: usize) -> i64 {
    let spread = with_image as f64 / nodes.max(1) as f64;
    let scaled = image.scale_floor(spread).as_u64().clamp(MIN, MAX);
    (MAX_SCORE as u64 * (scaled - MIN) / (MAX - MIN)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_images_do_not_count_and_large_ones_count_fully() {
        assert_eq!(score(Bytes::mib(40), 1, 2), 0);
        assert_eq!(score(Bytes::gib(4), 1, 2), 100);
        assert_eq!(score(Bytes::mib(250), 1, 2), 10);
    }
}
