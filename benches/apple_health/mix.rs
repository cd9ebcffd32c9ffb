//! What an export of a watch and a phone is made of: types, units, and how many of a thousand records are of each.
//! Calibrated on the published census of a real export of 3.1 GB with 7,377,008 records in 93 types (420 bytes a record).

/// How records of a type look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Pulse,
    Active,
    Basal,
    Walk,
    Distance,
    Effort,
    Minute,
    Stand,
    Oxygen,
    Breath,
    Glucose,
    Gait,
    Watch,
    Sound,
    Daylight,
    Daily,
    Fitness,
    Food,
    Scale,
    Pressure,
    Sleep,
    StandHour,
    Variability,
    Event,
}

use Kind::{
    Active, Basal, Breath, Daily, Daylight, Distance, Effort, Event, Fitness, Food, Gait, Glucose, Minute, Oxygen,
    Pressure, Pulse, Scale, Sleep, Sound, Stand, StandHour, Variability, Walk, Watch,
};

pub(crate) struct Type {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Of ten thousand records.
    pub(crate) share: u64,
    pub(crate) kind: Kind,
}

const fn quantity(name: &'static str, unit: &'static str, share: u64, kind: Kind) -> Type {
    Type { name, unit, share, kind }
}

/// Types without a unit are categories.
pub(crate) const MIX: [Type; 54] = [
    quantity("BodyMassIndex", "count", 3, Scale),
    quantity("Height", "cm", 1, Scale),
    quantity("BodyMass", "kg", 6, Scale),
    quantity("HeartRate", "count/min", 1500, Pulse),
    quantity("OxygenSaturation", "%", 80, Oxygen),
    quantity("BloodPressureSystolic", "mmHg", 2, Pressure),
    quantity("BloodPressureDiastolic", "mmHg", 2, Pressure),
    quantity("RespiratoryRate", "count/min", 160, Breath),
    quantity("BloodGlucose", "mmol&lt;180.1558800000541&gt;/L", 120, Glucose),
    quantity("BodyFatPercentage", "%", 5, Scale),
    quantity("LeanBodyMass", "kg", 3, Scale),
    quantity("StepCount", "count", 720, Walk),
    quantity("DistanceWalkingRunning", "km", 920, Distance),
    quantity("BasalEnergyBurned", "kcal", 1480, Basal),
    quantity("ActiveEnergyBurned", "kcal", 3260, Active),
    quantity("FlightsClimbed", "count", 60, Walk),
    quantity("DietaryFatTotal", "g", 15, Food),
    quantity("DietarySodium", "mg", 15, Food),
    quantity("DietaryEnergyConsumed", "kcal", 15, Food),
    quantity("DietaryProtein", "g", 15, Food),
    quantity("DietaryWater", "mL", 10, Food),
    quantity("AppleExerciseTime", "min", 140, Minute),
    quantity("DistanceCycling", "km", 60, Watch),
    quantity("RestingHeartRate", "count/min", 4, Daily),
    quantity("VO2Max", "mL/min\u{b7}kg", 2, Fitness),
    quantity("WalkingHeartRateAverage", "count/min", 4, Daily),
    quantity("EnvironmentalAudioExposure", "dBASPL", 120, Sound),
    quantity("HeadphoneAudioExposure", "dBASPL", 50, Sound),
    quantity("WalkingDoubleSupportPercentage", "%", 70, Gait),
    quantity("SixMinuteWalkTestDistance", "m", 1, Daily),
    quantity("AppleStandTime", "min", 240, Stand),
    quantity("WalkingSpeed", "km/hr", 80, Gait),
    quantity("WalkingStepLength", "cm", 80, Gait),
    quantity("WalkingAsymmetryPercentage", "%", 50, Gait),
    quantity("StairAscentSpeed", "m/s", 30, Gait),
    quantity("StairDescentSpeed", "m/s", 30, Gait),
    quantity("AppleWalkingSteadiness", "%", 1, Gait),
    quantity("RunningStrideLength", "m", 30, Watch),
    quantity("RunningVerticalOscillation", "cm", 30, Watch),
    quantity("RunningGroundContactTime", "ms", 30, Watch),
    quantity("RunningPower", "W", 50, Watch),
    quantity("RunningSpeed", "km/hr", 50, Watch),
    quantity("HeartRateRecoveryOneMinute", "count/min", 2, Daily),
    quantity("PhysicalEffort", "kcal/hr\u{b7}kg", 360, Effort),
    quantity("TimeInDaylight", "min", 60, Daylight),
    quantity("AppleSleepingWristTemperature", "degC", 3, Daily),
    quantity("AppleSleepingBreathingDisturbances", "count", 2, Daily),
    quantity("SleepAnalysis", "", 90, Sleep),
    quantity("AppleStandHour", "", 90, StandHour),
    quantity("MindfulSession", "", 3, Event),
    quantity("HighHeartRateEvent", "", 1, Event),
    quantity("AudioExposureEvent", "", 1, Event),
    quantity("HandwashingEvent", "", 15, Event),
    quantity("HeartRateVariabilitySDNN", "ms", 27, Variability),
];

/// Sum of all shares.
pub(crate) fn shares() -> u64 {
    MIX.iter().map(|of| of.share).sum()
}
