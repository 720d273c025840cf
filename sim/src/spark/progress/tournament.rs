//! A tournament of numbers: the least one is known, and replaced in one way up the tree.
//!
//! Each inner node keeps the loser of the match below it, so that the winner's next number meets
//! just those that it has to, one on each level, at places that are known beforehand: no branch on
//! what cannot be foreseen. (Knuth, The Art of Computer Programming, volume 3, 5.4.1.)

/// Players with a number each; numbers differ, but for those that are out ([`Tournament::OUT`]).
pub(super) struct Tournament {
    /// At 0 the winner; at n >= 1 the loser of the match between what came from 2n and 2n + 1.
    tree: Vec<u64>,
}

impl Tournament {
    /// The number of a player that is out.
    pub(super) const OUT: u64 = u64::MAX;

    /// Players with these numbers.
    pub(super) fn new(numbers: &[u64]) -> Self {
        let size = numbers.len().next_power_of_two();
        let mut tree = vec![Self::OUT; 2 * size];
        tree[size..size + numbers.len()].copy_from_slice(numbers);
        // The winners from below, then the losers from above: a node's winner is not asked for any
        // more once its parent has its loser.
        for node in (1..size).rev() {
            tree[node] = tree[2 * node].min(tree[2 * node + 1]);
        }
        tree[0] = tree[1];
        for node in 1..size {
            tree[node] = tree[2 * node].max(tree[2 * node + 1]);
        }
        tree.truncate(size);
        Self { tree }
    }

    /// The least number.
    #[inline]
    pub(super) fn least(&self) -> u64 {
        self.tree[0]
    }

    /// `player`, who has the least number, has another one now.
    #[inline]
    pub(super) fn replace_least(&mut self, player: usize, number: u64) {
        let mut number = number;
        let mut node = (self.tree.len() + player) / 2;
        while node > 0 {
            let other = &mut self.tree[node];
            let (winner, loser) = (number.min(*other), number.max(*other));
            (number, *other) = (winner, loser);
            node /= 2;
        }
        self.tree[0] = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use crate::rng::RngExt;

    #[test]
    fn the_least_is_always_known() {
        let mut stream = Seed::new(1).stream("tournament", &[]);
        for players in (1..40).chain([64, 65, 300]) {
            // The player is part of the number, as in a key.
            let mut number = |player: u64| stream.random_range(0..1000u64) << 10 | player;
            let mut numbers: Vec<u64> = (0..players).map(&mut number).collect();
            let mut tournament = Tournament::new(&numbers);
            for round in 0..500 {
                let least = numbers.iter().copied().min().unwrap();
                assert_eq!(tournament.least(), least, "{players} players, round {round}");
                if least == Tournament::OUT {
                    break;
                }
                let player = least & 1023;
                let out = round % 11 == 10;
                let next = if out { Tournament::OUT } else { number(player) };
                numbers[player as usize] = next;
                tournament.replace_least(player as usize, next);
            }
        }
    }
}
