//! Container images: what is pulled, and how the kubelet and the registry go about it.

use crate::units::{Bytes, SimDuration};

/// Container images of a scenario.
///
/// The simple form has no list: all Spark containers then use one image of one layer, and images
/// of other containers take no time.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// Compressed size of a Spark image that is not in the list.
    /// Source: facts-cloud section 4, "typical Spark image 3-5 GB compressed".
    pub size: Bytes,
    /// A pre-puller DaemonSet pulls the images that Spark's containers use without being in the
    /// list as soon as a node joins, before any pod asks.
    pub pre_pulled: bool,
    /// Images by name, with their layers.
    pub list: Vec<Image>,
    /// Kubelet `maxParallelImagePulls`; 1 is `serializeImagePulls: true`, the default.
    /// Source: facts-kubernetes 1.5.
    pub max_parallel_pulls: u32,
    /// What the registry gives to all nodes together, bytes a second; `None` is no limit.
    pub registry_bytes_per_s: Option<Bytes>,
    /// Kubelet `imageGCHighThresholdPercent`. Source: facts-kubernetes 1.5.
    pub gc_high_percent: u8,
    /// Kubelet `imageGCLowThresholdPercent`. Source: facts-kubernetes 1.5.
    pub gc_low_percent: u8,
    /// Kubelet `imageMinimumGCAge`. Source: k8s.io/kubernetes
    /// `pkg/kubelet/apis/config/v1beta1/defaults.go` (2 minutes).
    pub gc_minimum_age: SimDuration,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// As containers name it; without a tag it is `:latest`.
    pub name: String,
    /// Its layers. Layers of the same name are the same, in whichever image.
    pub layers: Vec<ImageLayer>,
    /// A pre-puller pulls it as soon as a node joins.
    pub pre_pulled: bool,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageLayer {
    /// Its name (a digest, or any word).
    pub name: String,
    /// Compressed size.
    pub size: Bytes,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            size: Bytes::gib(3),
            pre_pulled: false,
            list: Vec::new(),
            max_parallel_pulls: 1,
            registry_bytes_per_s: None,
            gc_high_percent: 85,
            gc_low_percent: 80,
            gc_minimum_age: SimDuration::minutes(2),
        }
    }
}

impl Image {
    /// Compressed size of all layers.
    pub fn size(&self) -> Bytes {
        self.layers.iter().fold(Bytes::ZERO, |sum, layer| sum.saturating_add(layer.size))
    }
}
