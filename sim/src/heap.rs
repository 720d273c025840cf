//! A heap that gives the least of its items first, with four children to a parent.
//!
//! Why not the standard library's: of many items a pop waits for memory half as often, and the least
//! of four children is found without branches that nobody could predict (`docs/performance.md`).
//! Below some hundred items the standard library's takes fewer steps. Items are ordered by a number;
//! of equal ones, any may come first.

/// Something with a place in an order.
pub(crate) trait Ranked {
    /// The least comes first.
    fn rank(&self) -> u128;
}

const CHILDREN: usize = 4;

/// Items, the least first.
#[derive(Debug, Clone)]
pub(crate) struct Heap<T> {
    /// No parent is after one of its [`CHILDREN`] children.
    items: Vec<T>,
}

impl<T> Default for Heap<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<T: Copy + Ranked> Heap<T> {
    /// The least.
    pub(crate) fn peek(&self) -> Option<&T> {
        self.items.first()
    }

    /// Adds one.
    pub(crate) fn push(&mut self, item: T) {
        self.items.push(item);
        self.rise(self.items.len() - 1, item);
    }

    /// Takes the least.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let last = self.items.pop()?;
        let Some(top) = self.items.first().copied() else { return Some(last) };
        let gap = self.gap_below();
        self.rise(gap, last);
        Some(top)
    }

    /// Moves the gap at the top down to where no children are; gives its place then. What comes
    /// there was last, and seldom rises.
    fn gap_below(&mut self) -> usize {
        let mut gap = 0;
        while let Some(child) = self.least_child(gap) {
            self.items[gap] = self.items[child];
            gap = child;
        }
        gap
    }

    /// Puts `item` where it belongs on the way up from the gap at `place`.
    fn rise(&mut self, mut place: usize, item: T) {
        while let Some(before) = place.checked_sub(1) {
            let parent = self.items[before / CHILDREN];
            if parent.rank() <= item.rank() {
                break;
            }
            self.items[place] = parent;
            place = before / CHILDREN;
        }
        self.items[place] = item;
    }

    fn least_child(&self, parent: usize) -> Option<usize> {
        let first = parent * CHILDREN + 1;
        let rest = self.items.get(first..)?;
        if let Some(four) = rest.first_chunk::<CHILDREN>() {
            // Choices instead of branches: the compiler makes them so.
            let [a, b, c, d] = four.each_ref().map(Ranked::rank);
            let (left, right) = (b < a, d < c);
            let later = if right { d } else { c } < if left { b } else { a };
            return Some(first + if later { 2 + usize::from(right) } else { usize::from(left) });
        }
        (0..rest.len()).min_by_key(|place| rest[*place].rank()).map(|place| first + place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::rng::RngExt;

    impl Ranked for u32 {
        fn rank(&self) -> u128 {
            u128::from(*self)
        }
    }

    /// Whatever is done to it in between, it gives what a sorted list gives.
    #[test]
    fn the_least_comes_first() {
        let mut draw = Seed::new(5).stream("trial", &[]);
        let (mut heap, mut list) = (Heap::default(), Vec::new());
        for _ in 0..30_000 {
            let item: u32 = draw.random_range(0..400);
            list.sort_unstable();
            if draw.random_range(0..20) < 11 {
                heap.push(item);
                list.push(item);
            } else {
                let first = (!list.is_empty()).then(|| list.remove(0));
                assert_eq!(heap.pop(), first);
            }
            assert_eq!(heap.peek(), list.iter().min());
        }
        list.sort_unstable();
        let rest: Vec<u32> = std::iter::from_fn(|| heap.pop()).collect();
        assert_eq!(rest, list);
    }
}
