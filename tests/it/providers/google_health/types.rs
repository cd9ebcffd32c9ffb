//! The data types of Google Health as its documentation lists them: names, kind, ways, scope.

/// What a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Interval,
    Sample,
    Daily,
    /// A session, filtered by the clock of the person.
    Session,
    Sleep,
    Ecg,
    /// A dictionary: no filter.
    Plain,
}

/// One data type.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// As in filters; raw tables have the same.
    pub name: &'static str,
    pub kind: Kind,
    /// L list, R reconcile, D daily roll-up: the ways it is offered.
    pub ways: &'static str,
    /// The middle of its scope.
    pub scope: &'static str,
}

impl Type {
    /// As in addresses.
    pub fn kebab(self) -> String {
        self.name.replace('_', "-")
    }

    /// As in answers.
    pub fn camel(self) -> String {
        let mut parts = self.name.split('_');
        let mut camel = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            camel.push_str(&part[..1].to_uppercase());
            camel.push_str(&part[1..]);
        }
        camel
    }

    /// Whether readings come by the thousand: kept as one record an hour and origin.
    pub fn is_dense(self) -> bool {
        let logged = ["menstrual_period", "ovulation_test", "symptoms", "moods"];
        let sparse = [
            "respiratory_rate_sleep_summary",
            "vo2_max",
            "run_vo2_max",
            "weight",
            "height",
            "body_fat",
            "blood_glucose",
            "core_body_temperature",
        ];
        match self.kind {
            Kind::Interval | Kind::Sample => !logged.contains(&self.name) && !sparse.contains(&self.name),
            _ => false,
        }
    }

    /// Days that a roll-up may have.
    pub fn most_days(self) -> i64 {
        let short = ["heart_rate", "active_minutes", "total_calories", "calories_in_heart_rate_zone"];
        if short.contains(&self.name) { 14 } else { 90 }
    }
}

const fn of(name: &'static str, kind: Kind, ways: &'static str, scope: &'static str) -> Type {
    Type { name, kind, ways, scope }
}

const ACTIVITY: &str = "activity_and_fitness";
const METRICS: &str = "health_metrics_and_measurements";

pub const TYPES: &[Type] = &[
    of("sleep", Kind::Sleep, "LR", "sleep"),
    of("exercise", Kind::Session, "LR", ACTIVITY),
    of("electrocardiogram", Kind::Ecg, "L", "ecg"),
    of("irregular_rhythm_notification", Kind::Session, "L", "irn"),
    of("heart_rate", Kind::Sample, "LRD", METRICS),
    of("heart_rate_variability", Kind::Sample, "LR", METRICS),
    of("oxygen_saturation", Kind::Sample, "LR", METRICS),
    of("respiratory_rate_sleep_summary", Kind::Sample, "LR", METRICS),
    of("daily_resting_heart_rate", Kind::Daily, "LR", METRICS),
    of("daily_heart_rate_variability", Kind::Daily, "LR", METRICS),
    of("daily_oxygen_saturation", Kind::Daily, "LR", METRICS),
    of("daily_respiratory_rate", Kind::Daily, "LR", METRICS),
    of("daily_sleep_temperature_derivations", Kind::Daily, "LR", METRICS),
    of("daily_vo2_max", Kind::Daily, "LR", ACTIVITY),
    of("daily_heart_rate_zones", Kind::Daily, "R", METRICS),
    of("vo2_max", Kind::Sample, "LR", ACTIVITY),
    of("run_vo2_max", Kind::Sample, "LRD", ACTIVITY),
    of("weight", Kind::Sample, "LRD", METRICS),
    of("height", Kind::Sample, "LR", METRICS),
    of("body_fat", Kind::Sample, "LRD", METRICS),
    of("blood_glucose", Kind::Sample, "LRD", METRICS),
    of("core_body_temperature", Kind::Sample, "LRD", METRICS),
    of("steps", Kind::Interval, "LRD", ACTIVITY),
    of("distance", Kind::Interval, "LRD", ACTIVITY),
    of("altitude", Kind::Interval, "LRD", ACTIVITY),
    of("floors", Kind::Interval, "RD", ACTIVITY),
    of("active_minutes", Kind::Interval, "RD", ACTIVITY),
    of("active_zone_minutes", Kind::Interval, "LRD", ACTIVITY),
    of("activity_level", Kind::Interval, "LR", ACTIVITY),
    of("sedentary_period", Kind::Interval, "LRD", ACTIVITY),
    of("time_in_heart_rate_zone", Kind::Interval, "RD", ACTIVITY),
    of("swim_lengths_data", Kind::Interval, "LRD", ACTIVITY),
    of("active_energy_burned", Kind::Interval, "RD", ACTIVITY),
    // Basal energy is described, and not offered to this person.
    of("basal_energy_burned", Kind::Interval, "", ACTIVITY),
    of("total_calories", Kind::Interval, "D", ACTIVITY),
    of("calories_in_heart_rate_zone", Kind::Interval, "D", ACTIVITY),
    of("hydration_log", Kind::Session, "LRD", "nutrition"),
    of("nutrition_log", Kind::Session, "LRD", "nutrition"),
    of("food", Kind::Plain, "L", "nutrition"),
    of("food_measurement_unit", Kind::Plain, "L", "nutrition"),
    of("menstrual_period", Kind::Interval, "L", "reproductive_health"),
    of("ovulation_test", Kind::Sample, "L", "reproductive_health"),
    of("symptoms", Kind::Sample, "L", "logged_symptoms"),
    of("moods", Kind::Sample, "L", "mindfulness"),
];

pub fn by_name(name: &str) -> Option<Type> {
    TYPES.iter().copied().find(|one| one.name == name)
}
