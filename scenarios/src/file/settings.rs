//! A map of the scenario file, read by the schema's table: its known keys, types and limits.

use sim::units::{Bytes, MilliCores, SimDuration};

use crate::schema::{Kind, Section};
use crate::walk::{At, Fields};
use crate::yaml::{Key, Value};

/// Longer lists and maps are no scenario, and reading them would take long.
/// The catalogue has some 1,400 instance types.
const ITEMS_MAX: usize = 2_000;

/// A map that was checked for keys its section does not know.
#[derive(Debug, Clone)]
pub(super) struct Settings<'a> {
    pub fields: Fields<'a>,
    section: &'static Section,
    partial: bool,
}

/// Reads `at` as a map of `section`.
pub(super) fn settings<'a>(at: &At<'a>, section: &'static Section) -> Option<Settings<'a>> {
    let fields = at.fields(&section.names())?;
    Some(Settings { fields, section, partial: false })
}

impl<'a> Settings<'a> {
    /// The same, holding only changes: nothing is required.
    pub(super) fn partial(self) -> Self {
        Self { partial: true, ..self }
    }

    /// The value of `key`, if it is there. A required key's absence is a problem.
    pub(super) fn at(&self, key: &str) -> Option<At<'a>> {
        let known = self.section.key(key);
        if known.required && !self.partial {
            self.fields.require(key)
        } else {
            self.fields.get(key)
        }
    }

    /// The same, without a problem for the absence of a required key.
    pub(super) fn optional(&self, key: &str) -> Option<At<'a>> {
        self.fields.get(self.section.key(key).name)
    }

    fn kind(&self, key: &str) -> Kind {
        self.section.key(key).kind
    }

    fn mismatch(&self, key: &str) -> ! {
        panic!("the schema gives `{key}` of {} the type it is read as", self.section.name)
    }

    pub(super) fn section(&self, key: &str) -> Option<Settings<'a>> {
        match self.kind(key) {
            Kind::Section(section) => settings(&self.at(key)?, section),
            _ => self.mismatch(key),
        }
    }

    pub(super) fn sections(&self, key: &str) -> Option<Vec<Settings<'a>>> {
        match self.kind(key) {
            Kind::List(Kind::Section(section)) => {
                let items = list(&self.at(key)?)?;
                Some(items.iter().filter_map(|item| settings(item, section)).collect())
            }
            _ => self.mismatch(key),
        }
    }

    /// The entries of a map with any keys: their names, where those stand, and their settings.
    pub(super) fn named_sections(&self, key: &str) -> Vec<(&'a Key, Settings<'a>)> {
        let Kind::Map(Kind::Section(section)) = self.kind(key) else { self.mismatch(key) };
        let Some(at) = self.at(key) else {
            return Vec::new();
        };
        let entries = at.entries().unwrap_or_default();
        if entries.len() > ITEMS_MAX {
            too_many(&at, entries.len());
            return Vec::new();
        }
        let entries = entries.into_iter();
        entries.filter_map(|(key, at)| Some((key, settings(&at, section)?))).collect()
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        match self.kind(key) {
            Kind::Text | Kind::Path => self.at(key)?.name(),
            _ => self.mismatch(key),
        }
    }

    pub(super) fn texts(&self, key: &str) -> Option<Vec<At<'a>>> {
        match self.kind(key) {
            Kind::List(Kind::Text) => list(&self.at(key)?),
            _ => self.mismatch(key),
        }
    }

    /// A value, or the items of a list.
    pub(super) fn one_or_more(&self, key: &str) -> Vec<At<'a>> {
        let Kind::OneOrMore(_) = self.kind(key) else { self.mismatch(key) };
        match self.at(key) {
            Some(at) if matches!(at.node.value, Value::Seq(_)) => list(&at).unwrap_or_default(),
            other => other.into_iter().collect(),
        }
    }

    /// The entries of a map with any keys and values.
    pub(super) fn entries(&self, key: &str) -> Vec<(&'a Key, At<'a>)> {
        let Kind::Map(_) = self.kind(key) else { self.mismatch(key) };
        let entries = self.at(key).and_then(|at| Some((at.clone(), at.entries()?)));
        match entries {
            Some((at, entries)) if entries.len() > ITEMS_MAX => {
                too_many(&at, entries.len());
                Vec::new()
            }
            Some((_, entries)) => entries,
            None => Vec::new(),
        }
    }

    pub(super) fn int(&self, key: &str) -> Option<i64> {
        match self.kind(key) {
            Kind::Int(low, high) => self.at(key)?.int(low..=high),
            _ => self.mismatch(key),
        }
    }

    pub(super) fn count(&self, key: &str) -> Option<u32> {
        self.int(key)
            .map(|number| u32::try_from(number).expect("the schema's limits are below 2^32"))
    }

    pub(super) fn float(&self, key: &str) -> Option<f64> {
        match self.kind(key) {
            Kind::Float(low, high) => self.at(key)?.float(low..=high),
            _ => self.mismatch(key),
        }
    }

    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        match self.kind(key) {
            Kind::Bool => self.at(key)?.bool(),
            _ => self.mismatch(key),
        }
    }

    pub(super) fn duration(&self, key: &str) -> Option<SimDuration> {
        match self.kind(key) {
            Kind::Duration => self.at(key)?.duration(),
            _ => self.mismatch(key),
        }
    }

    /// Durations, in the order of the file.
    pub(super) fn durations(&self, key: &str) -> Option<Vec<SimDuration>> {
        let Kind::List(Kind::Duration) = self.kind(key) else { self.mismatch(key) };
        Some(list(&self.at(key)?)?.iter().filter_map(At::duration).collect())
    }

    pub(super) fn cpu(&self, key: &str) -> Option<MilliCores> {
        match self.kind(key) {
            Kind::Cpu => self.at(key)?.cpu(),
            _ => self.mismatch(key),
        }
    }

    pub(super) fn bytes(&self, key: &str) -> Option<Bytes> {
        match self.kind(key) {
            Kind::Bytes => self.at(key)?.bytes(),
            _ => self.mismatch(key),
        }
    }

    /// The names that were chosen from a list's.
    pub(super) fn choices(&self, key: &str) -> Vec<&'static str> {
        let Kind::List(Kind::Choice(names)) = self.kind(key) else { self.mismatch(key) };
        let items = self.at(key).and_then(|at| list(&at)).unwrap_or_default();
        items.iter().filter_map(|at| choice(at, names)).collect()
    }

    /// The name that was chosen.
    pub(super) fn choice(&self, key: &str) -> Option<&'static str> {
        match self.kind(key) {
            Kind::Choice(names) => choice(&self.at(key)?, names),
            _ => self.mismatch(key),
        }
    }
}

fn list<'a>(at: &At<'a>) -> Option<Vec<At<'a>>> {
    let items = at.list()?;
    if items.len() > ITEMS_MAX {
        too_many(at, items.len());
        return None;
    }
    Some(items)
}

fn too_many(at: &At<'_>, count: usize) {
    at.problem(format!("{count} entries; at most {ITEMS_MAX} are read"));
}

/// One of the names of a choice.
pub(super) fn choice(
    at: &At<'_>,
    names: &'static [(&'static str, &'static str)],
) -> Option<&'static str> {
    let names: Vec<(&str, &'static str)> = names.iter().map(|(name, _)| (*name, *name)).collect();
    at.one_of(&names)
}
