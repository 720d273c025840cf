//! What files are judged against: releases of Kubernetes, Spark and Karpenter.
//!
//! What is asked for counts; else what the files say; else the newest Kubernetes that is modelled,
//! Spark 3.5 and Karpenter 1.6.

use std::fmt;
use std::str::FromStr;

use sim::scenario::{KubernetesVersion, SparkVersion};

/// A release by its first two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// Before the first dot.
    pub major: u32,
    /// After it.
    pub minor: u32,
}

/// Releases, each where it is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// Kubernetes, and Cluster Autoscaler with it.
    pub kubernetes: Option<Said>,
    /// Spark; an application that names its own release is judged against that where nothing is
    /// asked for.
    pub spark: Option<Said>,
    /// Karpenter.
    pub karpenter: Option<Said>,
}

/// A release and who says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The release.
    pub release: Release,
    /// A file, or an option.
    pub by: String,
}

impl Release {
    pub(super) const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    pub(super) const fn kubernetes(self) -> KubernetesVersion {
        KubernetesVersion { major: self.major, minor: self.minor }
    }

    pub(super) const fn spark(self) -> SparkVersion {
        SparkVersion { major: self.major, minor: self.minor }
    }
}

impl From<KubernetesVersion> for Release {
    fn from(version: KubernetesVersion) -> Self {
        Self::new(version.major, version.minor)
    }
}

impl From<SparkVersion> for Release {
    fn from(version: SparkVersion) -> Self {
        Self::new(version.major, version.minor)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Release {
    type Err = String;

    /// `1.33`, `v1.33.4`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.strip_prefix('v').unwrap_or(text).split('.').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Self { major, minor }),
            _ => Err("a release by its first two numbers, such as 1.33".to_owned()),
        }
    }
}

impl Targets {
    /// `found` where nothing is said yet.
    pub(super) fn say(slot: &mut Option<Said>, release: Release, by: &str) {
        slot.get_or_insert_with(|| Said { release, by: by.to_owned() });
    }

    /// What is said, or the default.
    pub(super) fn kubernetes(&self) -> Release {
        self.kubernetes.as_ref().map_or(KubernetesVersion::NEWEST.into(), |said| said.release)
    }

    pub(super) fn spark(&self) -> Release {
        self.spark.as_ref().map_or(SparkVersion::default().into(), |said| said.release)
    }

    pub(super) fn karpenter(&self) -> Release {
        self.karpenter.as_ref().map_or(Release::new(1, 6), |said| said.release)
    }

    /// The same with the defaults filled in.
    pub(super) fn with_defaults(mut self) -> Self {
        let by = "the default: no file says";
        let [kubernetes, spark, karpenter] = [self.kubernetes(), self.spark(), self.karpenter()];
        Self::say(&mut self.kubernetes, kubernetes, by);
        Self::say(&mut self.spark, spark, by);
        Self::say(&mut self.karpenter, karpenter, by);
        self
    }
}
