-- grain: one row per WHOOP workout, activities that are no exercise included
-- The day is that of the start. WHOOP's energy is the whole expenditure while it lasted, rest included. Names are folded (case, spaces, hyphens,
-- slashes) before they are looked up: WHOOP spells them in several ways. An unknown name is 'other'. What is no exercise is 'recovery' or 'other'
-- and says so in detail. Without a score (pending or unscorable) everything measured is unknown.
with workout as (
  select r.raw_source_id
       , k.sport                                                     as known_sport
       , coalesce(r.p->>'sport_name', r.p->>'sport_id')              as sport_raw
       , meta.instant(r.p->>'start')                                 as start_at
       , meta.instant(r.p->>'end')                                   as end_at
       , meta.offset_seconds(r.p->>'timezone_offset')                as utc_offset_s
       , 'ms'                                                        as time_precision
       , meta.number(r.scored->'distance_meter')                    as distance_m
       , null::real                                                 as energy_active_kcal
       , (meta.number(r.scored->'kilojoule') / 4.184)::real         as energy_total_kcal  -- kJ -> kcal
       , meta.number(r.scored->'altitude_gain_meter')::real         as elev_gain_m
       , meta.number(r.scored->'average_heart_rate')::real          as hr_avg
       , meta.number(r.scored->'max_heart_rate')::real              as hr_max
       , case when jsonb_typeof(r.zones) = 'object' then array[      -- ms -> s
           round(meta.number(r.zones->'zone_zero_milli') / 1000)::integer,
           round(meta.number(r.zones->'zone_one_milli') / 1000)::integer,
           round(meta.number(r.zones->'zone_two_milli') / 1000)::integer,
           round(meta.number(r.zones->'zone_three_milli') / 1000)::integer,
           round(meta.number(r.zones->'zone_four_milli') / 1000)::integer,
           round(meta.number(r.zones->'zone_five_milli') / 1000)::integer] end as hr_zone_s
       , case when jsonb_typeof(r.zones) = 'object' then 'whoop_0_to_5' end as hr_zone_scheme
       , meta.number(r.scored->'strain')::real                      as training_load
       , case when r.scored->>'strain' is not null then 'whoop_strain' end as training_load_kind
       , meta.implausible(meta.number(r.scored->'strain'), 0, 21)   as is_implausible
       , null::date                                                 as said_day
       , array[case when r.p->>'score_state' = 'PENDING_SCORE' then 'tentative' end] as odd
       , jsonb_strip_nulls(jsonb_build_object(
           'score_state',       r.p->'score_state',
           'sport_id',          r.p->'sport_id',
           'is_exercise',       k.is_exercise,
           'percent_recorded',  r.scored->'percent_recorded',
           'altitude_change_m', r.scored->'altitude_change_meter'))  as detail
    from (
      select q.raw_source_id, q.p, q.scored
           , coalesce(q.scored->'zone_durations', q.scored->'zone_duration') as zones  -- the second name is that of the first API version
           , trim('_' from regexp_replace(lower(q.p->>'sport_name'), '[^a-z0-9]+', '_', 'g')) as folded
        from (
          select j.raw_source_id
               , j.p
               , case when j.p->>'score_state' = 'SCORED' and jsonb_typeof(j.p->'score') = 'object' then j.p->'score' end as scored
            from (
              select c.source_id as raw_source_id, c.payload::jsonb as p
                from changed c
              offset 0  -- keeps the planner from parsing once for each use
            ) j
          offset 0
        ) q
      offset 0
    ) r
    left join (values
        -- endurance
        ('running', 'running', true), ('jogging', 'running', true), ('track_field', 'track_and_field', true),
        ('track_and_field', 'track_and_field', true), ('walking', 'walking', true), ('dog_walking', 'walking', true),
        ('stroller_walking', 'walking', true), ('stroller_jogging', 'running', true), ('hiking_rucking', 'hiking', true),
        ('hiking', 'hiking', true), ('rucking', 'hiking', true), ('cycling', 'cycling', true), ('mountain_biking', 'mountain_biking', true),
        ('spin', 'indoor_cycling', true), ('spinning', 'indoor_cycling', true), ('assault_bike', 'indoor_cycling', true),
        ('elliptical', 'elliptical', true), ('stairmaster', 'stair_climbing', true), ('climber', 'stair_climbing', true),
        ('stadium_steps', 'stair_climbing', true), ('triathlon', 'triathlon', true), ('duathlon', 'duathlon', true),
        ('obstacle_course_racing', 'obstacle_racing', true), ('obstacle_racing', 'obstacle_racing', true),
        ('wheelchair_pushing', 'wheelchair', true),
        -- water
        ('swimming', 'swimming', true), ('rowing', 'rowing', true), ('kayaking', 'kayaking', true), ('canoeing', 'canoeing', true),
        ('paddleboarding', 'paddleboarding', true), ('surfing', 'surfing', true), ('kite_boarding', 'kitesurfing', true),
        ('sailing', 'sailing', true), ('diving', 'diving', true), ('water_polo', 'water_polo', true),
        ('water_skiing', 'water_skiing', true), ('wakeboarding', 'wakeboarding', true),
        -- snow, ice, wheels
        ('skiing', 'alpine_skiing', true), ('cross_country_skiing', 'cross_country_skiing', true), ('snowboarding', 'snowboarding', true),
        ('ice_skating', 'ice_skating', true), ('inline_skating', 'inline_skating', true), ('skateboarding', 'skateboarding', true),
        ('motocross', 'motocross', true), ('motor_racing', 'motor_racing', true),
        -- strength, studio
        ('weightlifting', 'strength_training', true), ('strength_trainer', 'strength_training', true),
        ('machine_workout', 'strength_training', true), ('powerlifting', 'powerlifting', true), ('functional_fitness', 'functional_fitness', true),
        ('f45_training', 'functional_fitness', true), ('barry_s', 'functional_fitness', true), ('barrys', 'functional_fitness', true),
        ('hiit', 'hiit', true), ('plyometrics', 'plyometrics', true), ('jumping_rope', 'jump_rope', true), ('box_fitness', 'boxing', true),
        ('pilates', 'pilates', true), ('yoga', 'yoga', true), ('hot_yoga', 'yoga', true), ('barre', 'barre', true), ('barre3', 'barre', true),
        ('dance', 'dance', true), ('gymnastics', 'gymnastics', true), ('circus_arts', 'circus_arts', true), ('stretching', 'stretching', true),
        ('rock_climbing', 'climbing', true), ('parkour', 'parkour', true),
        -- fighting
        ('boxing', 'boxing', true), ('kickboxing', 'kickboxing', true), ('martial_arts', 'martial_arts', true), ('jiu_jitsu', 'jiu_jitsu', true),
        ('wrestling', 'wrestling', true), ('fencing', 'fencing', true),
        -- ball and racket
        ('soccer', 'soccer', true), ('football', 'american_football', true), ('australian_football', 'australian_football', true),
        ('gaelic_football', 'gaelic_football', true), ('hurling_camogie', 'hurling', true), ('rugby', 'rugby', true),
        ('basketball', 'basketball', true), ('netball', 'netball', true), ('handball', 'handball', true), ('volleyball', 'volleyball', true),
        ('baseball', 'baseball', true), ('softball', 'softball', true), ('cricket', 'cricket', true), ('lacrosse', 'lacrosse', true),
        ('field_hockey', 'field_hockey', true), ('ice_hockey', 'ice_hockey', true), ('ultimate', 'ultimate', true),
        ('disc_golf', 'disc_golf', true), ('golf', 'golf', true), ('spikeball', 'spikeball', true), ('tennis', 'tennis', true),
        ('table_tennis', 'table_tennis', true), ('badminton', 'badminton', true), ('squash', 'squash', true), ('padel', 'padel', true),
        ('paddle_tennis', 'paddle_tennis', true), ('pickleball', 'pickleball', true), ('polo', 'polo', true), ('paintball', 'paintball', true),
        -- riding and work that moves the body
        ('horseback_riding', 'horseback_riding', true), ('manual_labor', 'manual_labor', true), ('yard_work', 'yard_work', true),
        ('stage_performance', 'performing', true), ('musical_performance', 'performing', true),
        ('operations_tactical', 'other', true), ('operations_medical', 'other', true), ('operations_flying', 'other', true),
        ('operations_water', 'other', true), ('toddlerwearing', 'other', true), ('babywearing', 'other', true), ('pit_practice', 'other', true),
        ('activity', 'other', true), ('other', 'other', true), ('sex', 'other', true),
        -- no exercise: rest and treatment
        ('meditation', 'recovery', false), ('ice_bath', 'recovery', false), ('sauna', 'recovery', false), ('massage_therapy', 'recovery', false),
        ('air_compression', 'recovery', false), ('percussive_massage', 'recovery', false),
        ('resonance_frequency_breathing', 'recovery', false), ('other_recovery', 'recovery', false),
        -- no exercise: everything else
        ('coaching', 'other', false), ('commuting', 'other', false), ('gaming', 'other', false), ('caddying', 'other', false),
        ('high_stress_work', 'other', false), ('watching_sports', 'other', false), ('dedicated_parenting', 'other', false),
        ('cooking', 'other', false), ('cleaning', 'other', false), ('public_speaking', 'other', false)
      ) k (folded, sport, is_exercise) on k.folded = r.folded
  offset 0
)
