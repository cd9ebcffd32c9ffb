//! Days as WHOOP's API writes them, cheap to make and different from each other. Newest first, as they are served.

use chrono::{DateTime, Duration, Utc};

/// The lists that page, in the order of their paths.
pub(crate) struct Records {
    pub(crate) lists: [(&'static str, Vec<Record>); 4],
}

/// One record: its instants decide whether it is in a window.
pub(crate) struct Record {
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: Option<DateTime<Utc>>,
    pub(crate) json: String,
}

/// What the four records of a day share.
struct Day {
    ago: i64,
    /// Grows with time.
    id: i64,
    onset: DateTime<Utc>,
    /// The next onset; none while the day lasts.
    next: Option<DateTime<Utc>>,
}

/// `days` days, one record of each list a day; the newest cycle is open.
pub(crate) fn records(days: i64, now: DateTime<Utc>) -> Records {
    let onset = |ago: i64| now - Duration::hours(14) - Duration::days(ago) + Duration::minutes((ago * 37) % 50);
    let day = |ago: i64| Day {
        ago,
        id: 900_000_000 + days - ago,
        onset: onset(ago),
        next: (ago > 0).then(|| onset(ago - 1)),
    };
    let list = |make: fn(&Day) -> Record| (0..days).map(|ago| make(&day(ago))).collect();
    Records {
        lists: [
            ("/v2/cycle", list(cycle)),
            ("/v2/activity/sleep", list(sleep)),
            ("/v2/recovery", list(recovery)),
            ("/v2/activity/workout", list(workout)),
        ],
    }
}

fn cycle(day: &Day) -> Record {
    let ago = day.ago;
    let end = day.next;
    let made = stamps(day.onset, end.unwrap_or(day.onset));
    let until = end.map(|end| format!("\"end\":\"{}\",", text(end))).unwrap_or_default();
    Record {
        start: day.onset,
        end,
        json: format!(
            "{{\"id\":{},{made},\"start\":\"{}\",{until}\"timezone_offset\":\"+01:00\",\"score_state\":\"SCORED\",\
             \"score\":{{\"strain\":{:.4},\"kilojoule\":{:.2},\"average_heart_rate\":{},\"max_heart_rate\":{}}}}}",
            day.id,
            text(day.onset),
            6.0 + wave(ago, 9.0),
            8_200.0 + wave(ago, 2_400.0),
            62 + ago % 12,
            140 + ago % 41,
        ),
    }
}

fn sleep(day: &Day) -> Record {
    let ago = day.ago;
    let (start, end) = (day.onset, day.onset + Duration::minutes(455 + ago % 60));
    let bed = (end - start).num_milliseconds() - 29_000;
    let (awake, deep, rem) = (bed / 15, bed / 5, bed / 4);
    Record {
        start,
        end: Some(end),
        json: format!(
            "{{\"id\":\"{}\",\"cycle_id\":{},{},\"start\":\"{}\",\"end\":\"{}\",\"timezone_offset\":\"+01:00\",\
             \"nap\":false,\"score_state\":\"SCORED\",\"score\":{{\"stage_summary\":{{\
             \"total_in_bed_time_milli\":{bed},\"total_awake_time_milli\":{awake},\"total_no_data_time_milli\":0,\
             \"total_light_sleep_time_milli\":{},\"total_slow_wave_sleep_time_milli\":{deep},\
             \"total_rem_sleep_time_milli\":{rem},\"sleep_cycle_count\":5,\"disturbance_count\":{}}},\
             \"sleep_needed\":{{\"baseline_milli\":27600000,\"need_from_sleep_debt_milli\":{},\
             \"need_from_recent_strain_milli\":540000,\"need_from_recent_nap_milli\":0}},\
             \"respiratory_rate\":{:.6},\"sleep_performance_percentage\":{}.0,\
             \"sleep_consistency_percentage\":{}.0,\"sleep_efficiency_percentage\":{:.4}}}}}",
            uuid(1, ago),
            day.id,
            stamps(end, end),
            text(start),
            text(end),
            bed - awake - deep - rem,
            ago % 14,
            ago % 7 * 300_000,
            14.0 + wave(ago, 2.0),
            80 + ago % 20,
            60 + ago % 30,
            92.0 + wave(ago, 4.0),
        ),
    }
}

fn recovery(day: &Day) -> Record {
    let ago = day.ago;
    let end = day.onset + Duration::minutes(455 + ago % 60);
    Record {
        start: day.onset,
        end: Some(end),
        json: format!(
            "{{\"cycle_id\":{},\"sleep_id\":\"{}\",{},\"score_state\":\"SCORED\",\"score\":{{\
             \"user_calibrating\":false,\"recovery_score\":{}.0,\"resting_heart_rate\":{}.0,\
             \"hrv_rmssd_milli\":{:.6},\"spo2_percentage\":{:.4},\"skin_temp_celsius\":{:.4}}}}}",
            day.id,
            uuid(1, ago),
            stamps(end, end),
            20 + ago % 79,
            48 + ago % 14,
            45.0 + wave(ago, 40.0),
            95.0 + wave(ago, 3.0),
            33.0 + wave(ago, 1.5),
        ),
    }
}

fn workout(day: &Day) -> Record {
    let ago = day.ago;
    let start = day.onset - Duration::hours(5);
    let end = start + Duration::minutes(30 + ago % 60);
    let zone = (end - start).num_milliseconds() / 6;
    Record {
        start,
        end: Some(end),
        json: format!(
            "{{\"id\":\"{}\",{},\"start\":\"{}\",\"end\":\"{}\",\"timezone_offset\":\"+01:00\",\
             \"sport_name\":\"{}\",\"sport_id\":0,\"score_state\":\"SCORED\",\"score\":{{\"strain\":{:.4},\
             \"average_heart_rate\":{},\"max_heart_rate\":{},\"kilojoule\":{:.2},\"percent_recorded\":100.0,\
             \"distance_meter\":{:.2},\"altitude_gain_meter\":{:.2},\"altitude_change_meter\":0.5,\
             \"zone_durations\":{{\"zone_zero_milli\":{zone},\"zone_one_milli\":{zone},\"zone_two_milli\":{zone},\
             \"zone_three_milli\":{zone},\"zone_four_milli\":{zone},\"zone_five_milli\":{zone}}}}}}}",
            uuid(2, ago),
            stamps(end, end),
            text(start),
            text(end),
            ["running", "cycling", "yoga", "weightlifting"][usize::try_from(ago % 4).unwrap_or(0)],
            5.0 + wave(ago, 9.0),
            120 + ago % 40,
            160 + ago % 25,
            900.0 + wave(ago, 1_500.0),
            4_000.0 + wave(ago, 8_000.0),
            wave(ago, 220.0),
        ),
    }
}

fn uuid(kind: u8, ago: i64) -> String {
    format!("{kind:08x}-0000-4000-8000-{ago:012x}")
}

/// Somewhere in 0..height, different from day to day.
#[allow(clippy::cast_precision_loss, reason = "days of some years")]
fn wave(ago: i64, height: f64) -> f64 {
    (0.5 + (ago as f64 * 0.71).sin() / 2.0) * height
}

fn text(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn stamps(created: DateTime<Utc>, updated: DateTime<Utc>) -> String {
    format!("\"user_id\":4101001,\"created_at\":\"{}\",\"updated_at\":\"{}\"", text(created), text(updated))
}
