-- grain: one row per Oura workout, as entered, detected or confirmed
-- The day is that of the start. Some carry the offset of Greenwich on a day that it does not make: then the day counts, and the offset is that of where
-- the person was, unless that makes another day too. There is no heart rate inside, it is in the heartrate collection. Whether the energy is above rest
-- or whole is not documented: it is taken for what Oura's day counts as active. Names are snake case, an unknown one is 'other'.
with workout as (
  select r.raw_source_id
       , k.sport                                               as known_sport
       , r.p->>'activity'                                      as sport_raw
       , r.p->>'label'                                         as title
       , r.start_at
       , meta.instant(r.p->>'end_datetime')                    as end_at
       , case when r.said_day is null then r.utc_offset_s else r.home_offset_s end as utc_offset_s
       , case when r.said_day is not null and r.home_offset_s is not null then r.home_tz end as tz_name
       , r.said_day
       , meta.number(r.p->'distance')                          as distance_m
       , meta.number(r.p->'calories')::real                    as energy_active_kcal
       , null::real                                            as energy_total_kcal
       , null::real                                            as elev_gain_m
       , null::real                                            as hr_avg
       , null::real                                            as hr_max
       , 'second'                                              as time_precision
       , array[case when r.p->>'source' = 'manual' then 'manual' end, case when r.said_day is not null then 'tz_ambiguous' end] as odd
       , false                                                 as is_implausible
       , jsonb_strip_nulls(jsonb_build_object(
           'intensity', r.p->'intensity',
           'source',    r.p->'source',
           'day',       r.p->'day'))                           as detail
    from (
      select o.*
           , case when o.utc_offset_s = 0 and o.day <> meta.local_date(o.start_at, 0) and z.utc_offset_s is distinct from 0 then o.day end as said_day
           , case when meta.local_date(o.start_at, z.utc_offset_s) = o.day then z.utc_offset_s end as home_offset_s
           , z.tz_name                                         as home_tz
        from (
          select j.*
               , lower(j.p->>'activity')                       as named
               , meta.day(j.p->>'day')                         as day
               , meta.instant(j.p->>'start_datetime')          as start_at
               , meta.said_offset(j.p->>'start_datetime')      as utc_offset_s
            from (
              select user_id, source_id as raw_source_id, payload::jsonb as p
                from changed
              offset 0  -- keeps the planner from parsing once for each use
            ) j
          offset 0
        ) o
        left join lateral (
          select g.utc_offset_s, g.tz_name
            from meta.zone_ranges g
           where o.utc_offset_s = 0 and g.user_id = o.user_id and g.from_at <= o.start_at
           order by g.from_at desc
           limit 1
        ) z on true
      offset 0
    ) r
    left join (values
        ('running', 'running'), ('trail_running', 'trail_running'), ('walking', 'walking'), ('hiking', 'hiking'), ('cycling', 'cycling'),
        ('mountain_biking', 'mountain_biking'), ('indoor_cycling', 'indoor_cycling'), ('swimming', 'swimming'), ('rowing', 'rowing'),
        ('kayaking', 'kayaking'), ('stand_up_paddling', 'paddleboarding'), ('surfing', 'surfing'), ('sailing', 'sailing'),
        ('water_polo', 'water_polo'), ('strength_training', 'strength_training'), ('weightlifting', 'strength_training'),
        ('functional_training', 'functional_fitness'), ('hiit', 'hiit'), ('circuit_training', 'hiit'), ('elliptical', 'elliptical'),
        ('stair_climbing', 'stair_climbing'), ('jump_rope', 'jump_rope'), ('yoga', 'yoga'), ('pilates', 'pilates'),
        ('stretching', 'stretching'), ('meditation', 'recovery'), ('breathwork', 'recovery'), ('skiing', 'alpine_skiing'),
        ('cross_country_skiing', 'cross_country_skiing'), ('snowboarding', 'snowboarding'), ('ice_skating', 'ice_skating'),
        ('soccer', 'soccer'), ('basketball', 'basketball'), ('volleyball', 'volleyball'), ('baseball', 'baseball'), ('rugby', 'rugby'),
        ('cricket', 'cricket'), ('handball', 'handball'), ('lacrosse', 'lacrosse'), ('american_football', 'american_football'),
        ('ice_hockey', 'ice_hockey'), ('field_hockey', 'field_hockey'), ('tennis', 'tennis'), ('squash', 'squash'),
        ('badminton', 'badminton'), ('table_tennis', 'table_tennis'), ('pickleball', 'pickleball'), ('padel', 'padel'), ('boxing', 'boxing'),
        ('martial_arts', 'martial_arts'), ('wrestling', 'wrestling'), ('rock_climbing', 'climbing'), ('climbing', 'climbing'),
        ('golf', 'golf'), ('inline_skating', 'inline_skating'), ('skateboarding', 'skateboarding'), ('horseback_riding', 'horseback_riding'),
        ('dancing', 'dance'), ('gymnastics', 'gymnastics'), ('triathlon', 'triathlon')
      ) k (named, sport) on k.named = r.named
  offset 0
)
