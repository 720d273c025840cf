//! An arena with generations: dense ids, and an id of something that is gone finds nothing.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// The id of a `T` in its arena. Ids of things that are gone stay different from all later ones.
pub(crate) struct Id<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// Place in the arena. Things that are alive at the same time have different places.
    pub(crate) const fn place(self) -> usize {
        self.index as usize
    }
}

/// An arena.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    entries: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
    live: usize,
}

impl<T> Slab<T> {
    /// Puts `value` in.
    pub(crate) fn insert(&mut self, value: T) -> Id<T> {
        self.live += 1;
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push((0, None));
            u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 things are alive")
        });
        let entry = &mut self.entries[index as usize];
        entry.1 = Some(value);
        Id { index, generation: entry.0, of: PhantomData }
    }

    /// Takes the value of `id` out.
    ///
    /// # Panics
    /// If it is gone already.
    pub(crate) fn remove(&mut self, id: Id<T>) -> T {
        let entry = &mut self.entries[id.index as usize];
        assert_eq!(entry.0, id.generation, "{id:?} is gone");
        entry.0 += 1;
        self.free.push(id.index);
        self.live -= 1;
        entry.1.take().expect("an entry of this generation is filled")
    }

    /// The value of `id`, if it is still there.
    pub(crate) fn get(&self, id: Id<T>) -> Option<&T> {
        let entry = self.entries.get(id.index as usize)?;
        if entry.0 == id.generation { entry.1.as_ref() } else { None }
    }

    /// The value of `id`, if it is still there.
    pub(crate) fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        let entry = self.entries.get_mut(id.index as usize)?;
        if entry.0 == id.generation { entry.1.as_mut() } else { None }
    }

    /// How many are in.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Everything that is in, in order of index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        self.entries.iter().enumerate().filter_map(|(index, (generation, value))| {
            let id = Id { index: index as u32, generation: *generation, of: PhantomData };
            value.as_ref().map(|value| (id, value))
        })
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), free: Vec::new(), live: 0 }
    }
}

impl<T> Index<Id<T>> for Slab<T> {
    type Output = T;
    fn index(&self, id: Id<T>) -> &T {
        self.get(id).expect("the id's owner knows that it is alive")
    }
}

impl<T> IndexMut<Id<T>> for Slab<T> {
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        self.get_mut(id).expect("the id's owner knows that it is alive")
    }
}

// Written out, because a derive would ask the same of `T`.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.generation) == (other.index, other.generation)
    }
}

impl<T> Eq for Id<T> {}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}.{}", self.index, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_what_is_gone_find_nothing() {
        let mut slab = Slab::default();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), "first");
        let second = slab.insert("second");
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.len(), 1);
    }
}
