//! Why pods wait: each message once.

use std::collections::BTreeMap;

/// Messages of the scheduler, by the order in which they first came up.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    texts: Vec<Box<str>>,
    places: BTreeMap<Box<str>, u32>,
}

impl Reasons {
    /// The place of `text`.
    pub(super) fn intern(&mut self, text: String) -> u32 {
        let text = text.into_boxed_str();
        if let Some(place) = self.places.get(&text) {
            return *place;
        }
        let place = self.texts.len() as u32;
        self.texts.push(text.clone());
        self.places.insert(text, place);
        place
    }

    /// The message at `place`.
    pub(crate) fn get(&self, place: u32) -> &str {
        &self.texts[place as usize]
    }
}
