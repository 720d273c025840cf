//! Why an attempt ended without success.

use serde::Serialize;

/// What ended an attempt, as one closed list. Names are those of `summary.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Executors died of memory (exit 137, or 52 in the JVM) until the application gave up.
    ExecutorOom,
    /// The driver's container was killed for memory (exit 137).
    DriverOom,
    /// The orchestrator's timeout passed.
    Timeout,
    /// The driver's node was reclaimed, or it died with its node.
    Spot,
    /// A bug in the application or in its data: it fails again when it is tried again.
    Application,
    /// A dependency failed for a moment (a 5xx answer, a throttled store): a retry may succeed.
    Transient,
    /// A pod could not be placed for as long as the platform waits.
    Unschedulable,
    /// A pod of higher priority took the driver's room.
    Preempted,
    /// The driver was evicted, because the autoscaler removed its node.
    Drained,
    /// The driver's pod or its node went for another reason.
    DriverLost,
    /// An image of the driver could not be pulled.
    ImagePull,
}

impl Failure {
    /// Every cause, in the order of `summary.json`.
    pub const ALL: [Self; 11] = [
        Self::ExecutorOom,
        Self::DriverOom,
        Self::Timeout,
        Self::Spot,
        Self::Application,
        Self::Transient,
        Self::Unschedulable,
        Self::Preempted,
        Self::Drained,
        Self::DriverLost,
        Self::ImagePull,
    ];

    /// The name in traces and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExecutorOom => "executor_oom",
            Self::DriverOom => "driver_oom",
            Self::Timeout => "timeout",
            Self::Spot => "spot",
            Self::Application => "application",
            Self::Transient => "transient",
            Self::Unschedulable => "unschedulable",
            Self::Preempted => "preempted",
            Self::Drained => "drained",
            Self::DriverLost => "driver_lost",
            Self::ImagePull => "image_pull",
        }
    }

    /// The cause of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.name() == name)
    }

    /// The exit code of the driver's container that goes with it, where there is one.
    pub const fn exit_code(self) -> Option<i32> {
        match self {
            Self::DriverOom => Some(137),
            Self::ExecutorOom | Self::Application | Self::Transient => Some(1),
            Self::Timeout | Self::Spot | Self::Preempted | Self::Drained | Self::DriverLost => {
                Some(143)
            }
            Self::Unschedulable | Self::ImagePull => None,
        }
    }
}

/// A count per cause.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct FailureCounts([u64; Failure::ALL.len()]);

impl FailureCounts {
    /// Counts one more of `failure`.
    pub fn add(&mut self, failure: Failure) {
        self.0[failure as usize] += 1;
    }

    /// How many of `failure`.
    pub fn get(&self, failure: Failure) -> u64 {
        self.0[failure as usize]
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}
