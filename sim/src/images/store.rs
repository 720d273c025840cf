//! The images of one node: those it has, those it pulls, and those that wait for their turn.
//!
//! Amounts that are still to be pulled count in thousandths of a byte, so that a rate in bytes a
//! second times a time in milliseconds is whole. Pulls of one node share what the node gets
//! equally. A layer is pulled once: an image whose layers another pull has begun does not wait for
//! that pull (containerd would).

use super::catalog::{ImageCatalog, LayerId};
use crate::cluster::ImageId;
use crate::units::{Bytes, SimTime};

/// The images of one node.
#[derive(Debug, Default)]
pub(crate) struct ImageStore {
    /// Images that are there, in order of arrival.
    pub(super) held: Vec<Held>,
    /// Layers that are there or on their way.
    layers: Vec<LayerId>,
    pulls: Vec<Pull>,
    waiting: Vec<ImageId>,
    /// The registry's clock when `pulls` were last brought up to date.
    seen: u128,
    /// Key of this node in the registry's list of ends.
    pub(super) ends: Option<u128>,
    /// A turn of garbage collection is in the calendar.
    pub(super) collection_due: bool,
}

/// An image that is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) image: ImageId,
    /// When it came.
    pub(super) since: SimTime,
    /// When a pod that uses it was last bound.
    pub(super) used_at: SimTime,
}

#[derive(Debug)]
struct Pull {
    image: ImageId,
    left: u128,
}

impl ImageStore {
    /// Whether `image` is there; notes its use.
    pub(super) fn use_image(&mut self, image: ImageId, now: SimTime) -> bool {
        let held = self.held.iter_mut().find(|held| held.image == image);
        held.map(|held| held.used_at = now).is_some()
    }

    /// Whether `image` is there.
    pub(super) fn has(&self, image: ImageId) -> bool {
        self.held.iter().any(|held| held.image == image)
    }

    /// Asks for `image`, if nobody did.
    pub(super) fn ask_for(&mut self, image: ImageId) {
        let known = self.waiting.contains(&image) || self.pulls.iter().any(|p| p.image == image);
        if !known && !self.has(image) {
            self.waiting.push(image);
        }
    }

    /// Whether anything is being pulled.
    pub(super) fn is_pulling(&self) -> bool {
        !self.pulls.is_empty()
    }

    /// Brings pulls up to the registry's `clock`.
    pub(super) fn settle(&mut self, clock: u128) {
        let each = (clock - self.seen).checked_div(self.pulls.len() as u128).unwrap_or(0);
        for pull in &mut self.pulls {
            pull.left = pull.left.saturating_sub(each);
        }
        self.seen = clock;
    }

    /// Starts what may be pulled now: at most `parallel` at a time. Gives the bytes that this moves.
    pub(super) fn start(&mut self, catalog: &ImageCatalog, parallel: usize) -> u64 {
        let mut moved = 0;
        while self.pulls.len() < parallel && !self.waiting.is_empty() {
            let image = self.waiting.remove(0);
            let mut left = 0;
            for layer in catalog.layers(image) {
                if !self.layers.contains(layer) {
                    self.layers.push(*layer);
                    left += u128::from(catalog.layer_size(*layer).as_u64()) * 1000;
                }
            }
            moved += u64::try_from(left / 1000).unwrap_or(u64::MAX);
            self.pulls.push(Pull { image, left });
        }
        moved
    }

    /// Moves pulls that are through to the images that are there. Tells whether there were any.
    pub(super) fn complete(&mut self, now: SimTime) -> bool {
        let before = self.held.len();
        let held = &mut self.held;
        self.pulls.retain(|pull| {
            if pull.left == 0 {
                held.push(Held { image: pull.image, since: now, used_at: now });
            }
            pull.left > 0
        });
        self.held.len() > before
    }

    /// The registry's clock when the next pull is through.
    pub(super) fn next_end(&self) -> Option<u128> {
        let least = self.pulls.iter().map(|pull| pull.left).min()?;
        Some(self.seen + least * self.pulls.len() as u128)
    }

    /// The ids of the images that are there, ascending.
    pub(super) fn reported(&self) -> Vec<ImageId> {
        let mut images: Vec<ImageId> = self.held.iter().map(|held| held.image).collect();
        images.sort_unstable();
        images
    }

    /// Compressed size of all layers that are there or on their way.
    pub(super) fn size(&self, catalog: &ImageCatalog) -> Bytes {
        let sizes = self.layers.iter().map(|layer| catalog.layer_size(*layer));
        sizes.fold(Bytes::ZERO, Bytes::saturating_add)
    }

    /// Takes `image` away, with the layers that no other image of the node has.
    pub(super) fn remove(&mut self, catalog: &ImageCatalog, image: ImageId) {
        self.held.retain(|held| held.image != image);
        let others = self.held.iter().map(|held| held.image);
        let others: Vec<ImageId> = others.chain(self.pulls.iter().map(|p| p.image)).collect();
        let kept = |layer: &LayerId| others.iter().any(|o| catalog.layers(*o).contains(layer));
        self.layers.retain(kept);
    }
}
