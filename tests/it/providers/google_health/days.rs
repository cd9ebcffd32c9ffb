//! What a day brings beside sleep and exercise: readings by the hour, measurements, values and totals of the day, what the
//! person logs.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::Point;
use super::records::{Local, of_day, of_interval, of_moment, phone, total, watch};

/// All of it. `at` gives a time of that day, `woke` when the values of the day appear.
pub fn of(day: NaiveDate, i: i64, woke: DateTime<Utc>, at: &dyn Fn(u32, i64) -> Local) -> Vec<Point> {
    let mut points = readings(i, at);
    points.extend(values(day, i, woke));
    points.extend(totals(day, i, at(19, 0).utc()));
    points.extend(measured(i, at));
    points.extend(logged(i, at));
    points
}

fn real(i: i64) -> f64 {
    f64::from(i32::try_from(i).expect("small"))
}

/// A point whose hour becomes a series.
fn of_series(point: Point, at: Local) -> Point {
    point.row("sample_origins", "", &[("utc_offset_s", json!(at.offset_s)), ("tz_basis", json!("record"))])
}

fn readings(i: i64, at: &dyn Fn(u32, i64) -> Local) -> Vec<Point> {
    let mut points = vec![];
    let mut moment = |resource, time: Local, said: &Value| {
        points.push(of_series(of_moment(resource, time, &watch(), said), time));
    };
    // Two in one hour, one in another; a rate is a number of 64 bits, and so a text.
    for (n, time) in [at(1, 5), at(1, 50), at(11, 0)].into_iter().enumerate() {
        let rate = 48 + i % 60 + i64::try_from(n).expect("small");
        moment(
            "heart_rate",
            time,
            &json!({"beatsPerMinute": rate.to_string(), "metadata": {"motionContext": "SEDENTARY"}}),
        );
    }
    let both =
        json!({"rootMeanSquareOfSuccessiveDifferencesMilliseconds": 39.5, "standardDeviationMilliseconds": 52.75});
    moment("heart_rate_variability", at(2, 5), &both);
    moment("heart_rate_variability", at(3, 5), &json!({"standardDeviationMilliseconds": 44.5}));
    moment("oxygen_saturation", at(2, 6), &json!({"percentage": 94.5 + real(i % 5)}));
    let mut span = |resource, time: Local, source: &Value, said: &Value, is_series: bool| {
        let point = of_interval(resource, time, time.plus(60), source, said);
        points.push(if is_series { of_series(point, time) } else { point });
    };
    // The phone counts the same steps once more. A minute without any leaves its zero out.
    for (minute, count) in [(1, json!({"count": "57"})), (2, json!({})), (65, json!({"count": "31"}))] {
        span("steps", at(10, minute), &watch(), &count, true);
    }
    span("steps", at(10, 1), &phone(), &json!({"count": "49"}), true);
    span("distance", at(10, 1), &watch(), &json!({"millimeters": "41250"}), true);
    span("altitude", at(10, 1), &watch(), &json!({"gainMillimeters": "3048"}), true);
    span("floors", at(10, 3), &watch(), &json!({"count": "1"}), true);
    span("active_energy_burned", at(10, 1), &watch(), &json!({"kcal": 4.25}), true);
    span(
        "active_zone_minutes",
        at(9, 20),
        &watch(),
        &json!({"heartRateZone": "CARDIO", "activeZoneMinutes": "2"}),
        true,
    );
    if i % 5 == 0 {
        span(
            "swim_lengths_data",
            at(8, 0),
            &watch(),
            &json!({"swimStrokeType": "FREESTYLE", "strokeCount": "18"}),
            true,
        );
    }
    span("activity_level", at(10, 1), &watch(), &json!({"activityLevelType": "LIGHTLY_ACTIVE"}), false);
    span("sedentary_period", at(13, 0), &watch(), &json!({}), false);
    span("time_in_heart_rate_zone", at(9, 20), &watch(), &json!({"heartRateZoneType": "VIGOROUS"}), false);
    let levels = json!({"activeMinutesByActivityLevel": [{"activityLevel": "LIGHT", "activeMinutes": "1"}]});
    span("active_minutes", at(10, 1), &watch(), &levels, false);
    points
}

/// One row of the day without an instant.
fn of_the_day(day: NaiveDate, value: Value, unit: &'static str) -> Vec<(&'static str, Value)> {
    vec![
        ("local_date", json!(day)),
        ("value_num", value),
        ("unit_raw", json!(unit)),
        ("observed_at", Value::Null),
        ("time_precision", json!("day")),
    ]
}

fn values(day: NaiveDate, i: i64, woke: DateTime<Utc>) -> Vec<Point> {
    let vital = |resource, said: Value, rows: &[(&'static str, Value, &'static str)]| {
        let point = of_day(resource, day, woke, &said);
        rows.iter().fold(point, |point, (metric, value, unit)| {
            point.row("biometrics_vitals", metric, &of_the_day(day, value.clone(), unit))
        })
    };
    let rate = 50 + i % 20;
    let (night, usual) = (33.5 + real(i % 4) / 8.0, 33.25);
    let resting = json!({"beatsPerMinute": rate.to_string(), "dailyRestingHeartRateMetadata": {"calculationMethod": "WITH_SLEEP"}});
    let mut points = vec![
        vital("daily_resting_heart_rate", resting, &[("heart_rate_resting", json!(rate), "bpm")]),
        vital(
            "daily_oxygen_saturation",
            json!({"averagePercentage": 96.5, "lowerBoundPercentage": 93.5, "upperBoundPercentage": 98.5}),
            &[("spo2", json!(96.5), "%")],
        ),
        vital(
            "daily_respiratory_rate",
            json!({"breathsPerMinute": 14.75}),
            &[("respiratory_rate", json!(14.75), "breaths/min")],
        ),
        vital(
            "daily_sleep_temperature_derivations",
            json!({"nightlyTemperatureCelsius": night, "baselineTemperatureCelsius": usual}),
            &[("skin_temperature", json!(night), "Cel"), ("skin_temperature_delta", json!(night - usual), "Cel")],
        ),
        vital(
            "daily_heart_rate_zones",
            json!({"heartRateZones": [{"heartRateZoneType": "PEAK", "minBeatsPerMinute": "160"}]}),
            &[],
        ),
    ];
    // One of four values must be there; RMSSD is not on every day.
    if i % 6 == 0 {
        points.push(vital("daily_heart_rate_variability", json!({"entropy": 2.5}), &[]));
    } else {
        let said = json!({"averageHeartRateVariabilityMilliseconds": 41.75, "nonRemHeartRateBeatsPerMinute": "55"});
        points.push(vital("daily_heart_rate_variability", said, &[("hrv_rmssd", json!(41.75), "ms")]));
    }
    if i % 7 == 0 {
        let said = json!({"vo2Max": 44.5, "cardioFitnessLevel": "GOOD"});
        points.push(vital("daily_vo2_max", said, &[("vo2max", json!(44.5), "mL/kg/min")]));
    }
    points
}

fn totals(day: NaiveDate, i: i64, since: DateTime<Utc>) -> Vec<Point> {
    let of = |resource, said: Value, rows: &[(&'static str, &'static str, Value)]| {
        rows.iter().fold(total(resource, day, since, &said), |point, (what, stat, value)| {
            let row = [
                ("local_date", json!(day)),
                ("value_num", value.clone()),
                ("stat", json!(stat)),
                ("origin", json!("provider")),
            ];
            point.row("daily_summaries", what, &row)
        })
    };
    let steps = 4_000 + i % 9_000;
    let nothing = i % 11 == 0;
    let counted = if nothing { json!({}) } else { json!({"countSum": steps.to_string()}) };
    let levels = json!({"activeMinutesRollupByActivityLevel": [{"activityLevel": "LIGHT", "activeMinutesSum": "201"}, {"activityLevel": "VIGOROUS"}]});
    let zones = json!({"timeInHeartRateZones": [{"heartRateZone": "LIGHT", "duration": "80000s"}, {"heartRateZone": "PEAK", "duration": "61.5s"}]});
    vec![
        of("steps_roll_up", counted, &[("steps", "total", json!(if nothing { 0 } else { steps }))]),
        of("distance_roll_up", json!({"millimetersSum": "6120500"}), &[("distance_total", "total", json!(6120.5))]),
        of("altitude_roll_up", json!({"gainMillimetersSum": "30480"}), &[("elevation_gain", "total", json!(30.48))]),
        of("floors_roll_up", json!({"countSum": "10"}), &[("floors", "total", json!(10))]),
        of(
            "active_minutes_roll_up",
            levels,
            &[("intensity_light_time", "total", json!(12_060)), ("intensity_vigorous_time", "total", json!(0))],
        ),
        of(
            "active_zone_minutes_roll_up",
            json!({"sumInFatBurnHeartZone": "12", "sumInCardioHeartZone": "8"}),
            &[("active_zone_minutes", "total", json!(20))],
        ),
        of("sedentary_period_roll_up", json!({"durationSum": "43200s"}), &[("sedentary_time", "total", json!(43_200))]),
        of(
            "time_in_heart_rate_zone_roll_up",
            zones,
            &[("hr_zone_light_time", "total", json!(80_000)), ("hr_zone_peak_time", "total", json!(61.5))],
        ),
        of("swim_lengths_data_roll_up", json!({"strokeCountSum": "180"}), &[("swim_strokes", "total", json!(180))]),
        of("total_calories_roll_up", json!({"kcalSum": 2412.5}), &[("energy_total", "total", json!(2412.5))]),
        of(
            "calories_in_heart_rate_zone_roll_up",
            json!({"caloriesInHeartRateZones": [{"heartRateZone": "PEAK", "kcal": 31.5}]}),
            &[],
        ),
        of("active_energy_burned_roll_up", json!({"kcalSum": 512.25}), &[("energy_active", "total", json!(512.25))]),
        of(
            "heart_rate_roll_up",
            json!({"beatsPerMinuteAvg": 71.5, "beatsPerMinuteMin": 44.0, "beatsPerMinuteMax": 151.0}),
            &[
                ("heart_rate", "avg", json!(71.5)),
                ("heart_rate min", "min", json!(44)),
                ("heart_rate max", "max", json!(151)),
            ],
        ),
    ]
}

fn measured(i: i64, at: &dyn Fn(u32, i64) -> Local) -> Vec<Point> {
    let of = |resource, time: Local, said: Value, metric: &'static str, value: Value| {
        let row = [
            ("local_date", json!(time.clock.date())),
            ("observed_at", time.stamp()),
            ("value_num", value),
            ("utc_offset_s", json!(time.offset_s)),
            ("is_self_reported", json!(false)),
        ];
        of_moment(resource, time, &watch(), &said).row("biometrics_vitals", metric, &row)
    };
    let breath = json!({"fullSleepStats": {"breathsPerMinute": 14.25}, "remSleepStats": {"breathsPerMinute": 15.0}});
    let mut points = vec![of("respiratory_rate_sleep_summary", at(7, 0), breath, "respiratory_rate", json!(14.25))];
    if i % 3 == 0 {
        let grams = 74_310.0 - real(i % 9) * 100.0;
        points.push(
            of("weight", at(8, 20), json!({"weightGrams": grams}), "weight", json!(grams / 1000.0))
                .named(&format!("w{i}")),
        );
        points.push(
            of("body_fat", at(8, 20), json!({"percentage": 18.5}), "fat_pct", json!(18.5)).named(&format!("f{i}")),
        );
    }
    if i % 10 == 0 {
        points.push(
            of("height", at(8, 21), json!({"heightMillimeters": "1784"}), "height", json!(178.4))
                .named(&format!("h{i}")),
        );
        points.push(of(
            "vo2_max",
            at(10, 0),
            json!({"vo2Max": 44.25, "measurementMethod": "COOPER_TEST"}),
            "vo2max",
            json!(44.25),
        ));
        points.push(of("run_vo2_max", at(10, 1), json!({"runVo2Max": 45.5}), "vo2max", json!(45.5)));
        points.push(of(
            "core_body_temperature",
            at(20, 0),
            json!({"temperatureCelsius": 36.75}),
            "body_temperature",
            json!(36.75),
        ));
    }
    let glucose = |source: &str| json!({"bloodGlucoseMilligramsPerDeciliter": 92.0, "measurementSource": source, "measurementTiming": "FASTING"});
    if i % 4 == 1 {
        let (source, metric) = [
            ("SELF_MONITORING_BLOOD_GLUCOSE", "glucose_capillary"),
            ("CONTINUOUS_GLUCOSE_MONITORING", "glucose_interstitial"),
            ("LAB_TEST", ""),
        ][usize::try_from(i / 4 % 3).expect("a place")];
        points.push(of("blood_glucose", at(7, 45), glucose(source), metric, json!(92)).named(&format!("g{i}")));
    }
    if i % 7 == 2 {
        let time = at(12, 0);
        let said = json!({"beatsPerMinuteAvg": 66, "resultClassification": "NORMAL_SINUS_RHYTHM", "waveformSamples": [12, -3, 40],
                          "samplingFrequencyHertz": 250, "millivoltsScalingFactor": 10_000});
        let coded = [("value_code", json!("normal_sinus_rhythm")), ("start_at", time.stamp())];
        let rate = [("value_num", json!(66)), ("observed_at", time.stamp()), ("method", json!("electrocardiogram"))];
        points.push(
            of_interval("electrocardiogram", time, time.plus(30), &watch(), &said)
                .row("samples", "ecg_classification", &coded)
                .row("biometrics_vitals", "heart_rate", &rate),
        );
    }
    if i % 30 == 4 {
        let time = at(2, 0);
        let row = [("value_code", json!("present")), ("start_at", time.stamp()), ("end_at", time.plus(7200).stamp())];
        let said = json!({"alertWindows": [{"positive": true, "heartBeats": []}]});
        points.push(of_interval("irregular_rhythm_notification", time, time.plus(7200), &watch(), &said).row(
            "samples",
            "irregular_rhythm_event",
            &row,
        ));
    }
    points
}

fn logged(i: i64, at: &dyn Fn(u32, i64) -> Local) -> Vec<Point> {
    let mut points = vec![];
    let time = at(12, 30);
    let drunk = if i % 9 == 0 { json!({}) } else { json!({"milliliters": 250.0, "userProvidedUnit": "MILLILITER"}) };
    let water = if i % 9 == 0 { 0 } else { 250 };
    let row = [("water_ml", json!(water)), ("eaten_at", time.stamp()), ("local_date", json!(time.clock.date()))];
    points.push(
        of_interval("hydration_log", time, time.plus(60), &phone(), &json!({"amountConsumed": drunk}))
            .named(&format!("water-{i}"))
            .row("nutrition_entries", "", &row),
    );
    if i % 2 == 0 {
        let said = json!({"energy": {"kcal": 320.5}, "totalCarbohydrate": {"grams": 41.5}, "mealType": "LUNCH", "foodDisplayName": "Soup",
                          "nutrients": [{"nutrient": "PROTEIN", "quantity": {"grams": 12.5}}, {"nutrient": "SODIUM", "quantity": {"grams": 0.75}}]});
        let row = [
            ("energy_kcal", json!(320.5)),
            ("carbs_g", json!(41.5)),
            ("protein_g", json!(12.5)),
            ("sodium_mg", json!(750)),
            ("fat_g", Value::Null),
            ("meal", json!("lunch")),
            ("food_name", json!("Soup")),
        ];
        points.push(
            of_interval("nutrition_log", time, time.plus(60), &phone(), &said).named(&format!("food-{i}")).row(
                "nutrition_entries",
                "",
                &row,
            ),
        );
    }
    if i % 28 == 3 {
        let row = [("value_code", json!("unspecified")), ("start_at", time.stamp())];
        points.push(
            of_interval("menstrual_period", time, time.plus(345_600), &phone(), &json!({"notes": "late"})).row(
                "samples",
                "menstrual_flow",
                &row,
            ),
        );
        let row = [("value_code", json!("positive")), ("start_at", time.stamp())];
        points.push(of_moment("ovulation_test", time, &phone(), &json!({"result": "POSITIVE"})).row(
            "samples",
            "ovulation_test_result",
            &row,
        ));
    }
    if i % 13 == 0 {
        let row = [("value_code", json!("present")), ("start_at", time.stamp())];
        points.push(of_moment("symptoms", time, &phone(), &json!({"symptoms": ["HEADACHE", "UNHEARD_OF"]})).row(
            "samples",
            "symptom_headache",
            &row,
        ));
        let row = [("labels", json!(["CALM", "HAPPY"])), ("value_raw", json!("PLEASANT")), ("valence", Value::Null)];
        points.push(
            of_moment("moods", time, &phone(), &json!({"moods": ["CALM", "HAPPY"], "valences": ["PLEASANT"]})).row(
                "mood_entries",
                "",
                &row,
            ),
        );
    }
    points
}
