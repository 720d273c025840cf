//! Cases of the real systems' decisions, put through the model.

pub mod cluster_autoscaler;
