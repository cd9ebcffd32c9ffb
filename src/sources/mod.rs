//! The registry: every source, in one slice.

use crate::source::Source;

mod apple_health;
mod oura;
mod whoop;

/// All sources, in the order in which lists show them.
pub(crate) static ALL: &[&Source] = &[&whoop::SOURCE, &oura::SOURCE, &apple_health::SOURCE];

/// The source that a person means by `name`; hyphen and underscore are the same.
pub(crate) fn find(name: &str) -> Option<&'static Source> {
    let name = name.replace('-', "_");
    ALL.iter().copied().find(|source| source.id == name || source.aliases.contains(&name.as_str()))
}
