//! Nodes by class: those that no plugin can tell apart are asked about once.
//!
//! A class is what filters and scores read of a node: its kind, state, requests and images. Nodes
//! move between classes as pods come and go. The index follows late: [`NodeClasses::touch`] notes
//! that a node changed, and [`NodeClasses::sync`] moves the noted ones when somebody wants to look.
//! It keeps the classes in the order of the scheduler's list of nodes, so that a search is a walk
//! over numbers. A class that no node is in any more is kept for a while: what was found out about
//! it (see `verdicts`) holds when a node comes back to it.
//!
//! A node with a nominated pod is a class of its own: what it has left depends on who asks.
//! Leaves out: ports, volumes, pods by label. Pods to which these matter look at every node
//! (`Cycle::tells_nodes_apart`).

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;

use super::node_tree::{Member, NodeTree};
use crate::cluster::{ImageId, Node, NodeId, NodeKindId, NodeState, NonZeroRequests};
use crate::cluster::{Resources, Slab};

/// No class; no serial, of a place without a registered node.
const NONE: u32 = u32::MAX;

/// So many classes without a node are kept.
const EMPTY_CLASSES: usize = 256;

/// So many numbers of a series are remembered.
const LATEST: usize = 1024;

/// What nodes of a class have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ClassKey {
    requested: Resources,
    nonzero_requested: NonZeroRequests,
    kind: NodeKindId,
    state: NodeState,
    /// Place of the images that it reports among all such sets.
    images: u32,
    /// Serial of a node that is to be alone, plus one.
    alone: u32,
}

/// Nodes that are the same to every plugin.
#[derive(Debug)]
struct Class {
    key: ClassKey,
    /// They, in no particular order.
    members: Vec<NodeId>,
    /// Its place in the list of those that have nodes, while it has any.
    in_use_at: u32,
    /// It is in the list of those that were seen without a node.
    listed_empty: bool,
}

/// What the index knows of a node, by the node's place in its arena.
#[derive(Debug, Clone, Copy)]
struct Entry {
    class: u32,
    serial: u32,
    images: u32,
    nominations: u32,
    /// Place among the nodes of its class.
    member_at: u32,
    stale: bool,
}

impl Entry {
    const EMPTY: Self =
        Self { class: NONE, serial: NONE, images: 0, nominations: 0, member_at: 0, stale: false };
}

/// Registered nodes by class.
#[derive(Debug, Default)]
pub(crate) struct NodeClasses {
    /// Only looked up: its order is nobody's.
    ids: FxHashMap<ClassKey, u32>,
    classes: Vec<Class>,
    /// Those that have nodes, in no particular order.
    in_use: Vec<u32>,
    /// Numbers that were given to classes.
    made: Latest,
    /// Classes that had no node when they were noted, the first noted first.
    empty: VecDeque<u32>,
    entries: Vec<Entry>,
    /// The place of each in the scheduler's list of nodes; apart, because it is looked up often.
    indices: Vec<u32>,
    stale: Vec<NodeId>,
    /// Counts changes of nodes and of what is on them.
    changes: u64,
    image_sets: BTreeMap<Vec<ImageId>, u32>,
    /// The scheduler's list of nodes, and the class of each.
    order: (Vec<NodeId>, Vec<u32>),
    /// The nodes in it are not those that are registered.
    order_is_stale: bool,
    /// How often it was written anew.
    orders: u64,
    /// Places in it of nodes that came to another class.
    moved: Latest,
}

/// The latest of a series of numbers, and how many there were in all.
#[derive(Debug, Default)]
pub(super) struct Latest {
    list: VecDeque<u32>,
    count: u64,
}

impl Latest {
    fn push(&mut self, number: u32) {
        if self.list.len() == LATEST {
            self.list.pop_front();
        }
        self.list.push_back(number);
        self.count += 1;
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Those after the first `count`; `None` if they are not known any more.
    pub(super) fn since(&self, count: u64) -> Option<impl Iterator<Item = u32>> {
        let known = self.list.len().checked_sub(usize::try_from(self.count - count).ok()?)?;
        Some(self.list.range(known..).copied())
    }
}

impl NodeClasses {
    /// A node has registered.
    pub(crate) fn add(&mut self, member: Member, images: &[ImageId]) {
        let place = member.node.place();
        if self.entries.len() <= place {
            self.entries.resize(place + 1, Entry::EMPTY);
            self.indices.resize(place + 1, 0);
        }
        let images = self.image_set(images);
        self.entries[place] = Entry { serial: member.serial, images, ..Entry::EMPTY };
        self.order_is_stale = true;
        self.touch(member.node);
    }

    /// A registered node is gone; gives its serial.
    pub(crate) fn remove(&mut self, node: NodeId) -> u32 {
        let entry = std::mem::replace(&mut self.entries[node.place()], Entry::EMPTY);
        self.changes += 1;
        self.order_is_stale = true;
        if entry.class != NONE {
            self.leave(entry.class, entry.member_at);
        }
        entry.serial
    }

    /// Something about the node changed that a class has in common.
    pub(crate) fn touch(&mut self, node: NodeId) {
        self.changes += 1;
        match self.entries.get_mut(node.place()) {
            Some(entry) if entry.serial != NONE && !entry.stale => {
                entry.stale = true;
                self.stale.push(node);
            }
            _ => {}
        }
    }

    /// The node reports other images.
    pub(crate) fn set_images(&mut self, node: NodeId, images: &[ImageId]) {
        self.entries[node.place()].images = self.image_set(images);
        self.touch(node);
    }

    /// A pod is nominated for the node (`+1`), or is no longer (`-1`).
    pub(crate) fn nominate(&mut self, node: NodeId, change: i32) {
        let entry = &mut self.entries[node.place()];
        entry.nominations =
            entry.nominations.checked_add_signed(change).expect("a nomination is taken back once");
        self.touch(node);
    }

    /// How many changes there were: as long as it stays, so does what the scheduler finds.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Brings the index up to date.
    pub(super) fn sync(&mut self, nodes: &Slab<Node>, tree: &NodeTree) {
        while let Some(id) = self.stale.pop() {
            // A node that is gone may have been noted before.
            if let Some(node) = nodes.get(id) {
                self.update(id, node);
            }
        }
        if self.order_is_stale {
            self.order_is_stale = false;
            self.orders += 1;
            let (list, classes) = &mut self.order;
            list.clear();
            classes.clear();
            for node in tree.rotation(0) {
                self.indices[node.place()] = list.len() as u32;
                list.push(node);
                classes.push(self.entries[node.place()].class);
            }
        }
    }

    /// The class of every node, in the order of the scheduler's list.
    pub(super) fn in_order(&self) -> &[u32] {
        &self.order.1
    }

    /// The node at a place of that list.
    pub(super) fn node_at(&self, index: usize) -> NodeId {
        self.order.0[index]
    }

    /// Places, in the scheduler's list, of the nodes of a class, in no particular order.
    pub(super) fn places_of(&self, class: u32) -> impl Iterator<Item = usize> {
        let members = self.classes[class as usize].members.iter();
        members.map(|member| self.indices[member.place()] as usize)
    }

    /// The nodes of a class, in no particular order.
    pub(super) fn nodes_of(&self, class: u32) -> &[NodeId] {
        &self.classes[class as usize].members
    }

    /// Classes are numbered below this.
    pub(super) fn slots(&self) -> usize {
        self.classes.len()
    }

    /// Classes of which there are nodes, in no particular order.
    pub(super) fn in_use(&self) -> &[u32] {
        &self.in_use
    }

    /// Numbers that were given to classes so far, the same number again and again.
    pub(super) fn made(&self) -> &Latest {
        &self.made
    }

    /// How often the list was written anew.
    pub(super) fn orders(&self) -> u64 {
        self.orders
    }

    /// Places in the list whose class changed.
    pub(super) fn moved(&self) -> &Latest {
        &self.moved
    }

    /// Puts the node where it belongs now.
    fn update(&mut self, id: NodeId, node: &Node) {
        let entry = &mut self.entries[id.place()];
        entry.stale = false;
        let key = ClassKey {
            requested: node.requested,
            nonzero_requested: node.nonzero_requested,
            kind: node.kind,
            state: node.state,
            images: entry.images,
            alone: if entry.nominations > 0 { entry.serial + 1 } else { 0 },
        };
        let (old, member_at) = (entry.class, entry.member_at);
        if old != NONE {
            if self.classes[old as usize].key == key {
                return;
            }
            self.leave(old, member_at);
        }
        let class = self.ids.get(&key).copied().unwrap_or_else(|| self.new_class(key));
        self.join(class, id);
        self.entries[id.place()].class = class;
        if !self.order_is_stale {
            let index = self.indices[id.place()];
            self.order.1[index as usize] = class;
            self.moved.push(index);
        }
    }

    fn new_class(&mut self, key: ClassKey) -> u32 {
        let class = Class { key, members: Vec::new(), in_use_at: 0, listed_empty: false };
        let id = if let Some(id) = self.reusable() {
            let before = std::mem::replace(&mut self.classes[id as usize], class);
            self.ids.remove(&before.key);
            id
        } else {
            self.classes.push(class);
            self.classes.len() as u32 - 1
        };
        self.ids.insert(key, id);
        self.made.push(id);
        id
    }

    /// The number of a class that is not worth keeping any longer.
    fn reusable(&mut self) -> Option<u32> {
        while self.empty.len() > EMPTY_CLASSES {
            let id = self.empty.pop_front()?;
            let class = &mut self.classes[id as usize];
            class.listed_empty = false;
            if class.members.is_empty() {
                return Some(id);
            }
        }
        None
    }

    fn join(&mut self, id: u32, node: NodeId) {
        let class = &mut self.classes[id as usize];
        if class.members.is_empty() {
            class.in_use_at = self.in_use.len() as u32;
            self.in_use.push(id);
        }
        self.entries[node.place()].member_at = class.members.len() as u32;
        class.members.push(node);
    }

    /// The node at that place among those of the class leaves it.
    fn leave(&mut self, id: u32, member_at: u32) {
        let class = &mut self.classes[id as usize];
        class.members.swap_remove(member_at as usize);
        if let Some(moved) = class.members.get(member_at as usize) {
            self.entries[moved.place()].member_at = member_at;
        }
        if !class.members.is_empty() {
            return;
        }
        let in_use_at = class.in_use_at;
        if !class.listed_empty {
            class.listed_empty = true;
            self.empty.push_back(id);
        }
        self.in_use.swap_remove(in_use_at as usize);
        if let Some(moved) = self.in_use.get(in_use_at as usize) {
            self.classes[*moved as usize].in_use_at = in_use_at;
        }
    }

    /// Equal sets of images have the same number; 0 is no image.
    fn image_set(&mut self, images: &[ImageId]) -> u32 {
        if images.is_empty() {
            return 0;
        }
        if let Some(known) = self.image_sets.get(images) {
            return *known;
        }
        let number = self.image_sets.len() as u32 + 1;
        self.image_sets.insert(images.to_vec(), number);
        number
    }
}
