//! Nodes by class: those that no plugin can tell apart are looked at once.
//!
//! A class is what filters and scores read of a node: its kind, state, requests and images. Nodes
//! move between classes as pods come and go. The index follows late: [`NodeClasses::touch`] notes
//! that a node changed, and [`NodeClasses::sync`] moves the noted ones when somebody wants to look,
//! so that a cluster which is never looked at by class pays a branch for it.
//!
//! A node with a nominated pod is a class of its own: what it has left depends on who asks.
//! Leaves out: ports, volumes, pods by label. Pods to which these matter look at every node
//! (`Cycle::tells_nodes_apart`).

use std::collections::BTreeMap;

use super::node_tree::{Member, NodeTree};
use crate::cluster::{ImageId, Node, NodeId, NodeKindId, NodeState, NonZeroRequests};
use crate::cluster::{Resources, Slab};

/// No class; no serial, of a place without a registered node.
pub(super) const NONE: u32 = u32::MAX;

/// What nodes of a class have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ClassKey {
    kind: NodeKindId,
    state: NodeState,
    requested: Resources,
    nonzero_requested: NonZeroRequests,
    /// Place of the images that it reports among all such sets.
    images: u32,
    /// Serial of a node that is to be alone, plus one.
    alone: u32,
}

/// Nodes that are the same to every plugin, in order.
#[derive(Debug)]
pub(super) struct Class {
    key: ClassKey,
    /// Their zone.
    pub(super) zone: u32,
    /// The nodes, ascending by serial; never empty in a class that is in use.
    pub(super) members: Vec<Member>,
    /// Place in the list of classes in use.
    place: u32,
}

/// What the index knows of a node, by the node's place in its arena.
#[derive(Debug, Clone, Copy)]
struct Entry {
    class: u32,
    serial: u32,
    images: u32,
    nominations: u32,
    stale: bool,
}

impl Entry {
    const EMPTY: Self = Self { class: NONE, serial: NONE, images: 0, nominations: 0, stale: false };
}

/// Registered nodes by class.
#[derive(Debug, Default)]
pub(crate) struct NodeClasses {
    /// The index is kept. Otherwise only what it could not find out later is.
    kept: bool,
    ids: BTreeMap<ClassKey, u32>,
    classes: Vec<Class>,
    free: Vec<u32>,
    in_use: Vec<u32>,
    entries: Vec<Entry>,
    stale: Vec<NodeId>,
    image_sets: BTreeMap<Vec<ImageId>, u32>,
}

impl NodeClasses {
    /// A node has registered.
    pub(crate) fn add(&mut self, member: Member, images: &[ImageId]) {
        let place = member.node.place();
        if self.entries.len() <= place {
            self.entries.resize(place + 1, Entry::EMPTY);
        }
        let images = self.image_set(images);
        self.entries[place] = Entry { serial: member.serial, images, ..Entry::EMPTY };
        self.touch(member.node);
    }

    /// A registered node is gone; gives its serial.
    pub(crate) fn remove(&mut self, node: NodeId) -> u32 {
        let entry = std::mem::replace(&mut self.entries[node.place()], Entry::EMPTY);
        if entry.class != NONE {
            self.leave(entry.class, entry.serial);
        }
        entry.serial
    }

    /// Something about the node changed that a class has in common.
    pub(crate) fn touch(&mut self, node: NodeId) {
        if !self.kept {
            return;
        }
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

    /// Brings the index up to date, from nothing if it was not kept.
    pub(super) fn sync(&mut self, nodes: &Slab<Node>, tree: &NodeTree) {
        if !self.kept {
            self.kept = true;
            for node in tree.rotation(0) {
                self.touch(node);
            }
        }
        while let Some(id) = self.stale.pop() {
            // A node that is gone may have been noted before.
            if let Some(node) = nodes.get(id) {
                self.update(id, node, tree);
            }
        }
    }

    /// Forgets the index: nothing has to be kept up to date until the next [`NodeClasses::sync`].
    pub(super) fn drop_index(&mut self) {
        if !self.kept {
            return;
        }
        self.kept = false;
        self.ids.clear();
        self.classes.clear();
        self.free.clear();
        self.in_use.clear();
        self.stale.clear();
        for entry in &mut self.entries {
            entry.class = NONE;
            entry.stale = false;
        }
    }

    /// Classes in use, in no particular order.
    pub(super) fn in_use(&self) -> &[u32] {
        &self.in_use
    }

    /// Classes are numbered below this.
    pub(super) fn slots(&self) -> usize {
        self.classes.len()
    }

    /// The class of a registered node.
    pub(super) fn class_of(&self, node: NodeId) -> u32 {
        self.entries[node.place()].class
    }

    /// A class in use.
    pub(super) fn get(&self, class: u32) -> &Class {
        &self.classes[class as usize]
    }

    /// Puts the node where it belongs now.
    fn update(&mut self, id: NodeId, node: &Node, tree: &NodeTree) {
        let entry = &mut self.entries[id.place()];
        entry.stale = false;
        let key = ClassKey {
            kind: node.kind,
            state: node.state,
            requested: node.requested,
            nonzero_requested: node.nonzero_requested,
            images: entry.images,
            alone: if entry.nominations > 0 { entry.serial + 1 } else { 0 },
        };
        let (old, member) = (entry.class, Member { serial: entry.serial, node: id });
        if old != NONE {
            if self.classes[old as usize].key == key {
                return;
            }
            self.leave(old, member.serial);
        }
        let class = self.ids.get(&key).copied();
        let class = class.unwrap_or_else(|| self.new_class(key, tree.zone_of(node.kind)));
        let members = &mut self.classes[class as usize].members;
        let rank = members.partition_point(|other| other.serial < member.serial);
        members.insert(rank, member);
        self.entries[id.place()].class = class;
    }

    fn new_class(&mut self, key: ClassKey, zone: u32) -> u32 {
        let place = self.in_use.len() as u32;
        let class = if let Some(class) = self.free.pop() {
            let slot = &mut self.classes[class as usize];
            // Its list of members keeps its memory.
            (slot.key, slot.zone, slot.place) = (key, zone, place);
            class
        } else {
            self.classes.push(Class { key, zone, members: Vec::new(), place });
            self.classes.len() as u32 - 1
        };
        self.in_use.push(class);
        self.ids.insert(key, class);
        class
    }

    fn leave(&mut self, class: u32, serial: u32) {
        let slot = &mut self.classes[class as usize];
        let rank = slot
            .members
            .binary_search_by_key(&serial, |member| member.serial)
            .expect("a node is in its class");
        slot.members.remove(rank);
        if slot.members.is_empty() {
            let place = slot.place as usize;
            self.ids.remove(&slot.key);
            self.in_use.swap_remove(place);
            if let Some(moved) = self.in_use.get(place) {
                self.classes[*moved as usize].place = place as u32;
            }
            self.free.push(class);
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
