-- grain: one row per Strava activity
-- The list says most, the details what it lacks: energy, laps, exertion, device. start_date_local is the clock of the person with a false Z: its
-- distance from start_date is the offset, as utc_offset says, the offset in timezone is that of winter. A start that the person hides is 00:00:01 of
-- its day. Zero stands for a distance, a speed and an energy that are not known. Energy is taken for the whole expenditure, which is not documented,
-- kilojoules are work done and no energy burned. Cadence on foot counts one leg. Power that Strava estimates is no measurement: it is in detail.
with workout as (
  select a.raw_source_id
       , k.sport                                          as known_sport
       , a.sport_raw
       , a.p->>'name'                                           as title
       , a.start_at
       , a.start_at + make_interval(secs => round(meta.number(a.p->'elapsed_time'))) as end_at
       , round(meta.number(a.p->'moving_time'))::integer        as moving_s
       , nullif(meta.number(a.p->'distance'), 0)                as distance_m
       , nullif(meta.number(coalesce(d.p->'calories', a.p->'calories')), 0)::real as energy_total_kcal
       , null::real                                       as energy_active_kcal
       , meta.number(a.p->'total_elevation_gain')::real         as elev_gain_m
       , meta.number(a.p->'average_heartrate')::real            as hr_avg
       , meta.number(a.p->'max_heartrate')::real                as hr_max
       , z.hr_zone_s
       , case when z.hr_zone_s is not null then 'strava_' || cardinality(z.hr_zone_s) || z.hr_zones_own end as hr_zone_scheme
       , nullif(meta.number(a.p->'average_speed'), 0)::real     as speed_avg_mps
       , nullif(meta.number(a.p->'max_speed'), 0)::real         as speed_max_mps
       , case when a.is_measured then meta.number(a.p->'average_watts')::real end          as power_avg_w
       , case when a.is_measured then meta.number(a.p->'max_watts')::real end              as power_max_w
       , case when a.is_measured then meta.number(a.p->'weighted_average_watts')::real end as power_norm_w
       , (meta.number(a.p->'average_cadence') * case when k.is_on_foot then 2 else 1 end)::real as cadence_avg
       , meta.number(a.p->'suffer_score')::real                 as training_load
       , case when a.p->>'suffer_score' is not null then 'strava_relative_effort' end as training_load_kind
       , meta.number(d.p->'perceived_exertion')::real           as rpe
       , case when a.p->>'trainer' = 'true' or a.sport_raw like 'Virtual%' then true
              when a.p->>'trainer' = 'false' then false end     as is_indoor
       , meta.number(a.p->'start_latlng'->0)                    as start_lat
       , meta.number(a.p->'start_latlng'->1)                    as start_lon
       , case when a.p->'start_latlng'->>0 is not null then 'strava_raw.activity_streams ' || a.raw_source_id end as track_ref
       , coalesce(a.p->>'external_id', a.p->>'upload_id_str', a.p->>'upload_id') as upstream_hint
       , coalesce(nullif(d.p->'laps', '[]'), l.laps, d.p->'splits_metric') as laps
       , jsonb_strip_nulls(jsonb_build_object(
           'description',      d.p->'description',
           'private_note',     d.p->'private_note',
           'device_name',      coalesce(d.p->'device_name', a.p->'device_name'),
           'gear_id',          a.p->'gear_id',
           'gear',             coalesce(g.name, d.p->'gear'->'name'),
           'workout_type',     a.p->'workout_type',
           'commute',          a.p->'commute',
           'visibility',       a.p->'visibility',
           'flagged',          a.p->'flagged',
           'timezone',         a.p->'timezone',
           'elev_high',        a.p->'elev_high',
           'elev_low',         a.p->'elev_low',
           'average_temp',     a.p->'average_temp',
           'kilojoules',       a.p->'kilojoules',
           'estimated_watts',  case when not a.is_measured then a.p->'average_watts' end,
           'polyline',         nullif(a.p->'map'->'summary_polyline', '""'),
           'end_latlng',       nullif(a.p->'end_latlng', '[]'),
           'splits_metric',    d.p->'splits_metric',
           'splits_standard',  d.p->'splits_standard',
           'zones',            z.zones))                        as detail
       , a.utc_offset_s
       , substring(a.p->>'timezone' from '\)\s*(\S+)$')         as tz_name
       , case when a.p->>'start_date_local' like '%T00:00:01Z' then 'day' else 'second' end as time_precision
       , array[case when a.p->>'manual' = 'true' then 'manual' end,
               case when a.p->>'start_date_local' like '%T00:00:01Z' then 'date_only' end] as odd
       , a.is_measured and meta.implausible(meta.number(a.p->'average_watts'), watts.plausible_lo, watts.plausible_hi) as is_implausible
       , null::date                                             as said_day
    from (
      select r.*
           , meta.instant(r.p->>'start_date')                   as start_at
           , coalesce(
               round(meta.number(r.p->'utc_offset')),
               extract(epoch from meta.instant(r.p->>'start_date_local') - meta.instant(r.p->>'start_date')))::integer as utc_offset_s
           , coalesce(r.p->>'device_watts' = 'true', false)     as is_measured
           , coalesce(r.p->>'sport_type', r.p->>'type')         as sport_raw
        from (
          select c.user_id, c.account_id, c.source_id as raw_source_id, c.payload::jsonb as p
            from changed c
          offset 0  -- keeps the planner from parsing once for each use
        ) r
      offset 0
    ) a
    left join lateral (
      select t.payload::jsonb as p
        from strava_raw.activity_details t
       where t.user_id = a.user_id and t.account_id = a.account_id and t.source_id = a.raw_source_id and t.missing_since_run_id is null
      offset 0
    ) d on true
    left join lateral (
      select t.payload::jsonb as laps
        from strava_raw.activity_laps t
       where t.user_id = a.user_id and t.account_id = a.account_id and t.source_id = a.raw_source_id and t.missing_since_run_id is null
      offset 0
    ) l on true
    left join lateral (
      select t.payload::jsonb as zones
           , heart.hr_zone_s
           , heart.hr_zones_own
        from strava_raw.activity_zones t
        left join lateral (
          select (select array_agg(round(meta.number(b.bucket->'time'))::integer order by b.place)
                    from jsonb_array_elements(e.zone->'distribution_buckets') with ordinality b (bucket, place)) as hr_zone_s
               , case when e.zone->>'custom_zones' = 'true' then '_own' else '' end as hr_zones_own
            from jsonb_array_elements(t.payload::jsonb) e (zone)
           where e.zone->>'type' = 'heartrate'
           limit 1
        ) heart on true
       where t.user_id = a.user_id and t.account_id = a.account_id and t.source_id = a.raw_source_id and t.missing_since_run_id is null
      offset 0
    ) z on true
    left join lateral (
      select t.payload::jsonb->'name' as name
        from strava_raw.gear t
       where t.user_id = a.user_id and t.account_id = a.account_id and t.source_id = a.p->>'gear_id' and t.missing_since_run_id is null
      offset 0
    ) g on true
    left join (values
        ('Run', 'running', true), ('TrailRun', 'trail_running', true), ('VirtualRun', 'running', true), ('Walk', 'walking', true),
        ('Hike', 'hiking', true), ('Snowshoe', 'snowshoeing', true),
        ('Ride', 'cycling', false), ('GravelRide', 'gravel_cycling', false), ('MountainBikeRide', 'mountain_biking', false),
        ('EBikeRide', 'e_biking', false), ('EMountainBikeRide', 'e_mountain_biking', false), ('VirtualRide', 'indoor_cycling', false),
        ('Velomobile', 'velomobile', false), ('Handcycle', 'hand_cycling', false), ('Wheelchair', 'wheelchair', false),
        ('Swim', 'swimming', false), ('Canoeing', 'canoeing', false), ('Kayaking', 'kayaking', false), ('Rowing', 'rowing', false),
        ('VirtualRow', 'rowing', false), ('StandUpPaddling', 'paddleboarding', false), ('Surfing', 'surfing', false),
        ('Kitesurf', 'kitesurfing', false), ('Windsurf', 'windsurfing', false), ('Sail', 'sailing', false),
        ('AlpineSki', 'alpine_skiing', false), ('BackcountrySki', 'backcountry_skiing', false),
        ('NordicSki', 'cross_country_skiing', false), ('RollerSki', 'roller_skiing', false), ('Snowboard', 'snowboarding', false),
        ('IceSkate', 'ice_skating', false), ('InlineSkate', 'inline_skating', false), ('Skateboard', 'skateboarding', false),
        ('WeightTraining', 'strength_training', false), ('Crossfit', 'functional_fitness', false),
        ('HighIntensityIntervalTraining', 'hiit', false), ('Elliptical', 'elliptical', false), ('StairStepper', 'stair_climbing', false),
        ('Yoga', 'yoga', false), ('Pilates', 'pilates', false), ('Dance', 'dance', false), ('PhysicalTherapy', 'physical_therapy', false),
        ('RockClimbing', 'climbing', false), ('Workout', 'other', false), ('Golf', 'golf', false), ('Soccer', 'soccer', false),
        ('Basketball', 'basketball', false), ('Volleyball', 'volleyball', false), ('Cricket', 'cricket', false),
        ('Tennis', 'tennis', false), ('TableTennis', 'table_tennis', false), ('Badminton', 'badminton', false),
        ('Squash', 'squash', false), ('Racquetball', 'racquetball', false), ('Padel', 'padel', false), ('Pickleball', 'pickleball', false)
      ) k (sport_type, sport, is_on_foot) on k.sport_type = a.sport_raw
    left join meta.metrics watts on watts.metric_code = 'cycling_power'
  offset 0
)
