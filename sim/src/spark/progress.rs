//! An application's stages and tasks on its executors, advancing alone.
//!
//! Tasks need no global events: between changes from outside, the application keeps a small heap of
//! running tasks and is advanced to the present when something from outside asks
//! ([`Progress::advance`]). What is outside cares only for few moments (the end, executors that
//! may go idle, an executor's death), and [`Progress::next_moment`] gives a time that is not after
//! the next of them. Waking too early costs an event; waking too late cannot happen.
//!
//! Tasks are launched in order of stage submission (FIFO), then of partition, on the slot that has
//! been free for longest.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::work::Work;
use crate::cluster::PodId;
use crate::units::{SimDuration, SimTime};

/// The state of an application's work.
#[derive(Debug)]
pub(crate) struct Progress {
    work: Work,
    stages: Vec<StageState>,
    /// Submitted stages with tasks to launch, in order of submission.
    open: VecDeque<u32>,
    /// Submitted stages that are not done.
    active: Vec<u32>,
    /// Tasks of submitted stages that wait for a slot.
    pending: u32,
    /// Stages whose parents are done: submitted at that time.
    submissions: BinaryHeap<Reverse<(SimTime, u32)>>,
    running: BinaryHeap<Reverse<Running>>,
    executors: Vec<Executor>,
    /// Free slots, by executor; the one that was free first comes first.
    free: VecDeque<u32>,
    stages_left: u32,
    started: bool,
    /// When the last stage ended.
    last_stage_at: SimTime,
    /// The task that kills its executor, until it has been met often enough.
    doom: Option<Doom>,
    /// Total time of tasks that are not launched, all stages.
    unlaunched: SimDuration,
    /// Tasks launched so far.
    pub(crate) tasks_launched: u64,
    /// Task time of completed tasks.
    pub(crate) task_time: SimDuration,
    /// Task time lost with executors.
    pub(crate) task_time_lost: SimDuration,
    /// Since when tasks wait for slots.
    backlog_since: Option<SimTime>,
    /// Up to when it was advanced.
    advanced_to: SimTime,
    /// Fewest tasks that waited or ran for any length of time since somebody asked.
    fewest_tasks: u32,
}

/// A task that needs more memory than its executor has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doom {
    /// Place of its stage.
    pub(crate) stage: u32,
    /// Its place in the stage.
    pub(crate) task: u32,
    /// Share of its duration after which the executor is killed.
    pub(crate) at: f64,
}

#[derive(Debug, Default)]
struct StageState {
    children: Vec<u32>,
    parents_left: u32,
    next: u32,
    requeued: Vec<u32>,
    left: u32,
    /// Time of its tasks that are not launched.
    waiting: SimDuration,
    /// Its longest task.
    longest: SimDuration,
    /// The latest end of a launched task. A task that is run again ends later than it would have.
    last_end: SimTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Running {
    end: SimTime,
    /// Order of launch, so that ties are settled the same way always.
    sequence: u64,
    executor: u32,
    stage: u32,
    task: u32,
    start: SimTime,
    fatal: bool,
}

/// An executor, as the application sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Executor {
    /// Its pod.
    pub(crate) pod: PodId,
    /// Slots.
    slots: u32,
    /// Tasks that it runs.
    pub(crate) running: u32,
    /// Since when it runs none.
    pub(crate) idle_since: SimTime,
    /// Time of tasks that completed on it.
    pub(crate) busy: SimDuration,
    /// It holds shuffle output.
    pub(crate) holds_shuffle: bool,
    /// It is there.
    pub(crate) alive: bool,
}

/// What [`Progress::advance`] met on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    /// Nothing that concerns anybody else.
    Nothing,
    /// This executor was killed for memory, now.
    OomKill(PodId),
}

impl Progress {
    /// Work that has not started. `doom` names the task that kills its executor, if there is one.
    pub(crate) fn new(work: Work, doom: Option<Doom>) -> Self {
        let mut stages: Vec<StageState> = work
            .stages
            .iter()
            .map(|stage| StageState {
                parents_left: stage.parents.len() as u32,
                left: stage.tasks.count(),
                waiting: stage.tasks.total(),
                longest: stage.tasks.longest(),
                ..StageState::default()
            })
            .collect();
        for (place, stage) in work.stages.iter().enumerate() {
            for parent in &stage.parents {
                stages[*parent as usize].children.push(place as u32);
            }
        }
        let unlaunched = stages.iter().fold(SimDuration::ZERO, |sum, stage| sum + stage.waiting);
        Self {
            stages_left: stages.len() as u32,
            work,
            stages,
            open: VecDeque::new(),
            active: Vec::new(),
            pending: 0,
            submissions: BinaryHeap::new(),
            running: BinaryHeap::new(),
            executors: Vec::new(),
            free: VecDeque::new(),
            started: false,
            last_stage_at: SimTime::ZERO,
            doom,
            unlaunched,
            tasks_launched: 0,
            task_time: SimDuration::ZERO,
            task_time_lost: SimDuration::ZERO,
            backlog_since: None,
            advanced_to: SimTime::ZERO,
            fewest_tasks: 0,
        }
    }

    /// The driver is ready to submit jobs.
    pub(crate) fn start(&mut self, now: SimTime) {
        self.started = true;
        self.last_stage_at = now;
        for (place, stage) in self.stages.iter().enumerate() {
            if stage.parents_left == 0 {
                let at = now + self.work.stages[place].driver_gap;
                self.submissions.push(Reverse((at, place as u32)));
            }
        }
    }

    /// Whether the driver has started.
    pub(crate) fn is_started(&self) -> bool {
        self.started
    }

    /// An executor has registered.
    pub(crate) fn add_executor(&mut self, now: SimTime, pod: PodId, slots: u32) {
        let place = self.executors.len() as u32;
        self.executors.push(Executor {
            pod,
            slots,
            running: 0,
            idle_since: now,
            busy: SimDuration::ZERO,
            holds_shuffle: false,
            alive: true,
        });
        for _ in 0..slots {
            self.free.push_back(place);
        }
        self.launch(now);
    }

    /// An executor is gone: its running tasks are to be run again. Gives the time of the tasks that
    /// completed on it, and the time that was lost with it.
    pub(crate) fn remove_executor(
        &mut self,
        now: SimTime,
        pod: PodId,
    ) -> (SimDuration, SimDuration) {
        let Some(place) = self.executors.iter().position(|e| e.alive && e.pod == pod) else {
            return (SimDuration::ZERO, SimDuration::ZERO);
        };
        let executor = &mut self.executors[place];
        executor.alive = false;
        let busy = executor.busy;
        self.free.retain(|free| *free != place as u32);
        let mut lost = SimDuration::ZERO;
        if self.executors[place].running > 0 {
            let (gone, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
                .into_vec()
                .into_iter()
                .partition(|Reverse(task)| task.executor == place as u32);
            self.running = stay.into();
            // In order of launch, so that the order of the heap's array does not show.
            let mut gone: Vec<Running> = gone.into_iter().map(|Reverse(task)| task).collect();
            gone.sort_unstable_by_key(|task| task.sequence);
            for task in gone {
                lost += now.since(task.start);
                self.requeue(task);
            }
        }
        self.task_time_lost += lost;
        self.launch(now);
        (busy, lost)
    }

    /// Executors that are there.
    pub(crate) fn executors(&self) -> impl Iterator<Item = &Executor> {
        self.executors.iter().filter(|executor| executor.alive)
    }

    /// Tasks that run.
    pub(crate) fn tasks_running(&self) -> u32 {
        self.running.len() as u32
    }

    /// Tasks of submitted stages that wait for a slot.
    pub(crate) fn tasks_pending(&self) -> u32 {
        self.pending
    }

    /// Fewest tasks that waited or ran since this was last asked. Targets of dynamic allocation
    /// fall with them at once, so nobody has to look at every end of a task.
    pub(crate) fn take_fewest_tasks(&mut self) -> u32 {
        let now = self.tasks_pending() + self.tasks_running();
        std::mem::replace(&mut self.fewest_tasks, now).min(now)
    }

    /// Since when tasks wait for slots; `None` if none do.
    pub(crate) fn backlog_since(&self) -> Option<SimTime> {
        self.backlog_since
    }

    /// When the driver is done, once all stages are.
    pub(crate) fn finishes_at(&self) -> Option<SimTime> {
        let done = self.started && self.stages_left == 0;
        done.then(|| self.last_stage_at + self.work.tail)
    }

    /// Brings everything up to `now`. Stops at an OOM kill, which happens at `now` because nobody
    /// sleeps past one.
    pub(crate) fn advance(&mut self, now: SimTime) -> Met {
        loop {
            let ends = self.running.peek().map(|Reverse(task)| task.end);
            let submits = self.submissions.peek().map(|Reverse((at, _))| *at);
            let ends_first = match (ends, submits) {
                (Some(end), Some(submit)) => end <= submit,
                (Some(_), None) => true,
                _ => false,
            };
            let next = if ends_first { ends } else { submits };
            self.pass_time(next.unwrap_or(now).min(now));
            let Some(at) = next.filter(|at| *at <= now) else { break };
            if ends_first {
                let Some(Reverse(task)) = self.running.pop() else {
                    break;
                };
                if task.fatal {
                    // Back in, so that the removal of its executor finds it.
                    self.running.push(Reverse(task));
                    return Met::OomKill(self.executors[task.executor as usize].pod);
                }
                self.complete(task);
            } else if let Some(Reverse((_, stage))) = self.submissions.pop() {
                self.submit(stage, at);
            }
            self.launch(at);
        }
        Met::Nothing
    }

    /// The task that killed executors was tried too often, or is not fatal any more.
    pub(crate) fn lift_doom(&mut self) {
        self.doom = None;
    }

    /// What holds now holds until `to`: states that last no time are not seen by anybody.
    fn pass_time(&mut self, to: SimTime) {
        if to > self.advanced_to {
            self.advanced_to = to;
            let tasks = self.tasks_pending() + self.tasks_running();
            self.fewest_tasks = self.fewest_tasks.min(tasks);
        }
    }

    fn complete(&mut self, task: Running) {
        let executor = &mut self.executors[task.executor as usize];
        let time = task.end.since(task.start);
        executor.running -= 1;
        executor.busy += time;
        executor.idle_since = task.end;
        self.task_time += time;
        self.free.push_back(task.executor);
        let stage = &mut self.stages[task.stage as usize];
        executor.holds_shuffle |= !stage.children.is_empty();
        stage.left -= 1;
        if stage.left == 0 {
            self.stage_done(task.stage, task.end);
        }
    }

    fn stage_done(&mut self, place: u32, at: SimTime) {
        self.active.retain(|active| *active != place);
        self.stages_left -= 1;
        self.last_stage_at = self.last_stage_at.max(at);
        for index in 0..self.stages[place as usize].children.len() {
            let child = self.stages[place as usize].children[index];
            let state = &mut self.stages[child as usize];
            state.parents_left -= 1;
            if state.parents_left == 0 {
                let gap = self.work.stages[child as usize].driver_gap;
                self.submissions.push(Reverse((at + gap, child)));
            }
        }
    }

    fn submit(&mut self, place: u32, at: SimTime) {
        let state = &mut self.stages[place as usize];
        if state.left == 0 {
            self.stage_done(place, at);
        } else {
            self.pending += state.left;
            self.open.push_back(place);
            self.active.push(place);
        }
    }

    fn requeue(&mut self, task: Running) {
        let state = &mut self.stages[task.stage as usize];
        let duration = self.work.stages[task.stage as usize].tasks.get(task.task);
        self.unlaunched += duration;
        state.waiting += duration;
        state.requeued.push(task.task);
        self.pending += 1;
        if !self.open.contains(&task.stage) {
            // An earlier stage's task comes before those of later ones.
            let place = self.open.iter().position(|open| *open > task.stage);
            self.open.insert(place.unwrap_or(self.open.len()), task.stage);
        }
    }

    /// Gives waiting tasks to free slots.
    fn launch(&mut self, at: SimTime) {
        while let Some(stage) = self.open.front().copied() {
            let Some(slot) = self.free.pop_front() else {
                self.backlog_since.get_or_insert(at);
                return;
            };
            let tasks = &self.work.stages[stage as usize].tasks;
            let state = &mut self.stages[stage as usize];
            let task = state.requeued.pop().unwrap_or_else(|| {
                state.next += 1;
                state.next - 1
            });
            if state.next == tasks.count() && state.requeued.is_empty() {
                self.open.pop_front();
            }
            let duration = tasks.get(task);
            self.pending -= 1;
            self.unlaunched = self.unlaunched.saturating_sub(duration);
            state.waiting = state.waiting.saturating_sub(duration);
            let fatal = self.doom.filter(|doom| (doom.stage, doom.task) == (stage, task));
            let runs_for = fatal.map_or(duration, |doom| duration.scale_round(doom.at));
            state.last_end = state.last_end.max(at + runs_for);
            self.executors[slot as usize].running += 1;
            self.running.push(Reverse(Running {
                end: at + runs_for,
                sequence: self.tasks_launched,
                executor: slot,
                stage,
                task,
                start: at,
                fatal: fatal.is_some(),
            }));
            self.tasks_launched += 1;
        }
        self.backlog_since = None;
    }

    /// A time not after the next moment that anybody else cares for; `None` while only something
    /// from outside can move the application on.
    ///
    /// With fixed executors that is the end. Until then slots x time must cover the work that is
    /// left, and every running task must end, so the greater of the two is a safe bound. With
    /// `dynamic` allocation, also submissions of stages, ends of stages (which may submit others),
    /// and the moment at which no task waits any more (executors start to go idle); while tasks
    /// wait, all slots are busy, so that moment comes not before slots x time covers all waiting
    /// and running work but one longest task per slot.
    ///
    /// `every_task` gives each end of a task and each submission instead: the reference that the
    /// bounds are tested against.
    pub(crate) fn next_moment(
        &self,
        now: SimTime,
        dynamic: bool,
        every_task: bool,
    ) -> Option<SimTime> {
        if let Some(end) = self.finishes_at() {
            return Some(end.max(now));
        }
        let ends = self.running.peek().map(|Reverse(task)| task.end);
        let submits = self.submissions.peek().map(|Reverse((at, _))| *at);
        let local = ends.into_iter().chain(submits).min()?;
        if self.doom.is_some() || every_task {
            return Some(local);
        }
        let slots: u64 = self.executors().map(|executor| u64::from(executor.slots)).sum();
        if slots == 0 {
            return submits;
        }
        let running = self
            .running
            .iter()
            .fold(SimDuration::ZERO, |sum, Reverse(task)| sum + task.end.since(now));
        let last_end = self.running.iter().map(|Reverse(task)| task.end).max();
        if !dynamic {
            let work = running + self.unlaunched;
            let by_work = now + SimDuration::from_millis(work.as_millis() / slots);
            let bound = by_work.max(last_end.unwrap_or(now));
            return Some(if bound > now { bound.max(local) } else { local });
        }
        let stages = self.next_stage_end().into_iter().chain(submits).min();
        if self.open.is_empty() {
            return stages;
        }
        let (waiting, longest) = self.waiting_work();
        let slack = SimDuration::from_millis(longest.as_millis().saturating_mul(slots));
        let work = (running + waiting).saturating_sub(slack);
        let bound = now + SimDuration::from_millis(work.as_millis() / slots);
        Some(bound.max(local)).into_iter().chain(stages).min()
    }

    /// When the first running task ends: no executor goes idle before.
    pub(crate) fn next_task_end(&self) -> Option<SimTime> {
        self.running.peek().map(|Reverse(task)| task.end)
    }

    /// The earliest end of a stage of which no task waits.
    fn next_stage_end(&self) -> Option<SimTime> {
        let launched = self.active.iter().filter(|stage| !self.open.contains(stage));
        launched.map(|stage| self.stages[*stage as usize].last_end).min()
    }

    /// Time of the tasks that wait, and the longest task of any stage (a bound on what waits or
    /// runs).
    fn waiting_work(&self) -> (SimDuration, SimDuration) {
        let open = self.open.iter().map(|stage| self.stages[*stage as usize].waiting);
        let longest = self.stages.iter().map(|stage| stage.longest).max();
        (open.fold(SimDuration::ZERO, |sum, time| sum + time), longest.unwrap_or_default())
    }
}
