//! Where each event goes: one line per variant.

use super::event::{
    Event, ImageEvent, PodEvent, ProvisionerEvent, SchedulerEvent, SparkEvent, SpotEvent,
};
use super::timeline;
use super::world::{Cx, World};
use crate::images::garbage_collection;
use crate::spark::{allocation, application};
use crate::spot::{interruption, rebalance};
use crate::{autoscaler, images, lifecycle, orchestrator, provisioner, scheduler};

/// Hands `event` to its handler.
pub(crate) fn route(event: Event, world: &mut World, cx: &mut Cx<'_>) {
    match event {
        Event::Pod(PodEvent::ProcessReady(pod)) => lifecycle::on_process_ready(world, cx, pod),
        Event::Pod(PodEvent::TracePodEnded(pod)) => lifecycle::on_trace_pod_ended(world, cx, pod),
        Event::Pod(PodEvent::Terminated(pod)) => lifecycle::on_terminated(world, cx, pod),
        Event::Image(ImageEvent::Pulled(number)) => images::on_pulled(world, cx, number),
        Event::Image(ImageEvent::GarbageCollection(node)) => {
            garbage_collection::on_garbage_collection(world, cx, node);
        }
        Event::Provisioner(ProvisionerEvent::NodeReady(node)) => {
            provisioner::on_node_ready(world, cx, node);
        }
        Event::Provisioner(ProvisionerEvent::LaunchTimedOut(node)) => {
            provisioner::on_launch_timed_out(world, cx, node);
        }
        Event::Provisioner(ProvisionerEvent::NodeDeleted(node)) => {
            provisioner::on_node_deleted(world, cx, node);
        }
        Event::Provisioner(ProvisionerEvent::LaunchFailed(pool)) => {
            provisioner::on_launch_failed(world, cx, pool);
        }
        Event::Spot(SpotEvent::WeatherTurned(process)) => {
            interruption::on_weather_turned(world, cx, process);
        }
        Event::Spot(SpotEvent::Recommended(process, turns)) => {
            rebalance::on_recommended(world, cx, process, turns);
        }
        Event::Spot(SpotEvent::Replaced(node)) => rebalance::on_replaced(world, cx, node),
        Event::Spot(SpotEvent::Drained(node)) => rebalance::on_drained(world, cx, node),
        Event::Spot(SpotEvent::InstanceReclaimed(node)) => {
            interruption::on_instance_reclaimed(world, cx, node);
        }
        Event::Spark(SparkEvent::RetrySubmitted(run)) => {
            application::on_run_submitted(world, cx, run);
        }
        Event::Spark(SparkEvent::RunReady(run)) => orchestrator::on_run_ready(world, cx, run),
        Event::Spark(SparkEvent::OwnerHasRoom(team)) => {
            orchestrator::on_owner_has_room(world, cx, team);
        }
        Event::Spark(SparkEvent::AllocationRound(attempt)) => {
            allocation::on_allocation_round(world, cx, attempt);
        }
        Event::Spark(SparkEvent::RegistrationWaitOver(attempt)) => {
            application::on_registration_wait_over(world, cx, attempt);
        }
        Event::Spark(SparkEvent::Progress(attempt, prediction)) => {
            application::on_progress(world, cx, attempt, prediction);
        }
        Event::Spark(SparkEvent::TimedOut(attempt)) => {
            application::on_timed_out(world, cx, attempt);
        }
        Event::Spark(SparkEvent::PatienceOver(attempt)) => {
            application::on_patience_over(world, cx, attempt);
        }
        Event::Scheduler(SchedulerEvent::Cycle) => scheduler::on_cycle(world, cx),
        Event::Scheduler(SchedulerEvent::BackoffOver(pod)) => {
            scheduler::on_backoff_over(world, cx, pod);
        }
        Event::Autoscaler(event) => autoscaler::on_event(world, cx, event),
        Event::Sample => timeline::on_sample(world, cx),
    }
}
