//! Records as WHOOP's API v2 writes them (`docs/sources/whoop.md`, records). Names and units are WHOOP's.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

/// What every dated record carries.
#[derive(Clone, Serialize)]
pub(super) struct Span {
    #[serde(serialize_with = "instant")]
    pub(super) start: DateTime<Utc>,
    #[serde(serialize_with = "optional_instant", skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<DateTime<Utc>>,
    pub(super) timezone_offset: String,
}

/// When the record was made and last changed, and whose it is.
#[derive(Clone, Serialize)]
pub(super) struct Made {
    pub(super) user_id: i64,
    #[serde(serialize_with = "instant")]
    pub(super) created_at: DateTime<Utc>,
    #[serde(serialize_with = "instant")]
    pub(super) updated_at: DateTime<Utc>,
}

/// `score_state`, with the score only where there is one.
#[derive(Clone, Serialize)]
#[serde(tag = "score_state", content = "score", rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(clippy::enum_variant_names, reason = "the provider's names")]
pub(super) enum Scored<T> {
    Scored(T),
    PendingScore,
    Unscorable,
}

#[derive(Clone, Serialize)]
pub(super) struct Cycle {
    pub(super) id: i64,
    #[serde(flatten)]
    pub(super) made: Made,
    #[serde(flatten)]
    pub(super) span: Span,
    #[serde(flatten)]
    pub(super) state: Scored<CycleScore>,
}

#[derive(Clone, Serialize)]
pub(super) struct CycleScore {
    pub(super) strain: f64,
    pub(super) kilojoule: f64,
    pub(super) average_heart_rate: i64,
    pub(super) max_heart_rate: i64,
}

#[derive(Clone, Serialize)]
pub(super) struct Sleep {
    pub(super) id: String,
    pub(super) cycle_id: i64,
    #[serde(flatten)]
    pub(super) made: Made,
    #[serde(flatten)]
    pub(super) span: Span,
    pub(super) nap: bool,
    #[serde(flatten)]
    pub(super) state: Scored<SleepScore>,
}

#[derive(Clone, Serialize)]
pub(super) struct SleepScore {
    pub(super) stage_summary: Stages,
    pub(super) sleep_needed: Needed,
    pub(super) respiratory_rate: f64,
    pub(super) sleep_performance_percentage: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sleep_consistency_percentage: Option<f64>,
    pub(super) sleep_efficiency_percentage: f64,
}

/// In bed = awake + no data + light + slow wave + REM, to the millisecond.
#[derive(Clone, Serialize)]
pub(super) struct Stages {
    pub(super) total_in_bed_time_milli: i64,
    pub(super) total_awake_time_milli: i64,
    pub(super) total_no_data_time_milli: i64,
    pub(super) total_light_sleep_time_milli: i64,
    pub(super) total_slow_wave_sleep_time_milli: i64,
    pub(super) total_rem_sleep_time_milli: i64,
    pub(super) sleep_cycle_count: i64,
    pub(super) disturbance_count: i64,
}

impl Stages {
    pub(super) fn asleep(&self) -> i64 {
        self.total_light_sleep_time_milli + self.total_slow_wave_sleep_time_milli + self.total_rem_sleep_time_milli
    }
}

/// The need is the sum of the four; the nap's part is never positive.
#[derive(Clone, Serialize)]
#[allow(clippy::struct_field_names, reason = "the provider's names")]
pub(super) struct Needed {
    pub(super) baseline_milli: i64,
    pub(super) need_from_sleep_debt_milli: i64,
    pub(super) need_from_recent_strain_milli: i64,
    pub(super) need_from_recent_nap_milli: i64,
}

impl Needed {
    pub(super) fn total(&self) -> i64 {
        self.baseline_milli
            + self.need_from_sleep_debt_milli
            + self.need_from_recent_strain_milli
            + self.need_from_recent_nap_milli
    }
}

#[derive(Clone, Serialize)]
pub(super) struct Recovery {
    pub(super) cycle_id: i64,
    pub(super) sleep_id: String,
    #[serde(flatten)]
    pub(super) made: Made,
    #[serde(flatten)]
    pub(super) state: Scored<RecoveryScore>,
}

#[derive(Clone, Serialize)]
#[allow(clippy::struct_field_names, reason = "the provider's names")]
pub(super) struct RecoveryScore {
    pub(super) user_calibrating: bool,
    pub(super) recovery_score: f64,
    pub(super) resting_heart_rate: f64,
    /// Milliseconds of RMSSD.
    pub(super) hrv_rmssd_milli: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spo2_percentage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) skin_temp_celsius: Option<f64>,
}

#[derive(Clone, Serialize)]
pub(super) struct Workout {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) made: Made,
    #[serde(flatten)]
    pub(super) span: Span,
    pub(super) sport_name: &'static str,
    pub(super) sport_id: i64,
    #[serde(flatten)]
    pub(super) state: Scored<WorkoutScore>,
}

#[derive(Clone, Serialize)]
pub(super) struct WorkoutScore {
    pub(super) strain: f64,
    pub(super) average_heart_rate: i64,
    pub(super) max_heart_rate: i64,
    pub(super) kilojoule: f64,
    pub(super) percent_recorded: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) distance_meter: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) altitude_gain_meter: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) altitude_change_meter: Option<f64>,
    pub(super) zone_durations: Zones,
}

#[derive(Clone, Serialize)]
#[allow(clippy::struct_field_names, reason = "the provider's names")]
pub(super) struct Zones {
    pub(super) zone_zero_milli: i64,
    pub(super) zone_one_milli: i64,
    pub(super) zone_two_milli: i64,
    pub(super) zone_three_milli: i64,
    pub(super) zone_four_milli: i64,
    pub(super) zone_five_milli: i64,
}

#[derive(Clone, Serialize)]
pub(super) struct Profile {
    pub(super) user_id: i64,
    pub(super) email: &'static str,
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
}

#[derive(Clone, Serialize)]
pub(super) struct Body {
    pub(super) height_meter: f64,
    pub(super) weight_kilogram: f64,
    pub(super) max_heart_rate: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn instant<S: Serializer>(value: &DateTime<Utc>, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&value.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
}

#[allow(clippy::ref_option, reason = "the form that serde asks for")]
fn optional_instant<S: Serializer>(value: &Option<DateTime<Utc>>, out: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => instant(value, out),
        None => out.serialize_none(),
    }
}
