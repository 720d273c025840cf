//! Autoscalers: what adds and removes nodes. Cluster Autoscaler so far.

pub(crate) mod cluster_autoscaler;

pub(crate) use cluster_autoscaler::ClusterAutoscalerState;
