//! The models, and those that differ in names alone: what a type calls its values, in front of the SELECT that all of its
//! kind share.

use crate::canonical::Table;
use crate::source::Model;

/// Values of one type's measurements. A field: metric, place of the value, what is taken from it, factor, unit, place of the
/// method, and the member with its word that the field is for.
macro_rules! vitals {
    ($grain:literal, $camel:literal, $($field:literal),+) => {
        concat!(
            "-- grain: one row per ", $grain, "\nwith points as (\n",
            "  select c.source_id as raw_source_id, c.account_id, '", $camel, "' as member, j.p->'", $camel, "' as p, j.p->'dataSource' as origin\n",
            "    from changed c cross join lateral (select c.payload::jsonb as p offset 0) j\n  offset 0\n",
            "), fields (metric_code, path, minus, factor, unit_raw, how, tag, word) as (\n  values (null::text, null::text[], null::text[], null::double precision, null::text, null::text[], null::text, null::text)",
            $(", ", $field,)+ "\n)\n", include_str!("models/vitals.sql")
        )
    };
}

/// Totals of days of one type. A field: metric, statistic, list, member and word that choose of it, place of the value, factor,
/// whether it is a length of time, what nothing means, unit.
macro_rules! totals {
    ($grain:literal, $payload:expr, $($field:literal),+) => {
        concat!(
            "-- grain: one row per ", $grain, "\nwith totals as materialized (\n",
            "  select c.source_id as raw_source_id, c.user_id, c.run_id, google_health_raw.civil_date(j.p#>'{civilStartTime,date}') as day, ", $payload, " as p\n",
            "    from changed c cross join lateral (select c.payload::jsonb as p offset 0) j\n  offset 0\n",
            "), fields (metric_code, stat, list, tag, word, path, factor, is_length, nothing, unit_raw) as (\n  values (null::text, null::text, null::text, null::text, null::text, null::text[], null::double precision, null::boolean, null::double precision, null::text)",
            $(", ", $field,)+ "\n)\n", include_str!("models/totals.sql")
        )
    };
}

/// Readings of one type, by the hour. A field: metric, member, how many of it make one of the metric's unit, what one
/// that is left out means.
macro_rules! series {
    ($grain:literal, $camel:literal, $($field:literal),+) => {
        concat!(
            "-- grain: one row per hour and origin of ", $grain, "\nwith hours as (\n",
            "  select c.source_id as raw_source_id, c.user_id, meta.row_id('google_health', c.account_id, c.source_id, '", $camel, "') as origin_id, '", $camel, "' as member\n",
            "       , c.payload::jsonb->'dataPoints' as points from changed c\n  offset 0\n",
            "), fields (metric_code, field, per, nothing) as (\n  values (null::text, null::text, null::double precision, null::jsonb)",
            $(", ", $field,)+ "\n)\n", include_str!("models/series.sql")
        )
    };
}

pub(super) const MODELS: &[Model] = &[
    Model::new(
        "user_identity",
        "identity",
        &["profile", "settings"],
        Table::UserIdentity,
        include_str!("models/user_identity.sql"),
    ),
    Model::new(
        "sleep_sessions",
        "sleep",
        &[],
        Table::SleepSessions,
        concat!(include_str!("models/sleep_sessions.sql"), include_str!("../night.sql")),
    ),
    Model::new(
        "workouts",
        "exercise",
        &[],
        Table::Workouts,
        concat!(include_str!("models/workouts.sql"), include_str!("../workout.sql")),
    ),
    vital(
        "vitals_resting",
        "daily_resting_heart_rate",
        vitals!(
            "day's resting heart rate",
            "dailyRestingHeartRate",
            "('heart_rate_resting', '{beatsPerMinute}', null, 1, 'bpm', '{dailyRestingHeartRateMetadata,calculationMethod}', null, null)"
        ),
    ),
    vital(
        "vitals_hrv",
        "daily_heart_rate_variability",
        vitals!(
            "day's heart rate variability, RMSSD of the sleep",
            "dailyHeartRateVariability",
            "('hrv_rmssd', '{averageHeartRateVariabilityMilliseconds}', null, 1, 'ms', null, null, null)"
        ),
    ),
    vital(
        "vitals_spo2",
        "daily_oxygen_saturation",
        vitals!(
            "day's mean blood oxygen, of its sleep",
            "dailyOxygenSaturation",
            "('spo2', '{averagePercentage}', null, 1, '%', null, null, null)"
        ),
    ),
    vital(
        "vitals_breath",
        "daily_respiratory_rate",
        vitals!(
            "day's respiratory rate, of its main sleep",
            "dailyRespiratoryRate",
            "('respiratory_rate', '{breathsPerMinute}', null, 1, 'breaths/min', null, null, null)"
        ),
    ),
    vital(
        "vitals_breath_sleep",
        "respiratory_rate_sleep_summary",
        vitals!(
            "sleep's respiratory rate, all of it",
            "respiratoryRateSleepSummary",
            "('respiratory_rate', '{fullSleepStats,breathsPerMinute}', null, 1, 'breaths/min', null, null, null)"
        ),
    ),
    vital(
        "vitals_temperature",
        "daily_sleep_temperature_derivations",
        vitals!(
            "temperature of the skin in a night: absolute, and against the median of thirty",
            "dailySleepTemperatureDerivations",
            "('skin_temperature', '{nightlyTemperatureCelsius}', null, 1, 'Cel', null, null, null)",
            "('skin_temperature_delta', '{nightlyTemperatureCelsius}', '{baselineTemperatureCelsius}', 1, 'Cel', null, null, null)"
        ),
    ),
    vital(
        "vitals_vo2_max_day",
        "daily_vo2_max",
        vitals!(
            "day's estimate of maximal oxygen uptake",
            "dailyVo2Max",
            "('vo2max', '{vo2Max}', null, 1, 'mL/kg/min', null, null, null)"
        ),
    ),
    vital(
        "vitals_vo2_max",
        "vo2_max",
        vitals!(
            "estimate of maximal oxygen uptake, with its method",
            "vo2Max",
            "('vo2max', '{vo2Max}', null, 1, 'mL/kg/min', '{measurementMethod}', null, null)"
        ),
    ),
    vital(
        "vitals_vo2_max_run",
        "run_vo2_max",
        vitals!(
            "estimate of maximal oxygen uptake from a run",
            "runVo2Max",
            "('vo2max', '{runVo2Max}', null, 1, 'mL/kg/min', null, null, null)"
        ),
    ),
    vital(
        "vitals_weight",
        "weight",
        vitals!("weight, sent in grams", "weight", "('weight', '{weightGrams}', null, 0.001, 'g', null, null, null)"),
    ),
    vital(
        "vitals_height",
        "height",
        vitals!(
            "height, sent in millimetres",
            "height",
            "('height', '{heightMillimeters}', null, 0.1, 'mm', null, null, null)"
        ),
    ),
    vital(
        "vitals_body_fat",
        "body_fat",
        vitals!("body fat", "bodyFat", "('fat_pct', '{percentage}', null, 1, '%', null, null, null)"),
    ),
    vital(
        "vitals_glucose",
        "blood_glucose",
        vitals!(
            "glucose: of a sensor, else of a finger stick, of a laboratory without a metric",
            "bloodGlucose",
            "('glucose_interstitial', '{bloodGlucoseMilligramsPerDeciliter}', null, 1, 'mg/dL', '{measurementTiming}', 'measurementSource', 'CONTINUOUS_GLUCOSE_MONITORING')",
            "('glucose_capillary', '{bloodGlucoseMilligramsPerDeciliter}', null, 1, 'mg/dL', '{measurementTiming}', 'measurementSource', 'SELF_MONITORING_BLOOD_GLUCOSE')",
            "('glucose_capillary', '{bloodGlucoseMilligramsPerDeciliter}', null, 1, 'mg/dL', '{measurementTiming}', 'measurementSource', '')",
            "(null, '{bloodGlucoseMilligramsPerDeciliter}', null, 1, 'mg/dL', '{measurementTiming}', 'measurementSource', 'LAB_TEST')"
        ),
    ),
    vital(
        "vitals_body_temperature",
        "core_body_temperature",
        vitals!(
            "body temperature",
            "coreBodyTemperature",
            "('body_temperature', '{temperatureCelsius}', null, 1, 'Cel', null, null, null)"
        ),
    ),
    // The mean rate of an electrocardiogram, and what was read in it.
    vital(
        "vitals_ecg",
        "electrocardiogram",
        concat!(
            "-- grain: one row per electrocardiogram that has a mean heart rate\nwith points as (\n",
            "  select c.source_id as raw_source_id, c.account_id, 'electrocardiogram' as member, j.p->'dataSource' as origin, jsonb_build_object('rate', j.p#>'{electrocardiogram,beatsPerMinuteAvg}', 'method', 'electrocardiogram',\n",
            "           'sampleTime', jsonb_build_object('physicalTime', j.p#>'{electrocardiogram,interval,startTime}', 'utcOffset', j.p#>'{electrocardiogram,interval,startUtcOffset}')) as p\n",
            "    from changed c cross join lateral (select c.payload::jsonb as p offset 0) j\n  offset 0\n",
            "), fields (metric_code, path, minus, factor, unit_raw, how, tag, word) as (\n",
            "  values ('heart_rate', '{rate}'::text[], null::text[], 1::double precision, 'bpm', '{method}'::text[], null::text, null::text)\n)\n",
            include_str!("models/vitals.sql")
        ),
    ),
    coded(
        "events_ecg",
        "electrocardiogram",
        concat!(
            "-- grain: one row per electrocardiogram: what was read in it\nwith coded as (\n",
            "  select c.source_id as raw_source_id, c.account_id, j.p, 'ecg_classification' as metric_code, j.p->>'resultClassification' as said\n",
            "       , lower(j.p->>'resultClassification') as code, null::text as flag\n",
            "       , jsonb_strip_nulls(jsonb_build_object('heart_rate_avg', j.p->'beatsPerMinuteAvg', 'hertz', j.p->'samplingFrequencyHertz', 'lead', j.p->'leadNumber')) as context\n",
            "    from changed c cross join lateral (select c.payload::jsonb->'electrocardiogram' as p offset 0) j\n",
            "   where j.p->>'resultClassification' <> ''\n)\n",
            include_str!("models/coded.sql")
        ),
    ),
    coded(
        "events_rhythm",
        "irregular_rhythm_notification",
        concat!(
            "-- grain: one row per notification of an irregular rhythm\nwith coded as (\n",
            "  select c.source_id as raw_source_id, c.account_id, j.p, 'irregular_rhythm_event' as metric_code, null::text as said, 'present' as code, null::text as flag\n",
            "       , jsonb_build_object('windows', jsonb_array_length(coalesce(j.p->'alertWindows', '[]'))) as context\n",
            "    from changed c cross join lateral (select c.payload::jsonb->'irregularRhythmNotification' as p offset 0) j\n)\n",
            include_str!("models/coded.sql")
        ),
    ),
    coded(
        "events_period",
        "menstrual_period",
        concat!(
            "-- grain: one row per menstrual period, how strong it was is not said\nwith coded as (\n",
            "  select c.source_id as raw_source_id, c.account_id, j.p, 'menstrual_flow' as metric_code, null::text as said, 'unspecified' as code, 'manual' as flag, null::jsonb as context\n",
            "    from changed c cross join lateral (select c.payload::jsonb->'menstrualPeriod' as p offset 0) j\n)\n",
            include_str!("models/coded.sql")
        ),
    ),
    coded(
        "events_ovulation",
        "ovulation_test",
        concat!(
            "-- grain: one row per ovulation test that has a result\nwith coded as (\n",
            "  select c.source_id as raw_source_id, c.account_id, j.p, 'ovulation_test_result' as metric_code, j.p->>'result' as said, lower(j.p->>'result') as code, 'manual' as flag, null::jsonb as context\n",
            "    from changed c cross join lateral (select c.payload::jsonb->'ovulationTest' as p offset 0) j\n   where j.p->>'result' <> ''\n)\n",
            include_str!("models/coded.sql")
        ),
    ),
    coded(
        "events_symptoms",
        "symptoms",
        concat!(
            "-- grain: one row per symptom that the dictionary has a metric for, others stay in raw\nwith coded as (\n",
            "  select c.source_id as raw_source_id, c.account_id, j.p, m.metric_code, e.said, 'present' as code, 'manual' as flag, null::jsonb as context\n",
            "    from changed c cross join lateral (select c.payload::jsonb->'symptoms' as p offset 0) j\n",
            "   cross join lateral (select distinct said from jsonb_array_elements_text(j.p->'symptoms') said) e\n",
            "    join meta.metrics m on m.metric_code = 'symptom_' || lower(e.said)\n)\n",
            include_str!("models/coded.sql")
        ),
    ),
    Model::new("moods", "moods", &[], Table::MoodEntries, include_str!("models/moods.sql")),
    Model::new(
        "nutrition_log",
        "nutrition_log",
        &[],
        Table::NutritionEntries,
        include_str!("models/nutrition_log.sql"),
    ),
    Model::new(
        "hydration_log",
        "hydration_log",
        &[],
        Table::NutritionEntries,
        include_str!("models/hydration_log.sql"),
    ),
    total(
        "daily_steps",
        "steps_roll_up",
        totals!(
            "day's steps, as the app shows them",
            "j.p->'steps'",
            "('steps', 'total', null, null, null, '{countSum}', 1, false, 0, 'steps')"
        ),
    ),
    total(
        "daily_distance",
        "distance_roll_up",
        totals!(
            "day's distance",
            "j.p->'distance'",
            "('distance_total', 'total', null, null, null, '{millimetersSum}', 0.001, false, 0, 'mm')"
        ),
    ),
    total(
        "daily_altitude",
        "altitude_roll_up",
        totals!(
            "day's climb",
            "j.p->'altitude'",
            "('elevation_gain', 'total', null, null, null, '{gainMillimetersSum}', 0.001, false, 0, 'mm')"
        ),
    ),
    total(
        "daily_floors",
        "floors_roll_up",
        totals!(
            "day's floors",
            "j.p->'floors'",
            "('floors', 'total', null, null, null, '{countSum}', 1, false, 0, 'floors')"
        ),
    ),
    total(
        "daily_active_minutes",
        "active_minutes_roll_up",
        totals!(
            "day and level of activity: time in it",
            "j.p->'activeMinutes'",
            "('intensity_light_time', 'total', 'activeMinutesRollupByActivityLevel', 'activityLevel', 'LIGHT', '{activeMinutesSum}', 60, false, 0, 'min')",
            "('intensity_moderate_time', 'total', 'activeMinutesRollupByActivityLevel', 'activityLevel', 'MODERATE', '{activeMinutesSum}', 60, false, 0, 'min')",
            "('intensity_vigorous_time', 'total', 'activeMinutesRollupByActivityLevel', 'activityLevel', 'VIGOROUS', '{activeMinutesSum}', 60, false, 0, 'min')"
        ),
    ),
    total(
        "daily_zone_minutes",
        "active_zone_minutes_roll_up",
        totals!(
            "day's active zone minutes, those of all zones",
            "case when jsonb_typeof(j.p->'activeZoneMinutes') = 'object' then jsonb_build_object('sum', coalesce(meta.number(j.p#>'{activeZoneMinutes,sumInFatBurnHeartZone}'), 0) + coalesce(meta.number(j.p#>'{activeZoneMinutes,sumInCardioHeartZone}'), 0) + coalesce(meta.number(j.p#>'{activeZoneMinutes,sumInPeakHeartZone}'), 0)) end",
            "('active_zone_minutes', 'total', null, null, null, '{sum}', 1, false, 0, 'min')"
        ),
    ),
    total(
        "daily_sedentary",
        "sedentary_period_roll_up",
        totals!(
            "day's sedentary time",
            "j.p->'sedentaryPeriod'",
            "('sedentary_time', 'total', null, null, null, '{durationSum}', 1, true, 0, 's')"
        ),
    ),
    total(
        "daily_zones",
        "time_in_heart_rate_zone_roll_up",
        totals!(
            "day and zone of the heart rate: time in it",
            "j.p->'timeInHeartRateZone'",
            "('hr_zone_light_time', 'total', 'timeInHeartRateZones', 'heartRateZone', 'LIGHT', '{duration}', 1, true, 0, 's')",
            "('hr_zone_moderate_time', 'total', 'timeInHeartRateZones', 'heartRateZone', 'MODERATE', '{duration}', 1, true, 0, 's')",
            "('hr_zone_vigorous_time', 'total', 'timeInHeartRateZones', 'heartRateZone', 'VIGOROUS', '{duration}', 1, true, 0, 's')",
            "('hr_zone_peak_time', 'total', 'timeInHeartRateZones', 'heartRateZone', 'PEAK', '{duration}', 1, true, 0, 's')"
        ),
    ),
    total(
        "daily_swim",
        "swim_lengths_data_roll_up",
        totals!(
            "day's swimming strokes",
            "j.p->'swimLengthsData'",
            "('swim_strokes', 'total', null, null, null, '{strokeCountSum}', 1, false, 0, 'strokes')"
        ),
    ),
    total(
        "daily_energy",
        "total_calories_roll_up",
        totals!(
            "day's energy, rest included",
            "j.p->'totalCalories'",
            "('energy_total', 'total', null, null, null, '{kcalSum}', 1, false, 0, 'kcal')"
        ),
    ),
    total(
        "daily_energy_active",
        "active_energy_burned_roll_up",
        totals!(
            "day's energy above rest",
            "j.p->'activeEnergyBurned'",
            "('energy_active', 'total', null, null, null, '{kcalSum}', 1, false, 0, 'kcal')"
        ),
    ),
    total(
        "daily_heart_rate",
        "heart_rate_roll_up",
        totals!(
            "day and statistic of the heart rate",
            "j.p->'heartRate'",
            "('heart_rate', 'avg', null, null, null, '{beatsPerMinuteAvg}', 1, false, null, 'bpm')",
            "('heart_rate', 'min', null, null, null, '{beatsPerMinuteMin}', 1, false, null, 'bpm')",
            "('heart_rate', 'max', null, null, null, '{beatsPerMinuteMax}', 1, false, null, 'bpm')"
        ),
    ),
    readings(
        "series_heart_rate",
        "heart_rate",
        series!("heart rates", "heartRate", "('heart_rate', 'beatsPerMinute', 1, null)"),
    ),
    readings(
        "series_hrv",
        "heart_rate_variability",
        series!(
            "heart rate variability, RMSSD and SDNN apart",
            "heartRateVariability",
            "('hrv_rmssd', 'rootMeanSquareOfSuccessiveDifferencesMilliseconds', 1, null)",
            "('hrv_sdnn', 'standardDeviationMilliseconds', 1, null)"
        ),
    ),
    readings(
        "series_spo2",
        "oxygen_saturation",
        series!("blood oxygen", "oxygenSaturation", "('spo2', 'percentage', 1, null)"),
    ),
    readings("series_steps", "steps", series!("steps", "steps", "('steps', 'count', 1, '0')")),
    readings(
        "series_distance",
        "distance",
        series!("distance, sent in millimetres", "distance", "('distance_total', 'millimeters', 1000, '0')"),
    ),
    readings(
        "series_altitude",
        "altitude",
        series!("climb, sent in millimetres", "altitude", "('elevation_gain', 'gainMillimeters', 1000, '0')"),
    ),
    readings("series_floors", "floors", series!("floors", "floors", "('floors', 'count', 1, '0')")),
    readings(
        "series_zone_minutes",
        "active_zone_minutes",
        series!("active zone minutes", "activeZoneMinutes", "('active_zone_minutes', 'activeZoneMinutes', 1, '0')"),
    ),
    readings(
        "series_swim",
        "swim_lengths_data",
        series!("swimming strokes", "swimLengthsData", "('swim_strokes', 'strokeCount', 1, '0')"),
    ),
    readings(
        "series_energy_active",
        "active_energy_burned",
        series!("energy above rest", "activeEnergyBurned", "('energy_active', 'kcal', 1, '0')"),
    ),
    readings(
        "series_energy_basal",
        "basal_energy_burned",
        series!("energy at rest", "basalEnergyBurned", "('energy_basal', 'kcal', 1, '0')"),
    ),
];

const fn vital(name: &'static str, reads: &'static str, select: &'static str) -> Model {
    Model::new(name, reads, &[], Table::BiometricsVitals, select)
}

const fn total(name: &'static str, reads: &'static str, select: &'static str) -> Model {
    Model::new(name, reads, &[], Table::DailySummaries, select)
}

const fn readings(name: &'static str, reads: &'static str, select: &'static str) -> Model {
    // An hour may have a thousand readings and more.
    Model::new(name, reads, &[], Table::SampleOrigins, select).in_pieces()
}

const fn coded(name: &'static str, reads: &'static str, select: &'static str) -> Model {
    Model::new(name, reads, &[], Table::SampleValues, select)
}
