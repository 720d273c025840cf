//! Karpenter's `NodePool` and `EC2NodeClass` (v1): node pools written as they would be under it.

pub mod write;
