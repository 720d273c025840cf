//! Patterns over node group names, as the `priority` expander's table has them.
//!
//! Upstream's are Go's regular expressions; both Go and the `regex` crate follow RE2, without back
//! references. As upstream, a pattern matches anywhere in a name.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// Bytes that a compiled pattern may take; names of node groups need a few kilobytes.
const SIZE_MAX: usize = 1 << 20;

/// A pattern that has been read.
#[derive(Clone)]
pub struct GroupPattern(Regex);

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

impl GroupPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let compiled = RegexBuilder::new(text).size_limit(SIZE_MAX).build();
        compiled.map(Self).map_err(|error| {
            let whole = error.to_string();
            let last = whole.lines().last().unwrap_or_default();
            PatternError(last.trim_start_matches("error: ").to_owned())
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it matches somewhere in `name`.
    pub fn matches(&self, name: &str) -> bool {
        self.0.is_match(name)
    }

    /// Which of `names` it matches; without a pattern all of them.
    pub(crate) fn matching(pattern: Option<&Self>, names: &[String]) -> Vec<bool> {
        names.iter().map(|name| pattern.is_none_or(|pattern| pattern.matches(name))).collect()
    }
}

impl PartialEq for GroupPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for GroupPattern {}

impl fmt::Debug for GroupPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GroupPattern").field(&self.as_str()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_anywhere_in_a_name() {
        let matches = |pattern, name| GroupPattern::parse(pattern).unwrap().matches(name);
        assert!(matches("spot", "eks-spot-2a"));
        assert!(!matches("^spot$", "eks-spot-2a"));
        assert!(matches("(?i)SPOT-(small|large)$", "my-spot-large"));
        assert!(matches("", "anything"));
    }

    #[test]
    fn what_is_no_pattern_is_refused_in_one_line() {
        let error = |text| GroupPattern::parse(text).unwrap_err().to_string();
        assert_eq!(error("*spot"), "repetition operator missing expression");
        assert_eq!(error("(spot"), "unclosed group");
        assert!(error("(a{1000}){1000}").contains("size limit"), "{}", error("(a{1000}){1000}"));
    }
}
