//! Compiled regular expressions.
//!
//! To compile a pattern takes a hundred times as long as to use it, and charts use the same few again and again, from one
//! rendering to the next. So the process keeps them, as many as [`MAX_PATTERNS`].

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use regex::{Regex, RegexBuilder};

/// Most patterns that are kept. A chart that makes more up has all of them compiled anew.
const MAX_PATTERNS: usize = 512;

/// Longest pattern that is kept, in bytes.
const MAX_KEPT_BYTES: usize = 4 << 10;

/// Largest compiled pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 10 << 20;

static KEPT: LazyLock<RwLock<HashMap<String, Arc<Regex>>>> = LazyLock::new(RwLock::default);

/// What finds `pattern`, in the syntax of the `regex` crate.
pub(crate) fn compiled(pattern: &str) -> Result<Arc<Regex>, regex::Error> {
    if let Some(regex) = KEPT.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return Ok(Arc::clone(regex));
    }
    let regex = Arc::new(RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build()?);
    if pattern.len() <= MAX_KEPT_BYTES {
        let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_PATTERNS {
            kept.clear();
        }
        kept.insert(pattern.to_owned(), Arc::clone(&regex));
    }
    Ok(regex)
}
