//! How a body answers to a day: nights, recovery, load. Plausible and correlated, not medicine. Knows no instants.

use super::calendar::{Day, Training};
use super::random::Random;
use super::shapes::{CycleScore, Needed, RecoveryScore, SleepScore, Stages, WorkoutScore, Zones};

pub(super) const MAX_HEART_RATE: f64 = 186.0;
const MINUTE: f64 = 60_000.0;
/// A load of this much takes a strain from 0 to about 13 of 21.
const STRAIN_SCALE: f64 = 110.0;

/// What a night inherits from the day before it.
#[derive(Clone, Copy, Default)]
pub(super) struct Yesterday {
    pub(super) strain: f64,
    /// Sleep that was needed and not had, ms.
    pub(super) debt: i64,
    /// Nap of the day before, ms asleep.
    pub(super) napped: i64,
}

/// `sum` of the stages is `in_bed`, to the millisecond.
fn stages(random: &mut Random, in_bed: i64, [awake, deep, rem]: [f64; 3]) -> Stages {
    let part = |share: f64| whole(ms(in_bed) * share.max(0.0));
    let no_data = if random.chance(0.08) { part(0.01 + 0.02 * random.unit()) } else { 0 };
    let awake = part(awake);
    let deep = part(deep);
    let rem = part(rem);
    Stages {
        total_in_bed_time_milli: in_bed,
        total_awake_time_milli: awake,
        total_no_data_time_milli: no_data,
        total_light_sleep_time_milli: in_bed - awake - no_data - deep - rem,
        total_slow_wave_sleep_time_milli: deep,
        total_rem_sleep_time_milli: rem,
        sleep_cycle_count: ((in_bed - awake) / 5_700_000).max(1),
        disturbance_count: whole((ms(awake) / MINUTE / 3.0 + random.normal()).max(0.0)),
    }
}

/// The main sleep that ends on `day`; `in_bed` in ms, `shift` is how far bedtime was off its habit, in minutes.
pub(super) fn night(random: &mut Random, day: &Day, in_bed: i64, shift: f64, before: Yesterday) -> SleepScore {
    let disturbed = 0.04 * day.illness + 0.03 * f64::from(u8::from(day.late_evening)) + 0.04 * day.jet_lag;
    let shares = [
        (0.065 + disturbed + 0.018 * random.normal()).clamp(0.015, 0.25),
        (0.195 - 0.6 * disturbed + 0.025 * random.normal()).clamp(0.07, 0.3),
        (0.228 - 0.8 * disturbed + 0.03 * random.normal()).clamp(0.07, 0.33),
    ];
    let stage_summary = stages(random, in_bed, shares);
    let sleep_needed = Needed {
        baseline_milli: 27_480_000,
        need_from_sleep_debt_milli: (before.debt * 35 / 100).clamp(0, 5_400_000),
        need_from_recent_strain_milli: whole((before.strain - 7.0).max(0.0) * 210_000.0),
        need_from_recent_nap_milli: -(before.napped * 6 / 10),
    };
    let asleep = ms(stage_summary.asleep());
    SleepScore {
        respiratory_rate: rounded(14.6 + 1.7 * day.illness + 0.25 * random.normal(), 6),
        sleep_performance_percentage: (100.0 * asleep / ms(sleep_needed.total())).round().min(100.0),
        sleep_consistency_percentage: Some(
            (84.0 - shift.abs() * 0.22 + 3.0 * random.normal()).round().clamp(20.0, 99.0),
        ),
        sleep_efficiency_percentage: rounded(100.0 * asleep / ms(in_bed), 5),
        sleep_needed,
        stage_summary,
    }
}

/// A nap: little deep sleep, no consistency.
pub(super) fn nap(random: &mut Random, in_bed: i64) -> SleepScore {
    let shares = [0.14 + 0.04 * random.unit(), 0.05 * random.unit(), 0.04 * random.unit()];
    let stage_summary = stages(random, in_bed, shares);
    let sleep_needed = Needed {
        baseline_milli: 27_480_000,
        need_from_sleep_debt_milli: 0,
        need_from_recent_strain_milli: 0,
        need_from_recent_nap_milli: 0,
    };
    let asleep = ms(stage_summary.asleep());
    SleepScore {
        respiratory_rate: rounded(14.9 + 0.3 * random.normal(), 6),
        sleep_performance_percentage: (100.0 * asleep / ms(sleep_needed.total())).round(),
        sleep_consistency_percentage: None,
        sleep_efficiency_percentage: rounded(100.0 * asleep / ms(in_bed), 5),
        sleep_needed,
        stage_summary,
    }
}

/// Strain of yesterday pulls down, good sleep lifts, illness and wine cost most; heart rate and variability follow.
pub(super) fn recovery(
    random: &mut Random,
    day: &Day,
    sleep: &SleepScore,
    before: Yesterday,
    skin: bool,
) -> RecoveryScore {
    let z = -0.5 * (before.strain - 10.5) / 4.0 + 0.45 * (sleep.sleep_performance_percentage - 84.0) / 10.0
        - 5.0 * day.illness
        - 0.8 * f64::from(u8::from(day.late_evening))
        - 0.6 * day.jet_lag
        + 0.6 * random.normal();
    let score = 100.0 / (1.0 + (-(0.45 + 0.85 * z)).exp());
    RecoveryScore {
        user_calibrating: false,
        recovery_score: score.round().clamp(1.0, 99.0),
        resting_heart_rate: (55.5 - 3.0 * day.progress - 1.5 * z + 0.7 * random.normal()).round().max(42.0),
        hrv_rmssd_milli: rounded((59.0 + 9.0 * day.progress) * (0.12 * z + 0.05 * random.normal()).exp(), 6),
        spo2_percentage: (skin && !random.chance(0.03))
            .then(|| rounded((96.3 - 1.1 * day.illness + 0.6 * random.normal()).min(99.5), 4)),
        skin_temp_celsius: skin.then(|| rounded(33.7 + 0.9 * day.illness + 0.25 * random.normal(), 6)),
    }
}

/// Load of a stretch of exercise. The weighting by intensity is Banister's TRIMP (for men): Banister, "Modeling elite
/// athletic performance", 1991.
fn load(minutes: f64, effort: f64) -> f64 {
    minutes * effort * 0.64 * (1.92 * effort).exp()
}

fn strain(load: f64) -> f64 {
    rounded(21.0 * (1.0 - (-load / STRAIN_SCALE).exp()), 6)
}

/// One workout's score.
pub(super) fn workout(random: &mut Random, training: &Training, resting: f64) -> WorkoutScore {
    let Training { sport, minutes, effort, .. } = *training;
    let average = resting + effort * (MAX_HEART_RATE - resting);
    let highest = (average + 14.0 + 9.0 * random.unit() + 16.0 * effort).min(MAX_HEART_RATE);
    let recorded = if random.chance(0.85) { 1.0 } else { 0.96 + 0.04 * random.unit() };
    let hilly = sport.name.starts_with("hiking") || sport.name == "cycling";
    let climb = (if hilly { 3.4 } else { 0.6 }) * minutes * (0.7 + 0.6 * random.unit());
    let distance = sport.pace.map(|pace| rounded(pace * effort * minutes * (1.0 + 0.04 * random.normal()), 4));
    WorkoutScore {
        strain: strain(load(minutes, effort)),
        average_heart_rate: whole(average),
        max_heart_rate: whole(highest),
        kilojoule: rounded(minutes * effort * 70.0 * (1.0 + 0.05 * random.normal()), 4),
        percent_recorded: rounded(100.0 * recorded, 3),
        distance_meter: distance,
        altitude_gain_meter: distance.map(|_| rounded(climb, 4)),
        altitude_change_meter: distance.map(|_| rounded(4.0 * random.normal(), 4)),
        zone_durations: zones(minutes * MINUTE * recorded, effort),
    }
}

/// Time spreads around the zone of the effort; the six add up to the time recorded.
fn zones(time: f64, effort: f64) -> Zones {
    const CENTRES: [f64; 6] = [0.2, 0.35, 0.5, 0.65, 0.78, 0.92];
    let weights = CENTRES.map(|centre| (-((centre - effort) / 0.13).powi(2) / 2.0).exp());
    let all: f64 = weights.iter().sum();
    let mut parts = weights.map(|weight| whole((time * weight / all).floor()));
    let strongest = (0..6).max_by(|a, b| weights[*a].total_cmp(&weights[*b])).unwrap_or(0);
    parts[strongest] += whole(time) - parts.iter().sum::<i64>();
    let [zero, one, two, three, four, five] = parts;
    Zones {
        zone_zero_milli: zero,
        zone_one_milli: one,
        zone_two_milli: two,
        zone_three_milli: three,
        zone_four_milli: four,
        zone_five_milli: five,
    }
}

/// A whole cycle: daily life of `hours` plus its workouts.
pub(super) fn cycle(random: &mut Random, day: &Day, hours: f64, resting: f64, workouts: &[WorkoutScore]) -> CycleScore {
    let share = hours / 24.0;
    let life = (34.0 + 9.0 * random.normal()) * (1.0 - 0.5 * day.illness);
    let exercise: f64 = workouts.iter().map(|w| -STRAIN_SCALE * (1.0 - w.strain / 21.0).ln()).sum();
    let rest = 7150.0 + (2350.0 + 330.0 * random.normal()) * (1.0 - 0.4 * day.illness);
    let highest = workouts.iter().map(|w| w.max_heart_rate).max().unwrap_or(0);
    CycleScore {
        strain: strain((life * share).max(2.0) + exercise),
        kilojoule: rounded(rest * share + workouts.iter().map(|w| w.kilojoule).sum::<f64>(), 4),
        average_heart_rate: whole(resting + 15.0 + exercise / 12.0 + 1.5 * random.normal()),
        max_heart_rate: highest.max(whole(116.0 + 9.0 * random.normal())),
    }
}

/// Milliseconds of at most some days: exact as a float.
#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn ms(value: i64) -> f64 {
    value as f64
}

/// The nearest whole number.
#[allow(clippy::cast_possible_truncation, reason = "beats, minutes and milliseconds of a few days")]
pub(super) fn whole(value: f64) -> i64 {
    value.round() as i64
}

fn rounded(value: f64, places: i32) -> f64 {
    let scale = 10_f64.powi(places);
    (value * scale).round() / scale
}
