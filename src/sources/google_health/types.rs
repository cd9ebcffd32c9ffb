//! The table of data types: how each is called in an address, in a filter and in an answer, what opens it, and which of the
//! interface's ways it is read by. Listed is what has its device said; reconciled what cannot be listed; totals of days are
//! rolled up, as the app shows them.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use serde_json::{Value, json};

use crate::extract::bundles::hour;
use crate::extract::paging;
use crate::source::{Call, Early, Holds, PageToken, Paging, Provisional, Resource, Slice, Stamp, Window};

macro_rules! scope {
    ($name:literal) => {
        concat!("https://www.googleapis.com/auth/googlehealth.", $name, ".readonly")
    };
}

pub(super) const ACTIVITY: &str = scope!("activity_and_fitness");
pub(super) const LOCATION: &str = scope!("location");
pub(super) const METRICS: &str = scope!("health_metrics_and_measurements");
pub(super) const SLEEP: &str = scope!("sleep");
pub(super) const NUTRITION: &str = scope!("nutrition");
pub(super) const PROFILE: &str = scope!("profile");
pub(super) const SETTINGS: &str = scope!("settings");
pub(super) const ECG: &str = scope!("ecg");
pub(super) const IRN: &str = scope!("irn");
pub(super) const REPRODUCTIVE: &str = scope!("reproductive_health");
pub(super) const SYMPTOMS: &str = scope!("logged_symptoms");
pub(super) const MINDFULNESS: &str = scope!("mindfulness");

/// Who the person is may be asked with any of them.
const ANY: &str = concat!(
    scope!("activity_and_fitness"),
    "|",
    scope!("health_metrics_and_measurements"),
    "|",
    scope!("sleep"),
    "|",
    scope!("profile"),
    "|",
    scope!("settings"),
    "|",
    scope!("ecg"),
    "|",
    scope!("irn"),
    "|",
    scope!("reproductive_health"),
    "|",
    scope!("logged_symptoms"),
    "|",
    scope!("mindfulness")
);

/// Fitbit's first tracker. What is asked for window by window begins here.
const FIRST_YEAR: i32 = 2009;

/// No largest window is documented, and where there is more there is a token: one window for all of history.
const WHOLE: Option<u16> = Some(u16::MAX);

/// Readings come by the million; a window of them is read from its beginning again when it is interrupted.
const QUARTER: Option<u16> = Some(90);
const YEAR: Option<u16> = Some(366);

/// 10,000 are allowed, and pages have been seen to end near half of that.
const PAGES: Paging = Paging::Token { at: "/nextPageToken", param: "pageToken", size: Some(("pageSize", 5_000)) };

/// The most that sleep and exercise allow.
const SESSIONS: Paging = Paging::Token { at: "/nextPageToken", param: "pageToken", size: Some(("pageSize", 25)) };

const DEVICES: Paging = Paging::Token { at: "/nextPageToken", param: "pageToken", size: Some(("pageSize", 100)) };

macro_rules! path {
    ($kebab:literal) => {
        concat!("/users/me/dataTypes/", $kebab, "/dataPoints")
    };
    ($kebab:literal, $way:literal) => {
        concat!("/users/me/dataTypes/", $kebab, "/dataPoints:", $way)
    };
}

/// What tells two devices or apps apart that say something of the same time.
macro_rules! by_origin {
    ($($time:expr),+) => {
        &[$($time),+, "?/dataSource/platform", "?/dataSource/device/displayName", "?/dataSource/application/packageName"]
    };
}

/// Many readings in intervals of time. They have no name.
macro_rules! intervals {
    ($name:literal, $path:expr, $camel:literal) => {
        points($name, $path)
            .window(range(concat!($name, ".interval.start_time"), Stamp::Rfc3339, YEAR))
            .holds(Holds::Readings)
            .key(by_origin!(concat!("/", $camel, "/interval/startTime")))
            .at(concat!("/", $camel, "/interval/startTime"))
            .begins(FIRST_YEAR)
            .early(Early::Once)
            .lookback(3)
            .scope(ACTIVITY)
    };
}

/// Many readings at instants.
macro_rules! readings {
    ($name:literal, $path:expr, $camel:literal, $window:expr) => {
        points($name, $path)
            .window(range(concat!($name, ".sample_time.physical_time"), Stamp::Rfc3339, $window))
            .holds(Holds::Readings)
            .key(by_origin!(concat!("/", $camel, "/sampleTime/physicalTime")))
            .at(concat!("/", $camel, "/sampleTime/physicalTime"))
            .begins(FIRST_YEAR)
            .early(Early::Once)
            .lookback(3)
            .scope(METRICS)
    };
}

/// Measurements, now and then. Those that can be looked up one by one have a name.
macro_rules! samples {
    ($name:literal, $path:expr, $camel:literal) => {
        points($name, $path)
            .window(range(concat!($name, ".sample_time.physical_time"), Stamp::Rfc3339, WHOLE))
            .key(by_origin!(concat!("/", $camel, "/sampleTime/physicalTime")))
            .at(concat!("/", $camel, "/sampleTime/physicalTime"))
            .lookback(14)
            .scope(METRICS)
    };
}

/// One value a day of the person's own calendar. All have the same name, or none: the day is the key.
macro_rules! days {
    ($name:literal, $path:expr, $camel:literal) => {
        points($name, $path)
            .window(range(concat!($name, ".date"), Stamp::Days { before: 0, after: 2 }, WHOLE))
            .key(&[concat!("/", $camel, "/date"), "?/dataSource/platform"])
            .at(concat!("/", $camel, "/date"))
            .lookback(14)
            .scope(METRICS)
    };
}

/// Sessions are filtered by the person's own clock: a day more at either end holds everybody's.
macro_rules! sessions {
    ($name:literal, $path:expr, $camel:literal) => {
        points($name, $path)
            .window(range(concat!($name, ".interval.civil_start_time"), Stamp::Days { before: 1, after: 2 }, WHOLE))
            .key(&["/name"])
            .at(concat!("/", $camel, "/interval/startTime"))
            .lookback(14)
    };
}

/// Totals of days, so many at most in a question. The answer has no pages. Before the account began they are asked for
/// where what they are made of lists something; those with the shortest windows never elsewhere.
macro_rules! totals {
    ($name:literal, $kebab:literal, $days:literal, $lookback:literal) => {
        Resource::get(concat!($name, "_roll_up"), path!($kebab, "dailyRollUp"))
            .window(range("", Stamp::Days { before: 0, after: 1 }, Some($days)))
            .records("/rollupDataPoints")
            .holds(Holds::Sparse)
            .key(&["/civilStartTime/date"])
            .at("/civilStartTime/date")
            .begins(FIRST_YEAR)
            .early(Early::Near($name))
            .lookback($lookback)
            .scope(ACTIVITY)
            .call(rolled_up)
    };
}

pub(super) const RESOURCES: &[Resource] = &[
    Resource::get("identity", "/users/me/identity").scope(ANY).key(&["/healthUserId"]).owner("/healthUserId"),
    Resource::get("profile", "/users/me/profile").scope(PROFILE).first_day("/membershipStartDate"),
    Resource::get("settings", "/users/me/settings").scope(SETTINGS),
    Resource::get("irn_profile", "/users/me/irnProfile").scope(IRN).may_be_absent(),
    Resource::get("paired_devices", "/users/me/pairedDevices")
        .scope(SETTINGS)
        .paging(DEVICES)
        .records("/pairedDevices")
        .holds(Holds::Sparse)
        .key(&["/name"])
        .may_be_absent(),
    // Nights are asked for by their end; by their start is refused. One that is not processed will change by itself.
    points("sleep", path!("sleep"))
        .scope(SLEEP)
        .paging(SESSIONS)
        .window(range("sleep.interval.end_time", Stamp::Rfc3339, WHOLE))
        .key(&["/name"])
        .at("/sleep/interval/endTime")
        .version("/sleep/updateTime")
        .provisional(&[
            Provisional::Missing("/sleep/metadata/processed"),
            Provisional::Says("/sleep/metadata/processed", "false"),
        ])
        .lookback(14),
    sessions!("exercise", path!("exercise"), "exercise")
        .scope(ACTIVITY)
        .paging(SESSIONS)
        .version("/exercise/updateTime"),
    // Activity opens it together with location, where only a part of all people want to be known to be.
    Resource::get("exercise_tcx", "/users/me/dataTypes/exercise/dataPoints/{id}:exportExerciseTcx")
        .scope(LOCATION)
        .each(&["exercise"], include_str!("due/tcx.sql"))
        .may_be_withheld(),
    // Knows no end of a window.
    points("electrocardiogram", path!("electrocardiogram"))
        .scope(ECG)
        .window(Window::Range {
            start: "electrocardiogram.interval.start_time",
            end: "",
            format: Stamp::Rfc3339,
            max_days: WHOLE,
        })
        .key(by_origin!("/electrocardiogram/interval/startTime"))
        .at("/electrocardiogram/interval/startTime")
        .lookback(14)
        .may_be_absent(),
    sessions!("irregular_rhythm_notification", path!("irregular-rhythm-notification"), "irregularRhythmNotification")
        .key(by_origin!("/irregularRhythmNotification/interval/startTime"))
        .scope(IRN)
        .may_be_absent(),
    readings!("heart_rate", path!("heart-rate"), "heartRate", QUARTER),
    readings!("heart_rate_variability", path!("heart-rate-variability"), "heartRateVariability", YEAR),
    readings!("oxygen_saturation", path!("oxygen-saturation"), "oxygenSaturation", YEAR),
    samples!("respiratory_rate_sleep_summary", path!("respiratory-rate-sleep-summary"), "respiratoryRateSleepSummary"),
    days!("daily_resting_heart_rate", path!("daily-resting-heart-rate"), "dailyRestingHeartRate"),
    days!("daily_heart_rate_variability", path!("daily-heart-rate-variability"), "dailyHeartRateVariability"),
    days!("daily_oxygen_saturation", path!("daily-oxygen-saturation"), "dailyOxygenSaturation"),
    days!("daily_respiratory_rate", path!("daily-respiratory-rate"), "dailyRespiratoryRate"),
    days!(
        "daily_sleep_temperature_derivations",
        path!("daily-sleep-temperature-derivations"),
        "dailySleepTemperatureDerivations"
    ),
    days!("daily_vo2_max", path!("daily-vo2-max"), "dailyVo2Max").scope(ACTIVITY),
    days!("daily_heart_rate_zones", path!("daily-heart-rate-zones", "reconcile"), "dailyHeartRateZones"),
    samples!("vo2_max", path!("vo2-max"), "vo2Max").scope(ACTIVITY),
    samples!("run_vo2_max", path!("run-vo2-max"), "runVo2Max").scope(ACTIVITY),
    samples!("weight", path!("weight"), "weight").key(&["/name"]),
    samples!("height", path!("height"), "height").key(&["/name"]),
    samples!("body_fat", path!("body-fat"), "bodyFat").key(&["/name"]),
    samples!("blood_glucose", path!("blood-glucose"), "bloodGlucose").key(&["/name"]).may_be_absent(),
    samples!("core_body_temperature", path!("core-body-temperature"), "coreBodyTemperature").may_be_absent(),
    intervals!("steps", path!("steps"), "steps"),
    intervals!("distance", path!("distance"), "distance"),
    intervals!("altitude", path!("altitude"), "altitude"),
    intervals!("floors", path!("floors", "reconcile"), "floors"),
    intervals!("active_minutes", path!("active-minutes", "reconcile"), "activeMinutes"),
    intervals!("active_zone_minutes", path!("active-zone-minutes"), "activeZoneMinutes"),
    intervals!("activity_level", path!("activity-level"), "activityLevel"),
    intervals!("sedentary_period", path!("sedentary-period"), "sedentaryPeriod"),
    intervals!("time_in_heart_rate_zone", path!("time-in-heart-rate-zone", "reconcile"), "timeInHeartRateZone"),
    intervals!("swim_lengths_data", path!("swim-lengths-data"), "swimLengthsData"),
    intervals!("active_energy_burned", path!("active-energy-burned", "reconcile"), "activeEnergyBurned")
        .may_be_absent(),
    intervals!("basal_energy_burned", path!("basal-energy-burned", "reconcile"), "basalEnergyBurned").may_be_absent(),
    totals!("steps", "steps", 90, 14),
    totals!("distance", "distance", 90, 14),
    totals!("altitude", "altitude", 90, 14),
    totals!("floors", "floors", 90, 14),
    totals!("active_minutes", "active-minutes", 14, 11).led_by("steps_roll_up"),
    totals!("active_zone_minutes", "active-zone-minutes", 90, 14),
    totals!("sedentary_period", "sedentary-period", 90, 14),
    totals!("time_in_heart_rate_zone", "time-in-heart-rate-zone", 90, 14),
    totals!("swim_lengths_data", "swim-lengths-data", 90, 14),
    totals!("total_calories", "total-calories", 14, 11).early(Early::Near("steps")).led_by("steps_roll_up"),
    totals!("calories_in_heart_rate_zone", "calories-in-heart-rate-zone", 14, 11)
        .early(Early::Near("time_in_heart_rate_zone"))
        .led_by("time_in_heart_rate_zone_roll_up"),
    totals!("active_energy_burned", "active-energy-burned", 90, 14).may_be_absent(),
    totals!("heart_rate", "heart-rate", 14, 11).scope(METRICS).led_by("heart_rate"),
    sessions!("hydration_log", path!("hydration-log"), "hydrationLog").scope(NUTRITION),
    sessions!("nutrition_log", path!("nutrition-log"), "nutritionLog").scope(NUTRITION).may_be_absent(),
    dictionary("food", path!("food")),
    dictionary("food_measurement_unit", path!("food-measurement-unit")),
    // How these are filtered is not documented; intervals and moments of other types suggest it.
    logged("menstrual_period", path!("menstrual-period"))
        .scope(REPRODUCTIVE)
        .window(range("menstrual_period.interval.start_time", Stamp::Rfc3339, WHOLE))
        .key(by_origin!("/menstrualPeriod/interval/startTime"))
        .at("/menstrualPeriod/interval/startTime"),
    logged("ovulation_test", path!("ovulation-test"))
        .scope(REPRODUCTIVE)
        .window(range("ovulation_test.sample_time.physical_time", Stamp::Rfc3339, WHOLE))
        .key(by_origin!("/ovulationTest/sampleTime/physicalTime"))
        .at("/ovulationTest/sampleTime/physicalTime"),
    logged("symptoms", path!("symptoms"))
        .scope(SYMPTOMS)
        .window(range("symptoms.sample_time.physical_time", Stamp::Rfc3339, WHOLE))
        .key(by_origin!("/symptoms/sampleTime/physicalTime"))
        .at("/symptoms/sampleTime/physicalTime"),
    logged("moods", path!("moods"))
        .scope(MINDFULNESS)
        .window(range("moods.sample_time.physical_time", Stamp::Rfc3339, WHOLE))
        .key(by_origin!("/moods/sampleTime/physicalTime"))
        .at("/moods/sampleTime/physicalTime"),
];

const fn points(name: &'static str, path: &'static str) -> Resource {
    Resource::get(name, path).paging(PAGES).records("/dataPoints").holds(Holds::Sparse).call(filtered)
}

/// What the person logs by hand, which not everybody is offered.
const fn logged(name: &'static str, path: &'static str) -> Resource {
    points(name, path).lookback(14).may_be_absent()
}

/// A list that has no time, and takes no filter.
const fn dictionary(name: &'static str, path: &'static str) -> Resource {
    points(name, path).scope(NUTRITION).key(&["/name"]).may_be_absent()
}

/// A window by one member of the filter.
const fn range(member: &'static str, format: Stamp, max_days: Option<u16>) -> Window {
    Window::Range { start: member, end: member, format, max_days }
}

/// Both ends of the window stand in one parameter. Readings are asked for by whole hours.
fn filtered(resource: &Resource, slice: &Slice, token: Option<&PageToken>) -> Call {
    let mut query = Vec::new();
    if let Window::Range { start, end, format, .. } = resource.window {
        let whole =
            Slice { from: hour(slice.from), to: later_border(slice.to, hour(slice.to), chrono::TimeDelta::hours(1)) };
        let (from, to) = paging::stamps(format, if resource.holds == Holds::Readings { &whole } else { slice });
        let until = if end.is_empty() { String::new() } else { format!(" AND {end} < \"{to}\"") };
        query.push(("filter".to_owned(), format!("{start} >= \"{from}\"{until}")));
    }
    paging::call(resource, query, token)
}

/// The question for totals of days: all that the slice touches, and behind its end the day that may have begun for the person
/// already, unless that is one too many: then the next run asks, which reads the last days again. Days are civil and begin at
/// midnight wherever the person is: west of Greenwich the first began on the day that the slice does.
fn rolled_up(resource: &Resource, slice: &Slice, _token: Option<&PageToken>) -> Call {
    let first = slice.from.date_naive();
    let end = later_border(slice.to, midnight(slice.to), chrono::TimeDelta::days(2)).date_naive();
    let most = if let Window::Range { max_days: Some(most), .. } = resource.window { most } else { 1 };
    let end = first.checked_add_days(Days::new(most.into())).map_or(end, |furthest| end.min(furthest));
    let body = json!({
        "range": {"start": {"date": civil(first)}, "end": {"date": civil(end)}},
        "windowSizeDays": 1,
        "pageSize": (end - first).num_days(),
    });
    Call::Json { path: resource.path.to_owned(), body }
}

fn midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    at.date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// `at` if it lies on a border, else so much behind the border before it.
fn later_border(at: DateTime<Utc>, border: DateTime<Utc>, by: chrono::TimeDelta) -> DateTime<Utc> {
    if at == border { at } else { border + by }
}

fn civil(day: NaiveDate) -> Value {
    json!({"year": day.year(), "month": day.month(), "day": day.day()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::slices::cut;

    fn of(name: &str) -> &'static Resource {
        RESOURCES.iter().find(|resource| resource.name == name).unwrap()
    }

    fn asked(name: &str, from: &str, to: &str) -> String {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        match (of(name).call)(of(name), &Slice { from: at(from), to: at(to) }, None) {
            Call::Get { query, .. } => {
                query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" & ")
            }
            Call::Json { body, .. } => body.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_kind_of_type_is_filtered_by_its_member() {
        let window = ("2026-11-06T18:00:00Z", "2026-11-20T18:30:00Z");
        for (name, filter) in [
            (
                "sleep",
                r#"sleep.interval.end_time >= "2026-11-06T18:00:00.000Z" AND sleep.interval.end_time < "2026-11-20T18:30:00.000Z" & pageSize=25"#,
            ),
            (
                "exercise",
                r#"exercise.interval.civil_start_time >= "2026-11-05" AND exercise.interval.civil_start_time < "2026-11-22" & pageSize=25"#,
            ),
            (
                "electrocardiogram",
                r#"electrocardiogram.interval.start_time >= "2026-11-06T18:00:00.000Z" & pageSize=5000"#,
            ),
            (
                "daily_vo2_max",
                r#"daily_vo2_max.date >= "2026-11-06" AND daily_vo2_max.date < "2026-11-22" & pageSize=5000"#,
            ),
            (
                "weight",
                r#"weight.sample_time.physical_time >= "2026-11-06T18:00:00.000Z" AND weight.sample_time.physical_time < "2026-11-20T18:30:00.000Z" & pageSize=5000"#,
            ),
            // By whole hours.
            (
                "steps",
                r#"steps.interval.start_time >= "2026-11-06T18:00:00.000Z" AND steps.interval.start_time < "2026-11-20T19:00:00.000Z" & pageSize=5000"#,
            ),
        ] {
            assert_eq!(asked(name, window.0, window.1), format!("filter={filter}"), "{name}");
        }
        assert_eq!(asked("food", window.0, window.1), "pageSize=5000");
    }

    #[test]
    fn totals_are_asked_for_by_whole_days_and_never_by_too_many() {
        let body = |from: (u32, u32), to: (u32, u32), days: u32| {
            let date = |(month, day): (u32, u32)| json!({"date": {"year": 2026, "month": month, "day": day}});
            json!({"range": {"start": date(from), "end": date(to)}, "windowSizeDays": 1, "pageSize": days}).to_string()
        };
        let midnights = ("2026-10-01T00:00:00Z", "2026-10-15T00:00:00Z");
        assert_eq!(asked("total_calories_roll_up", midnights.0, midnights.1), body((10, 1), (10, 15), 14));
        // A lookback begins within a day, and today may be tomorrow already where the person is.
        assert_eq!(
            asked("heart_rate_roll_up", "2026-11-08T18:00:00Z", "2026-11-20T18:00:00Z"),
            body((11, 8), (11, 22), 14)
        );
        assert_eq!(
            asked("heart_rate_roll_up", "2026-11-07T18:00:00Z", "2026-11-20T18:00:00Z"),
            body((11, 7), (11, 21), 14)
        );
        assert_eq!(asked("steps_roll_up", "2026-11-20T18:00:00Z", "2026-11-20T19:00:00Z"), body((11, 20), (11, 22), 2));
        // The longest slices are asked for as a whole, wherever they begin.
        for (name, most) in [("heart_rate_roll_up", 14), ("steps_roll_up", 90)] {
            for hours in [0, 8, 23] {
                let from = "2026-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::hours(hours);
                let to = from + chrono::TimeDelta::days(200);
                let days = |slice: &Slice| match (of(name).call)(of(name), slice, None) {
                    Call::Json { body, .. } => body["pageSize"].as_i64().unwrap(),
                    other => panic!("{other:?}"),
                };
                let slices = cut(Slice { from, to }, of(name).window);
                assert!(slices.iter().all(|slice| days(slice) <= most), "{name}");
                let all = if hours == 0 { 200 } else { 202 };
                assert_eq!(slices.iter().map(days).sum::<i64>(), all, "{name}: each day once, and tomorrow");
            }
        }
    }

    #[test]
    fn no_two_resources_have_one_name() {
        let mut names: Vec<&str> = RESOURCES.iter().map(|resource| resource.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RESOURCES.len());
    }
}
