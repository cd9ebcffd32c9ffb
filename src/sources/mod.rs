//! The registry: every source, in one slice, and the names of those that have ended.

use crate::source::{Announced, Notice, Retired, Source, day};

mod apple_health;
mod google_health;
mod oura;
mod strava;
mod whoop;
mod withings;

/// All sources, in the order in which lists show them.
pub(crate) static ALL: &[&Source] =
    &[&whoop::SOURCE, &oura::SOURCE, &withings::SOURCE, &strava::SOURCE, &google_health::SOURCE, &apple_health::SOURCE];

/// What people may still ask for.
pub(crate) static RETIRED: &[Retired] = &[Retired {
    id: "google_fit",
    title: "Google Fit",
    what: "Google Fit's interface has taken no new users since May 2024 and ends in 2026: nothing is fetched from it",
    kept: "your Fit history, as files: takeout.google.com, choose \"Fit\"; what moved to Google Health comes from google-health",
    next: "health auth google-health",
    // 2026 is all that Google says.
    notice: Notice {
        kind: Announced::Retirement,
        on: day(2026, 12, 31),
        text: "its interface has ended by then, and takes no new users; what moved to Google Health comes from there",
        next: "keep your Fit history as files from takeout.google.com, choose \"Fit\"; then: health auth google-health",
    },
}];

/// The source that a person means by `name`; hyphen and underscore are the same.
pub(crate) fn find(name: &str) -> Option<&'static Source> {
    let name = folded(name);
    ALL.iter().copied().find(|source| source.id == name || source.aliases.iter().any(|alias| alias.name == name))
}

/// The source that has ended, if a person means one by `name`.
pub(crate) fn retired(name: &str) -> Option<&'static Retired> {
    let name = folded(name);
    RETIRED.iter().find(|retired| retired.id == name)
}

/// What to say to a person who logs in to `source` by `name`.
pub(crate) fn said_of(source: &Source, name: &str) -> &'static [&'static str] {
    let name = folded(name);
    source.aliases.iter().find(|alias| alias.name == name).map_or(&[], |alias| alias.says)
}

fn folded(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_source() {
        let mut names: Vec<&str> = ALL.iter().flat_map(|s| s.aliases.iter().map(|a| a.name).chain([s.id])).collect();
        names.extend(RETIRED.iter().map(|retired| retired.id));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(ALL.iter().flat_map(|source| source.aliases).all(|alias| alias.says.len() <= 3));
    }

    #[test]
    fn hyphen_and_underscore_are_the_same() {
        assert!(find("apple-health").is_some_and(|source| source.id == "apple_health"));
        assert!(retired("google-fit").is_some() && find("google-fit").is_none() && retired("whoop").is_none());
    }
}
