-- grain: one row per exercise, as recorded, detected or entered
-- The day is that of the start. The energy is whole, rest included, as Fitbit counts it. There is no highest heart rate. A summary says only what is
-- known, but of heart rate zones what is left out is zero. Names of sports are open: one that is not known here is 'other'.
with workout as (
  select r.raw_source_id
       , k.sport                                               as known_sport
       , 'second'                                              as time_precision
       , null::real                                            as energy_active_kcal
       , null::real                                            as hr_max
       , coalesce(google_health_raw.seconds(r.p->>'activeDuration') < 0, false) as is_implausible
       , null::date                                             as said_day
       , r.p->>'exerciseType'                                  as sport_raw
       , coalesce(nullif(r.p->>'displayName', ''), nullif(r.p->>'notes', '')) as title
       , meta.instant(r.p#>>'{interval,startTime}')          as start_at
       , meta.instant(r.p#>>'{interval,endTime}')            as end_at
       , google_health_raw.seconds(r.p#>>'{interval,startUtcOffset}')::integer as utc_offset_s
       , round(google_health_raw.seconds(r.p->>'activeDuration'))::integer     as moving_s
       , meta.number(r.s->'distanceMillimeters') / 1000        as distance_m
       , meta.number(r.s->'caloriesKcal')::real                as energy_total_kcal
       , meta.number(r.s->'steps')::integer                    as steps
       , (meta.number(r.s->'elevationGainMillimeters') / 1000)::real           as elev_gain_m
       , meta.number(r.s->'averageHeartRateBeatsPerMinute')::real              as hr_avg
       , (meta.number(r.s->'averageSpeedMillimetersPerSecond') / 1000)::real   as speed_avg_mps
       , meta.number(r.s#>'{mobilityMetrics,avgCadenceStepsPerMinute}')::real  as cadence_avg
       , case when jsonb_typeof(r.zones) = 'object' then array[
             round(coalesce(google_health_raw.seconds(r.zones->>'lightTime'), 0))::integer,
             round(coalesce(google_health_raw.seconds(r.zones->>'moderateTime'), 0))::integer,
             round(coalesce(google_health_raw.seconds(r.zones->>'vigorousTime'), 0))::integer,
             round(coalesce(google_health_raw.seconds(r.zones->>'peakTime'), 0))::integer] end as hr_zone_s
       , case when jsonb_typeof(r.zones) = 'object' then 'google_health: light, moderate, vigorous, peak' end as hr_zone_scheme
       , coalesce(r.p->'splits', r.p->'splitSummaries')        as laps
       , case when r.p#>>'{exerciseMetadata,hasGps}' = 'true'
              then 'google_health_raw.exercise_tcx ' || regexp_replace(r.raw_source_id, '^.*/', '') end as track_ref
       , r.origin#>>'{application,packageName}'              as upstream_hint
       , array[case when r.origin->>'recordingMethod' = 'MANUAL' then 'manual' end] as odd
       , jsonb_strip_nulls(jsonb_build_object(
           'platform',            r.origin->'platform',
           'device',              r.origin#>'{device,displayName}',
           'recording_method',    r.origin->'recordingMethod',
           'notes',               r.p->'notes',
           'has_gps',             r.p#>'{exerciseMetadata,hasGps}',
           'pool_length_mm',      r.p#>'{exerciseMetadata,poolLengthMillimeters}',
           'active_zone_minutes', r.s->'activeZoneMinutes',
           'pace_s_per_m',        r.s->'averagePaceSecondsPerMeter',
           'run_vo2_max',         r.s->'runVo2Max',
           'swim_lengths',        r.s->'totalSwimLengths',
           'mobility',            r.s->'mobilityMetrics',
           'events',              r.p->'exerciseEvents'))      as detail
    from (
      select c.source_id as raw_source_id, j.p->'exercise' as p, j.p->'dataSource' as origin
           , j.p#>'{exercise,metricsSummary}' as s, j.p#>'{exercise,metricsSummary,heartRateZoneDurations}' as zones
        from changed c
       cross join lateral (select c.payload::jsonb as p offset 0) j  -- keeps the planner from parsing once for each use
      offset 0
    ) r
    left join (values
        ('RUNNING', 'running'), ('TREADMILL', 'running'), ('INCLINE_RUN', 'running'), ('TRAIL_RUN', 'trail_running'), ('WALKING', 'walking'),
        ('TREADMILL_WALK', 'walking'), ('INCLINE_WALK', 'walking'), ('POWER_WALKING', 'walking'), ('NORDIC_WALKING', 'walking'),
        ('STROLLER_WALK', 'walking'), ('WALK_WITH_WEIGHTS', 'walking'), ('HIKING', 'hiking'), ('BACKPACKING', 'hiking'),
        ('RUCKING', 'hiking'), ('ORIENTEERING', 'hiking'),
        ('BIKING', 'cycling'), ('OUTDOOR_BIKE', 'cycling'), ('ELECTRIC_BIKE', 'e_biking'), ('MOUNTAIN_BIKE', 'mountain_biking'),
        ('STATIONARY_BIKE', 'indoor_cycling'), ('SPINNING', 'indoor_cycling'), ('ASSAULT_BIKE', 'indoor_cycling'), ('SWIMMING', 'swimming'),
        ('SWIMMING_POOL', 'swimming'), ('SWIMMING_OPEN_WATER', 'swimming'), ('SYNCHRONIZED_SWIMMING', 'swimming'), ('ROWING', 'rowing'),
        ('ROWING_MACHINE', 'rowing'), ('KAYAKING', 'kayaking'), ('CANOEING', 'canoeing'), ('PADDLEBOARDING', 'paddleboarding'),
        ('SURFING', 'surfing'), ('WINDSURFING', 'windsurfing'), ('KITESURFING', 'kitesurfing'), ('SAILING', 'sailing'), ('DIVING', 'diving'),
        ('SCUBA_DIVING', 'diving'), ('SNORKELING', 'diving'), ('WATER_POLO', 'water_polo'), ('WATER_SKIING', 'water_skiing'),
        ('WAKEBOARDING', 'wakeboarding'),
        ('STRENGTH_TRAINING', 'strength_training'), ('WEIGHTLIFTING', 'strength_training'), ('WEIGHTS', 'strength_training'),
        ('FREE_WEIGHTS', 'strength_training'), ('WEIGHT_MACHINES', 'strength_training'), ('RESISTANCE_BANDS', 'strength_training'),
        ('BODY_WEIGHT', 'strength_training'), ('POWERLIFTING', 'powerlifting'), ('FUNCTIONAL_STRENGTH_TRAINING', 'functional_fitness'),
        ('CROSSFIT', 'functional_fitness'), ('CROSS_TRAINING', 'functional_fitness'), ('BOOTCAMP', 'functional_fitness'),
        ('TRX', 'functional_fitness'), ('CALISTHENICS', 'functional_fitness'), ('CORE_TRAINING', 'functional_fitness'), ('HIIT', 'hiit'),
        ('CIRCUIT_TRAINING', 'hiit'), ('INTERVAL_WORKOUT', 'hiit'), ('TABATA_WORKOUT', 'hiit'), ('ELLIPTICAL', 'elliptical'),
        ('STAIRCLIMBER', 'stair_climbing'), ('JUMPING_ROPE', 'jump_rope'),
        ('YOGA', 'yoga'), ('YOGA_BIKRAM', 'yoga'), ('YOGA_HATHA', 'yoga'), ('YOGA_POWER', 'yoga'), ('YOGA_VINYASA', 'yoga'),
        ('PILATES', 'pilates'), ('BARRE_CLASS', 'barre'), ('STRETCHING', 'stretching'), ('MEDITATE', 'recovery'), ('DANCING', 'dance'),
        ('BALLET', 'dance'), ('BALLROOM_DANCE', 'dance'), ('BREAKDANCING', 'dance'), ('HIP_HOP', 'dance'), ('JAZZ_DANCE', 'dance'),
        ('MODERN_DANCE', 'dance'), ('TANGO', 'dance'), ('ZUMBA', 'dance'), ('GYMNASTICS', 'gymnastics'), ('PARKOUR', 'parkour'),
        ('CLIMBING', 'climbing'), ('INDOOR_CLIMBING', 'climbing'), ('ROCK_CLIMBING', 'climbing'),
        ('SKIING', 'alpine_skiing'), ('CROSS_COUNTRY_SKI', 'cross_country_skiing'), ('SNOWBOARDING', 'snowboarding'),
        ('ICE_SKATING', 'ice_skating'), ('SPEED_SKATING', 'ice_skating'), ('ROLLERBLADING', 'inline_skating'),
        ('ROLLER_SKATING', 'inline_skating'), ('SKATING', 'inline_skating'), ('SKATEBOARDING', 'skateboarding'), ('MOTOCROSS', 'motocross'),
        ('BOXING', 'boxing'), ('KICKBOXING', 'kickboxing'), ('MARTIAL_ARTS', 'martial_arts'), ('KARATE', 'martial_arts'),
        ('TAEKWONDO', 'martial_arts'), ('MUAY_THAI', 'martial_arts'), ('TAI_CHI', 'martial_arts'), ('JIU_JITSU', 'jiu_jitsu'),
        ('WRESTLING', 'wrestling'), ('FENCING', 'fencing'),
        ('SOCCER', 'soccer'), ('FOOTBALL_AMERICAN', 'american_football'), ('FOOTBALL_AUSTRALIAN', 'australian_football'), ('RUGBY', 'rugby'),
        ('BASKETBALL', 'basketball'), ('HANDBALL', 'handball'), ('VOLLEYBALL', 'volleyball'), ('VOLLEYBALL_BEACH', 'volleyball'),
        ('BASEBALL', 'baseball'), ('SOFTBALL', 'softball'), ('CRICKET', 'cricket'), ('LACROSSE', 'lacrosse'),
        ('FIELD_HOCKEY', 'field_hockey'), ('HOCKEY', 'ice_hockey'), ('ULTIMATE_FRISBEE', 'ultimate'), ('GOLF', 'golf'), ('TENNIS', 'tennis'),
        ('TABLE_TENNIS', 'table_tennis'), ('BADMINTON', 'badminton'), ('SQUASH', 'squash'), ('PADEL', 'padel'), ('PICKELBALL', 'pickleball'),
        ('PICKLEBALL', 'pickleball'), ('POLO', 'polo'), ('TRACK_AND_FIELD', 'track_and_field'), ('EQUESTRIAN_SPORTS', 'horseback_riding'),
        ('WHEELCHAIR', 'wheelchair'), ('HAND_CYCLING', 'hand_cycling'), ('RACQUETBALL', 'racquetball'), ('SNOWSHOEING', 'snowshoeing'),
        ('ARCHERY', 'archery'), ('BOWLING', 'bowling'), ('CURLING', 'curling'), ('FISHING', 'fishing'), ('HUNTING', 'hunting'),
        ('FITNESS_GAMING', 'fitness_gaming'), ('STEP_TRAINING', 'step_training'),
        ('GARDENING', 'yard_work'), ('MOWING_LAWN', 'yard_work'), ('WEEDING', 'yard_work'), ('HOEING', 'yard_work'),
        ('SHOVELING', 'manual_labor'), ('CARPENTRY', 'manual_labor'), ('MUSICAL_PERFORMANCE', 'performing')
      ) k (said, sport) on k.said = r.p->>'exerciseType'
  offset 0
)
