//! What each type of an export means: data files beside this module, brought into `apple_health_raw.mapping` by `migrate`.
//! The views and models that follow the mapping are SQL; nothing here reads a record.

use crate::reference::Reference;

/// `types`: the metric of a type, where its records go and the rule by which the value is read. `units`: exported units to
/// those of metrics. `codes`: the values of category types. A change of any makes all models of the source run again.
pub(super) static MAPPING: Reference = Reference {
    files: &[
        ("types", include_str!("mapping/types.csv")),
        ("units", include_str!("mapping/units.csv")),
        ("codes", include_str!("mapping/codes.csv")),
    ],
    load: include_str!("sql/mapping.sql"),
};

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde_json::Value;

    use crate::reference::rows;

    fn text<'a>(row: &'a Value, name: &str) -> &'a str {
        row[name].as_str().unwrap_or_default()
    }

    #[test]
    fn every_type_has_a_known_metric_with_units_or_codes() {
        let metrics = rows(include_str!("../../canonical/metrics.csv"));
        let ucum: HashMap<&str, &str> = metrics.iter().map(|m| (text(m, "metric_code"), text(m, "ucum"))).collect();
        let (types, units) = (rows(include_str!("mapping/types.csv")), rows(include_str!("mapping/units.csv")));
        let codes = rows(include_str!("mapping/codes.csv"));
        let (units, rules): (HashSet<&str>, HashSet<&str>) =
            (units.iter().map(|u| text(u, "ucum")).collect(), codes.iter().map(|c| text(c, "rule")).collect());
        let mut seen = HashSet::new();
        for row in &types {
            let (name, metric, place, rule) =
                (text(row, "type"), text(row, "metric_code"), text(row, "place"), text(row, "rule"));
            assert!(seen.insert((name, metric)), "{name} twice");
            if place == "raw" {
                continue;
            }
            if name.starts_with("HKCategoryTypeIdentifier") {
                assert!(rules.contains(rule), "{name}: no codes for {rule}");
                assert!(place == "sleep" || ucum.contains_key(metric), "{name}: {metric}");
            } else {
                let unit = ucum.get(metric).unwrap_or_else(|| panic!("{name}: {metric} is in no dictionary"));
                assert!(units.contains(unit), "{name}: no unit leads to {unit}");
            }
        }
        // The public quantity and category types of the format; the identifier of noise events was renamed once.
        let quantities: HashSet<_> = seen.iter().filter(|(name, _)| name.starts_with("HKQ")).map(|(n, _)| n).collect();
        let categories: HashSet<_> = seen.iter().filter(|(name, _)| name.starts_with("HKC")).map(|(n, _)| n).collect();
        assert_eq!((quantities.len(), categories.len()), (120, 70));
    }

    #[test]
    fn a_unit_converts_once() {
        let units = rows(include_str!("mapping/units.csv"));
        let keys: HashSet<_> = units.iter().map(|u| (text(u, "ucum"), text(u, "unit"))).collect();
        assert_eq!(keys.len(), units.len());
        assert!(units.iter().all(|u| text(u, "factor").parse::<f64>().is_ok_and(|f| f > 0.0)));
    }
}
