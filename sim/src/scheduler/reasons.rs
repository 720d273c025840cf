//! Why pods wait: each message once, as long as somebody refers to it.
//!
//! Messages hold counts of nodes, so that new ones come up for as long as the simulation goes on;
//! those that no pod has any more are forgotten from time to time, so that memory follows what is
//! alive.

use std::collections::BTreeMap;
use std::rc::Rc;

/// So many messages are kept at least before any is forgotten.
const KEPT_MIN: usize = 1024;

/// Messages of the scheduler, by their places. The place of a message that was forgotten is given
/// to another.
#[derive(Debug)]
pub(crate) struct Reasons {
    texts: Vec<Text>,
    places: BTreeMap<Rc<str>, u32>,
    free: Vec<u32>,
    /// At so many messages it is time to forget some.
    full_at: usize,
}

/// A message, and the same without what differs from moment to moment.
#[derive(Debug, Clone)]
struct Text {
    message: Rc<str>,
    kind: Rc<str>,
}

impl Default for Reasons {
    fn default() -> Self {
        let (texts, places, free) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { texts, places, free, full_at: KEPT_MIN }
    }
}

impl Reasons {
    /// The place of a message of that kind.
    pub(super) fn intern(&mut self, message: &str, kind: &Rc<str>) -> u32 {
        if let Some(place) = self.places.get(message) {
            return *place;
        }
        let message: Rc<str> = message.into();
        let text = Text { message: message.clone(), kind: kind.clone() };
        let place = match self.free.pop() {
            Some(place) => {
                self.texts[place as usize] = text;
                place
            }
            None => {
                self.texts.push(text);
                self.texts.len() as u32 - 1
            }
        };
        self.places.insert(message, place);
        place
    }

    /// The message at `place`, and its kind.
    pub(crate) fn get(&self, place: u32) -> (&str, &str) {
        let text = &self.texts[place as usize];
        (&text.message, &text.kind)
    }

    /// Whether it is time for [`Reasons::keep`].
    pub(super) fn is_full(&self) -> bool {
        self.places.len() >= self.full_at
    }

    /// Forgets all messages but those whose places are `used`.
    pub(super) fn keep(&mut self, used: impl Iterator<Item = u32>) {
        let mut kept = vec![false; self.texts.len()];
        used.for_each(|place| kept[place as usize] = true);
        let (texts, free) = (&mut self.texts, &mut self.free);
        let empty: Rc<str> = "".into();
        self.places.retain(|_, place| {
            let kept = kept[*place as usize];
            if !kept {
                texts[*place as usize].message = empty.clone();
                free.push(*place);
            }
            kept
        });
        self.full_at = KEPT_MIN.max(2 * self.places.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_refers_to_is_forgotten() {
        let mut reasons = Reasons::default();
        let kind: Rc<str> = "nodes".into();
        let places: Vec<u32> =
            (0..KEPT_MIN).map(|count| reasons.intern(&format!("{count} nodes"), &kind)).collect();
        assert!(reasons.is_full());
        reasons.keep([places[7], places[9], places[7]].into_iter());
        assert!(!reasons.is_full());
        assert_eq!(reasons.get(places[7]), ("7 nodes", "nodes"));
        assert_eq!(reasons.get(places[9]), ("9 nodes", "nodes"));
        assert_eq!(reasons.intern("9 nodes", &kind), places[9]);
        (0..KEPT_MIN).for_each(|count| {
            let message = format!("{count} more");
            let place = reasons.intern(&message, &kind);
            assert_eq!(reasons.get(place).0, message);
        });
        assert_eq!(reasons.get(places[7]).0, "7 nodes");
        assert_eq!(reasons.texts.len(), KEPT_MIN + 2);
    }
}
