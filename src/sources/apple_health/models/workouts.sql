-- grain: one row per Workout of an export
-- Totals come from the workout's own WorkoutStatistics, in place of the older attributes where both are there, those of a WorkoutActivity repeat them
-- and are never added. Apple's duration leaves pauses out: it is moving_s, elapsed_s is end minus start. Heart rate zones are not in an export. Energy
-- is active energy, with the basal energy of the same time it makes the total. A total whose unit is not known is null, and flagged.
with start as materialized (
  -- where a route begins, by the names of its file: a workout names no more of it
  select distinct o.user_id, o.account_id, apple_health_raw.file_name(f.path) as file_name, o.start_at, o.id
       , o.lat[1]                                                           as lat
       , o.lon[1]                                                           as lon
    from apple_health_raw.published_routes o
   cross join unnest(o.paths) f (path)
   where o.missing_since_run_id is null
     and o.points > 0
     and (o.user_id, o.account_id) in (select c.user_id, c.account_id from changed c)
)
select raw_source_id
     , coalesce(sport, 'other')                                             as sport
     , sport_raw
     , start_at
     , end_at
     , meta.local_date(start_at, utc_offset_s)                              as local_date
     , round(extract(epoch from end_at - start_at))::integer                as elapsed_s
     , round(duration_s)::integer                                           as moving_s
     , distance_m
     , energy_active_kcal::real                                             as energy_active_kcal
     , (energy_active_kcal + energy_basal_kcal)::real                       as energy_total_kcal
     , round(steps)::integer                                                as steps
     , elev_gain_m::real                                                    as elev_gain_m
     , elev_loss_m::real                                                    as elev_loss_m
     , hr_avg::real                                                         as hr_avg
     , hr_max::real                                                         as hr_max
     , speed_avg_mps::real                                                  as speed_avg_mps
     , speed_max_mps::real                                                  as speed_max_mps
     , power_avg_w::real                                                    as power_avg_w
     , power_max_w::real                                                    as power_max_w
     , cadence_avg::real                                                    as cadence_avg
     , is_indoor
     , start_lat
     , start_lon
     , route->>0                                                            as track_ref
     , coalesce(external_id, source_name)                                   as upstream_hint
     , laps
     , detail
     , utc_offset_s
     , tz_name
     , tz_basis
     , flags
     , meta.quality(flags)                                                  as quality
  from (
    select n.*
         , array_remove(array[
             case when meta.implausible(n.hr_avg, rate.plausible_lo, rate.plausible_hi)
                    or meta.implausible(n.hr_max, rate.plausible_lo, rate.plausible_hi)
                    or meta.implausible(n.distance_m, distance.plausible_lo, distance.plausible_hi)
                    or meta.implausible(n.elev_gain_m, climb.plausible_lo, climb.plausible_hi)
                    or meta.implausible(n.energy_active_kcal, energy.plausible_lo, energy.plausible_hi) then 'implausible' end,
             case when n.has_unknown_unit then 'unit_unknown' end,
             case when n.by_hand then 'manual' end,
             case when n.start_at < '1970-01-01 00:00+00' or n.end_at > n.exported_at then 'clock_wrong' end
           ], null) as flags
      from (
        select r.raw_source_id
             , k.sport
             , coalesce(k.name, r.activity)                                 as sport_raw
             , r.start_at
             , coalesce(r.end_at, r.start_at + make_interval(secs => r.duration_s)) as end_at
             , r.duration_s
             , coalesce(s.distance_m, d.converted)                          as distance_m
             , coalesce(s.energy_active_kcal, e.converted)                  as energy_active_kcal
             , s.energy_basal_kcal
             , s.steps
             , apple_health_raw.meters(r.m->>'HKElevationAscended')         as elev_gain_m
             , apple_health_raw.meters(r.m->>'HKElevationDescended')        as elev_loss_m
             , s.hr_avg
             , s.hr_max
             , s.speed_avg_mps
             , s.speed_max_mps
             , s.power_avg_w
             , s.power_max_w
             , s.cadence_avg
             , case when r.m->>'HKIndoorWorkout' in ('0', '1') then r.m->>'HKIndoorWorkout' = '1' end as is_indoor
             , p.route
             , g.lat                                                        as start_lat
             , g.lon                                                        as start_lon
             , coalesce(r.m->>'HKExternalUUID', r.m->>'HKMetadataKeySyncIdentifier') as external_id
             , r.source_name
             , p.laps
             , jsonb_strip_nulls(jsonb_build_object(
                 'metadata',   r.m_all,
                 'events',     p.events,
                 'activities', p.activities,
                 'statistics', p.statistics,
                 'routes',     p.route))                                    as detail
             , r.utc_offset_s
             , r.tz_name
             , r.tz_basis
             , coalesce(r.m->>'HKWasUserEntered' = '1', false)              as by_hand
             , coalesce(s.has_unknown_unit, false)
               or r.distance is not null and d.converted is null and s.distance_m is null
               or r.energy is not null and e.converted is null and s.energy_active_kcal is null as has_unknown_unit
             , r.exported_at
          from (
            select q.*
                 , q.a->>'workoutActivityType'                              as activity
                 , meta.number_or_null(q.a->>'totalDistance')               as distance
                 , meta.number_or_null(q.a->>'totalEnergyBurned')           as energy
                 , meta.number_or_null(q.a->>'duration')
                   * apple_health_raw.seconds(q.a->>'durationUnit') as duration_s
                 , (select jsonb_object_agg(c->'attributes'->>'key', c->'attributes'->>'value')
                      from jsonb_array_elements(q.children) c where c->>'element' = 'MetadataEntry' and c->'attributes'->>'key' is not null) as m
                 , (select jsonb_agg(c->'attributes') from jsonb_array_elements(q.children) c where c->>'element' = 'MetadataEntry') as m_all
              from (
                select w.source_id as raw_source_id, w.user_id, w.account_id, w.start_at, w.end_at, w.source_name
                     , w.utc_offset_s, w.tz_name, w.tz_basis, x.exported_at
                     , w.payload::jsonb->'attributes' as a
                     , coalesce(w.payload::jsonb->'children', '[]') as children
                  from changed w
                  left join apple_health_raw.exports x
                    on x.user_id = w.user_id and x.account_id = w.account_id and x.file_id = w.file_id
                offset 0  -- keeps the planner from parsing once for each use
              ) q
            offset 0
          ) r
          left join (values
              ('AmericanFootball', 'american_football'), ('Archery', 'archery'), ('AustralianFootball', 'australian_football'),
              ('Badminton', 'badminton'), ('Baseball', 'baseball'), ('Basketball', 'basketball'), ('Bowling', 'bowling'),
              ('Boxing', 'boxing'), ('Climbing', 'climbing'), ('Cricket', 'cricket'), ('CrossTraining', 'functional_fitness'),
              ('Curling', 'curling'), ('Cycling', 'cycling'), ('Dance', 'dance'), ('DanceInspiredTraining', 'dance'),
              ('Elliptical', 'elliptical'), ('EquestrianSports', 'horseback_riding'), ('Fencing', 'fencing'), ('Fishing', 'fishing'),
              ('FunctionalStrengthTraining', 'strength_training'), ('Golf', 'golf'), ('Gymnastics', 'gymnastics'), ('Handball', 'handball'),
              ('Hiking', 'hiking'), ('Hockey', 'hockey'), ('Hunting', 'hunting'), ('Lacrosse', 'lacrosse'), ('MartialArts', 'martial_arts'),
              ('MindAndBody', 'mind_and_body'), ('MixedMetabolicCardioTraining', 'mixed_cardio'), ('PaddleSports', 'paddling'),
              ('Play', 'play'), ('PreparationAndRecovery', 'recovery'), ('Racquetball', 'racquetball'), ('Rowing', 'rowing'),
              ('Rugby', 'rugby'), ('Running', 'running'), ('Sailing', 'sailing'), ('SkatingSports', 'skating'),
              ('SnowSports', 'snow_sports'), ('Soccer', 'soccer'), ('Softball', 'softball'), ('Squash', 'squash'),
              ('StairClimbing', 'stair_climbing'), ('SurfingSports', 'surfing'), ('Swimming', 'swimming'), ('TableTennis', 'table_tennis'),
              ('Tennis', 'tennis'), ('TrackAndField', 'track_and_field'), ('TraditionalStrengthTraining', 'strength_training'),
              ('Volleyball', 'volleyball'), ('Walking', 'walking'), ('WaterFitness', 'water_fitness'), ('WaterPolo', 'water_polo'),
              ('WaterSports', 'water_sports'), ('Wrestling', 'wrestling'), ('Yoga', 'yoga'), ('Barre', 'barre'),
              ('CoreTraining', 'core_training'), ('CrossCountrySkiing', 'cross_country_skiing'), ('DownhillSkiing', 'alpine_skiing'),
              ('Flexibility', 'stretching'), ('HighIntensityIntervalTraining', 'hiit'), ('JumpRope', 'jump_rope'),
              ('Kickboxing', 'kickboxing'), ('Pilates', 'pilates'), ('Snowboarding', 'snowboarding'), ('Stairs', 'stair_climbing'),
              ('StepTraining', 'step_training'), ('WheelchairWalkPace', 'wheelchair'), ('WheelchairRunPace', 'wheelchair'),
              ('TaiChi', 'tai_chi'), ('MixedCardio', 'mixed_cardio'), ('HandCycling', 'hand_cycling'), ('DiscSports', 'disc_sports'),
              ('FitnessGaming', 'fitness_gaming'), ('CardioDance', 'dance'), ('SocialDance', 'dance'), ('Pickleball', 'pickleball'),
              ('Cooldown', 'recovery'), ('SwimBikeRun', 'triathlon'), ('Transition', 'other'), ('UnderwaterDiving', 'diving'),
              ('Other', 'other')
            ) k (name, sport) on 'HKWorkoutActivityType' || k.name = r.activity
          -- the older attributes, a type and a unit lead to one factor
          left join lateral (
            select r.distance * u.factor as converted
              from apple_health_raw.mapping u
             where u.type = 'HKQuantityTypeIdentifierDistanceWalkingRunning' and u.unit = coalesce(r.a->>'totalDistanceUnit', '')
          ) d on true
          left join lateral (
            select r.energy * u.factor as converted
              from apple_health_raw.mapping u
             where u.type = 'HKQuantityTypeIdentifierActiveEnergyBurned' and u.unit = coalesce(r.a->>'totalEnergyBurnedUnit', '')
          ) e on true
          left join lateral (
            -- a ride knows the steps to the bicycle too, which are no part of its distance, a triathlon is all it was made of
            select coalesce(sum(t.total) filter (where t.metric_code = case k.sport
                                                    when 'cycling' then 'distance_cycling' when 'swimming' then 'distance_swim'
                                                    when 'walking' then 'distance_walk_run' when 'running' then 'distance_walk_run'
                                                    when 'hiking' then 'distance_walk_run' when 'rowing' then 'distance_row' end),
                            sum(t.total) filter (where t.metric_code like 'distance\_%'))                     as distance_m
                 , sum(t.total) filter (where t.metric_code = 'energy_active')                                as energy_active_kcal
                 , sum(t.total) filter (where t.metric_code = 'energy_basal')                                 as energy_basal_kcal
                 , sum(t.total) filter (where t.metric_code = 'steps')                                        as steps
                 , max(t.mean) filter (where t.metric_code = 'heart_rate')                                    as hr_avg
                 , max(t.highest) filter (where t.metric_code = 'heart_rate')                                 as hr_max
                 , max(t.mean) filter (where t.metric_code like '%\_speed')                                   as speed_avg_mps
                 , max(t.highest) filter (where t.metric_code like '%\_speed')                                as speed_max_mps
                 , max(t.mean) filter (where t.metric_code in ('running_power', 'cycling_power'))             as power_avg_w
                 , max(t.highest) filter (where t.metric_code in ('running_power', 'cycling_power'))          as power_max_w
                 , max(t.mean) filter (where t.metric_code = 'cycling_cadence')                               as cadence_avg
                 , bool_or(t.is_unknown)                                                                      as has_unknown_unit
              from (
                select u.metric_code
                     , (meta.number_or_null(c->'attributes'->>'sum') + u.shift) * u.factor     as total
                     , (meta.number_or_null(c->'attributes'->>'average') + u.shift) * u.factor as mean
                     , (meta.number_or_null(c->'attributes'->>'maximum') + u.shift) * u.factor as highest
                     , u.type is null and exists (select from apple_health_raw.mapping y where y.type = c->'attributes'->>'type') as is_unknown
                  from jsonb_array_elements(r.children) c
                  left join apple_health_raw.mapping u
                    on u.type = c->'attributes'->>'type' and u.unit = apple_health_raw.plain_unit(coalesce(c->'attributes'->>'unit', ''))
                   and not u.is_category and u.rule <> 'sensor'
                 where c->>'element' = 'WorkoutStatistics'
              ) t
          ) s on true
          left join lateral (
            select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                     'kind', lower(replace(c->'attributes'->>'type', 'HKWorkoutEventType', '')),
                     'start_at', apple_health_raw.instant(c->'attributes'->>'date'),
                     'duration_s', meta.number_or_null(c->'attributes'->>'duration')
                       * apple_health_raw.seconds(c->'attributes'->>'durationUnit')))
                     order by c->'attributes'->>'date', o)
                     filter (where c->>'element' = 'WorkoutEvent' and c->'attributes'->>'type' ~ '(Lap|Segment|Marker)$')            as laps
                 , jsonb_agg(jsonb_build_object(
                     'kind', lower(replace(c->'attributes'->>'type', 'HKWorkoutEventType', '')),
                     'at', apple_health_raw.instant(c->'attributes'->>'date'))
                     order by c->'attributes'->>'date', o)
                     filter (where c->>'element' = 'WorkoutEvent' and c->'attributes'->>'type' !~ '(Lap|Segment|Marker)$')           as events
                 , jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                     'uuid', c->'attributes'->>'uuid',
                     'type', (select g->'attributes'->>'value' from jsonb_array_elements(c->'children') g
                               where g->'attributes'->>'key' like '%ActivityType' limit 1),
                     'start_at', apple_health_raw.instant(c->'attributes'->>'startDate'),
                     'end_at', apple_health_raw.instant(c->'attributes'->>'endDate'),
                     'duration_s', meta.number_or_null(c->'attributes'->>'duration')
                       * apple_health_raw.seconds(c->'attributes'->>'durationUnit')))
                     order by c->'attributes'->>'startDate', o) filter (where c->>'element' = 'WorkoutActivity')                     as activities
                 , jsonb_agg((c->'attributes') - 'startDate' - 'endDate' order by c->'attributes'->>'type', o)
                     filter (where c->>'element' = 'WorkoutStatistics')                                                              as statistics
                 , jsonb_agg(f->'attributes'->'path' order by o) filter (where f is not null)                                        as route
              from jsonb_array_elements(r.children) with ordinality z (c, o)
              left join lateral (
                select g as f from jsonb_array_elements(coalesce(c->'children', '[]')) g
                 where c->>'element' = 'WorkoutRoute' and g->>'element' = 'FileReference'
              ) y on true
          ) p on true
          left join lateral (
            -- After a journey a file may have the name that another one had at home: the one of the workout's time is meant.
            select s.lat, s.lon
              from start s
             where s.user_id = r.user_id and s.account_id = r.account_id and s.file_name = apple_health_raw.file_name(p.route->>0)
             order by abs(extract(epoch from s.start_at - r.start_at)) nulls last, s.id
             limit 1
          ) g on true
      ) n
      left join meta.metrics rate     on rate.metric_code = 'heart_rate'
      left join meta.metrics distance on distance.metric_code = 'distance_total'
      left join meta.metrics climb    on climb.metric_code = 'elevation_gain'
      left join meta.metrics energy   on energy.metric_code = 'energy_active'
  ) f
