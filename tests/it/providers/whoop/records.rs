//! WHOOP's record kinds, rendered as the API renders them. From the provider sheet, section 3.

use chrono::{DateTime, Utc};

use crate::support::truth::stamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scored {
    Yes,
    Pending,
    Unscorable,
}

impl Scored {
    fn word(self) -> &'static str {
        match self {
            Scored::Yes => "SCORED",
            Scored::Pending => "PENDING_SCORE",
            Scored::Unscorable => "UNSCORABLE",
        }
    }
}

/// Numbers are kept as the text that is sent, since the text is what must arrive.
#[derive(Clone, Debug)]
pub struct Cycle {
    pub id: i64,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub start: DateTime<Utc>,
    /// None: the current cycle.
    pub end: Option<DateTime<Utc>>,
    pub offset: &'static str,
    pub state: Scored,
    pub strain: String,
    pub kilojoule: String,
    pub hr: (i64, i64),
}

#[derive(Clone, Debug)]
pub struct Sleep {
    pub id: String,
    pub cycle_id: i64,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub offset: &'static str,
    pub nap: bool,
    pub state: Scored,
    /// Seconds: awake, no data, light, slow wave, REM.
    pub stages: [i64; 5],
    pub respiratory_rate: Option<String>,
    pub performance: Option<String>,
    pub consistency: Option<String>,
    pub efficiency: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Recovery {
    pub cycle_id: i64,
    pub sleep_id: String,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub state: Scored,
    pub calibrating: bool,
    pub score: String,
    pub resting: String,
    pub hrv: String,
    pub spo2: Option<String>,
    pub skin: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Workout {
    pub id: String,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub offset: &'static str,
    pub sport: String,
    pub sport_id: Option<i64>,
    pub state: Scored,
    pub strain: String,
    pub hr: (i64, i64),
    pub kilojoule: String,
    /// Distance, altitude gain, altitude change in metres.
    pub distance: Option<(String, String, String)>,
    /// Seconds in zones zero to five.
    pub zones: [i64; 6],
}

#[derive(Clone, Debug)]
pub struct Profile {
    pub user_id: i64,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
}

#[derive(Clone, Debug)]
pub struct Body {
    pub height_meter: String,
    pub weight_kilogram: String,
    pub max_heart_rate: i64,
}

impl Cycle {
    pub fn text(&self, user: i64) -> String {
        let mut out = format!(
            r#"{{"id":{},"user_id":{user},"created_at":"{}","updated_at":"{}","start":"{}""#,
            self.id,
            stamp(self.created),
            stamp(self.updated),
            stamp(self.start)
        );
        if let Some(end) = self.end {
            out += &format!(r#","end":"{}""#, stamp(end));
        }
        out += &format!(r#","timezone_offset":"{}","score_state":"{}""#, self.offset, self.state.word());
        if self.state == Scored::Yes {
            out += &format!(
                r#","score":{{"strain":{},"kilojoule":{},"average_heart_rate":{},"max_heart_rate":{}}}"#,
                self.strain, self.kilojoule, self.hr.0, self.hr.1
            );
        }
        out + "}"
    }
}

impl Sleep {
    /// Seconds in bed: the sum of all stages.
    pub fn in_bed(&self) -> i64 {
        self.stages.iter().sum()
    }

    pub fn text(&self, user: i64) -> String {
        let mut out = format!(
            r#"{{"id":"{}","cycle_id":{},"v1_id":null,"user_id":{user},"created_at":"{}","updated_at":"{}","start":"{}","end":"{}","timezone_offset":"{}","nap":{},"score_state":"{}""#,
            self.id,
            self.cycle_id,
            stamp(self.created),
            stamp(self.updated),
            stamp(self.start),
            stamp(self.end),
            self.offset,
            self.nap,
            self.state.word()
        );
        if self.state != Scored::Yes {
            // "absent" and "null" mean the same and both occur.
            return out + if self.nap { r#","score":null}"# } else { "}" };
        }
        let [awake, none, light, deep, rem] = self.stages.map(|s| s * 1000);
        out += &format!(
            r#","score":{{"stage_summary":{{"total_in_bed_time_milli":{},"total_awake_time_milli":{awake},"total_no_data_time_milli":{none},"total_light_sleep_time_milli":{light},"total_slow_wave_sleep_time_milli":{deep},"total_rem_sleep_time_milli":{rem},"sleep_cycle_count":5,"disturbance_count":9}},"sleep_needed":{{"baseline_milli":27600000,"need_from_sleep_debt_milli":1260000,"need_from_recent_strain_milli":540000,"need_from_recent_nap_milli":-900000}}"#,
            self.in_bed() * 1000
        );
        for (name, value) in [
            ("respiratory_rate", &self.respiratory_rate),
            ("sleep_performance_percentage", &self.performance),
            ("sleep_consistency_percentage", &self.consistency),
            ("sleep_efficiency_percentage", &self.efficiency),
        ] {
            if let Some(value) = value {
                out += &format!(r#","{name}":{value}"#);
            }
        }
        out + "}}"
    }
}

impl Recovery {
    pub fn text(&self, user: i64) -> String {
        let mut out = format!(
            r#"{{"cycle_id":{},"sleep_id":"{}","user_id":{user},"created_at":"{}","updated_at":"{}","score_state":"{}""#,
            self.cycle_id,
            self.sleep_id,
            stamp(self.created),
            stamp(self.updated),
            self.state.word()
        );
        if self.state != Scored::Yes {
            return out + "}";
        }
        out += &format!(
            r#","score":{{"user_calibrating":{},"recovery_score":{},"resting_heart_rate":{},"hrv_rmssd_milli":{}"#,
            self.calibrating, self.score, self.resting, self.hrv
        );
        for (name, value) in [("spo2_percentage", &self.spo2), ("skin_temp_celsius", &self.skin)] {
            if let Some(value) = value {
                out += &format!(r#","{name}":{value}"#);
            }
        }
        out + "}}"
    }
}

impl Workout {
    pub fn text(&self, user: i64) -> String {
        let mut out = format!(
            r#"{{"id":"{}","user_id":{user},"created_at":"{}","updated_at":"{}","start":"{}","end":"{}","timezone_offset":"{}","sport_name":"{}""#,
            self.id,
            stamp(self.created),
            stamp(self.updated),
            stamp(self.start),
            stamp(self.end),
            self.offset,
            self.sport
        );
        if let Some(id) = self.sport_id {
            out += &format!(r#","sport_id":{id}"#);
        }
        out += &format!(r#","score_state":"{}""#, self.state.word());
        if self.state != Scored::Yes {
            return out + "}";
        }
        out += &format!(
            r#","score":{{"strain":{},"average_heart_rate":{},"max_heart_rate":{},"kilojoule":{},"percent_recorded":100.0"#,
            self.strain, self.hr.0, self.hr.1, self.kilojoule
        );
        if let Some((distance, gain, change)) = &self.distance {
            out += &format!(
                r#","distance_meter":{distance},"altitude_gain_meter":{gain},"altitude_change_meter":{change}"#
            );
        }
        let names = ["zero", "one", "two", "three", "four", "five"];
        let zones: Vec<String> =
            names.iter().zip(self.zones).map(|(name, s)| format!(r#""zone_{name}_milli":{}"#, s * 1000)).collect();
        out + &format!(r#","zone_durations":{{{}}}}}}}"#, zones.join(","))
    }
}

impl Profile {
    pub fn text(&self) -> String {
        format!(
            r#"{{"user_id":{},"email":"{}","first_name":"{}","last_name":"{}"}}"#,
            self.user_id, self.email, self.first_name, self.last_name
        )
    }
}

impl Body {
    pub fn text(&self) -> String {
        format!(
            r#"{{ "height_meter": {}, "weight_kilogram": {}, "max_heart_rate": {} }}"#,
            self.height_meter, self.weight_kilogram, self.max_heart_rate
        )
    }
}
