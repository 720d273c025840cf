//! What a ladder has raised for an attempt, over what its run asked for.

use crate::scenario::{Adjustment, Rung};
use crate::units::Bytes;

/// Factors are 0 (untouched), 1 or greater.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Raises {
    /// Factor on the executor's heap.
    pub(crate) executor_memory: f64,
    /// Most that the factor may lead to.
    pub(crate) executor_memory_max: Bytes,
    /// Factor on the driver's heap.
    pub(crate) driver_memory: f64,
    /// Most that the factor may lead to.
    pub(crate) driver_memory_max: Bytes,
    /// Factor on the number of executors.
    pub(crate) executor_count: f64,
    /// Most that the factor may lead to.
    pub(crate) executor_count_max: u32,
    /// Factor on `spark.task.cpus`; 0 = untouched.
    pub(crate) task_cpus: u32,
    /// Executors run on on-demand nodes.
    pub(crate) on_demand: bool,
}

impl Raises {
    /// Applies what a rung answers to the failure of attempt `number`: adjustments on top of what
    /// there is, steps instead of it.
    pub(super) fn climb(&mut self, rung: &Rung, number: u32) {
        for adjustment in &rung.adjust {
            self.apply(adjustment);
        }
        let last = rung.steps.len().checked_sub(1);
        if let Some(last) = last {
            let step = last.min(number.saturating_sub(1) as usize);
            let on_demand = self.on_demand;
            *self = Self { on_demand, ..Self::default() };
            for adjustment in &rung.steps[step] {
                self.apply(adjustment);
            }
        }
    }

    /// Applies one adjustment on top of what there is.
    pub(super) fn apply(&mut self, adjustment: &Adjustment) {
        match adjustment {
            Adjustment::ExecutorMemory { factor, max } => {
                self.executor_memory = self.executor_memory.max(1.0) * factor;
                self.executor_memory_max = *max;
            }
            Adjustment::DriverMemory { factor, max } => {
                self.driver_memory = self.driver_memory.max(1.0) * factor;
                self.driver_memory_max = *max;
            }
            Adjustment::ExecutorCount { factor, max } => {
                self.executor_count = self.executor_count.max(1.0) * factor;
                self.executor_count_max = *max;
            }
            Adjustment::TaskCpus { factor } => {
                self.task_cpus = self.task_cpus.max(1).saturating_mul(*factor);
            }
            Adjustment::OnDemand => self.on_demand = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;
    use crate::workload::Failure;

    fn rung(adjust: Vec<Adjustment>, steps: Vec<Vec<Adjustment>>) -> Rung {
        Rung {
            when: vec![Failure::ExecutorOom],
            adjust,
            steps,
            attempts_max: 9,
            backoff: SimDuration::ZERO,
            backoff_factor: 1.0,
            backoff_step: SimDuration::ZERO,
            backoff_max: SimDuration::MAX,
        }
    }

    fn memory(factor: f64) -> Adjustment {
        Adjustment::ExecutorMemory { factor, max: Bytes::gib(64) }
    }

    #[test]
    fn adjustments_compound_and_steps_do_not() {
        let mut raises = Raises::default();
        let double = rung(vec![memory(2.0), Adjustment::OnDemand], Vec::new());
        (1..=2).for_each(|number| raises.climb(&double, number));
        assert_eq!((raises.executor_memory, raises.on_demand), (4.0, true));

        let steps =
            vec![vec![Adjustment::TaskCpus { factor: 2 }], vec![memory(2.0)], vec![memory(3.0)]];
        let ladder = rung(Vec::new(), steps);
        let at = |number: u32| {
            let mut raises = raises;
            raises.climb(&ladder, number);
            (raises.task_cpus, raises.executor_memory, raises.on_demand)
        };
        assert_eq!(
            [at(1), at(2), at(3), at(4)],
            [(2, 0.0, true), (0, 2.0, true), (0, 3.0, true), (0, 3.0, true)]
        );
    }
}
