//! The metric dictionary: a data file of this program, brought into `meta.metrics` by `migrate`. A code is never removed,
//! since rows refer to it.

use crate::reference::Reference;

pub(crate) static METRICS: Reference =
    Reference { files: &[("metrics", include_str!("metrics.csv"))], load: include_str!("metrics.sql") };

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_every_metric_has_a_unit() {
        let rows = crate::reference::rows(include_str!("metrics.csv"));
        assert!(rows.len() > 100);
        let codes: HashSet<_> = rows.iter().map(|row| row["metric_code"].as_str().unwrap()).collect();
        assert_eq!(codes.len(), rows.len());
        assert!(rows.iter().all(|row| row["ucum"].is_string() && row["category"].is_string()));
    }
}
