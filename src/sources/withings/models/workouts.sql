-- grain: one row per Withings workout, recorded or entered
-- The day is that of the start. What the person entered stands in for what was not measured. Zero beats mean that there is no heart rate. Climbing is
-- in floors, which are no metres, and stays in detail. Time in motion is without pauses. An unknown category is 'other'.
with workout as (
  select r.source_id                                           as raw_source_id
       , k.sport                                               as known_sport
       , k.is_indoor
       , r.p->>'category'                                      as sport_raw
       , r.start_at
       , r.end_at
       , r.utc_offset_s
       , case when r.utc_offset_s is not null then r.p->>'timezone' end as tz_name
       , 'second'                                              as time_precision
       , greatest(round(extract(epoch from r.end_at - r.start_at))::integer
                  - round(coalesce(meta.number(r.d->'pause_duration'), meta.number(r.d->'algo_pause_duration'), 0))::integer, 0) as moving_s
       , coalesce(nullif(meta.number(r.d->'distance'), 0), nullif(meta.number(r.d->'manual_distance'), 0)) as distance_m
       , coalesce(nullif(meta.number(r.d->'calories'), 0), nullif(meta.number(r.d->'manual_calories'), 0))::real as energy_active_kcal
       , null::real                                            as energy_total_kcal
       , null::real                                            as elev_gain_m
       , round(meta.number(r.d->'steps'))::integer             as steps
       , nullif(meta.number(r.d->'hr_average'), 0)::real       as hr_avg
       , nullif(meta.number(r.d->'hr_max'), 0)::real           as hr_max
       , z.zones                                               as hr_zone_s
       , case when z.zones is not null then 'withings_0_to_3' end as hr_zone_scheme
       , array[case when r.p->>'attrib' in ('2', '4') then 'manual' end,
               case when meta.number(coalesce(nullif(r.p->'modelid', 'null'), case when jsonb_typeof(r.p->'model') = 'number' then r.p->'model' end)) >= 1051 then 'foreign_copy' end] as odd
       , false                                                 as is_implausible
       , null::date                                            as said_day
       , jsonb_strip_nulls(jsonb_build_object(
           'attrib',           r.p->'attrib',
           'model',            r.p->'model',
           'device',           coalesce(nullif(r.p->'hash_deviceid', 'null'), r.p->'deviceid'),
           'intensity',        coalesce(nullif(r.d->'intensity', 'null'), r.d->'manual_intensity'),
           'effective_s',      r.d->'effduration',
           'hr_min',           nullif(r.d->'hr_min', '0'),
           'spo2_average',     r.d->'spo2_average',
           'floors',           r.d->'elevation',
           'pool_laps',        r.d->'pool_laps',
           'pool_length_m',    r.d->'pool_length',
           'strokes',          r.d->'strokes',
           'core_body_temperature_avg',    r.d->'core_body_temperature_avg',
           'core_body_temperature_min',    r.d->'core_body_temperature_min',
           'core_body_temperature_max',    r.d->'core_body_temperature_max',
           'core_body_temperature_status', r.d->'core_body_temperature_status')) as detail
    from (
      select j.source_id, j.p, j.p->'data' as d
           , meta.epoch(j.p->'startdate')                      as start_at
           , meta.epoch(j.p->'enddate')                        as end_at
           , meta.zone_offset(meta.epoch(j.p->'startdate'), j.p->>'timezone') as utc_offset_s
        from (
          select source_id, payload::jsonb as p
            from changed
          offset 0  -- keeps the planner from parsing once for each use
        ) j
      offset 0
    ) r
   cross join lateral (
      select case when coalesce(r.d->>'hr_zone_0', r.d->>'hr_zone_1', r.d->>'hr_zone_2', r.d->>'hr_zone_3') is not null then array[
               round(meta.number(r.d->'hr_zone_0'))::integer, round(meta.number(r.d->'hr_zone_1'))::integer,
               round(meta.number(r.d->'hr_zone_2'))::integer, round(meta.number(r.d->'hr_zone_3'))::integer] end
    ) z (zones)
    left join (values
        ('1', 'walking', null::boolean), ('2', 'running', null), ('3', 'hiking', null), ('4', 'inline_skating', null), ('5', 'cycling', null),
        ('6', 'cycling', null), ('7', 'swimming', null), ('8', 'surfing', null), ('9', 'kitesurfing', null), ('10', 'windsurfing', null),
        ('11', 'surfing', null), ('12', 'tennis', null), ('13', 'table_tennis', null), ('14', 'squash', null), ('15', 'badminton', null),
        ('16', 'strength_training', null), ('17', 'functional_fitness', null), ('18', 'elliptical', null), ('19', 'pilates', null),
        ('20', 'basketball', null), ('21', 'soccer', null), ('22', 'american_football', null), ('23', 'rugby', null), ('24', 'volleyball', null),
        ('25', 'water_polo', null), ('26', 'horseback_riding', null), ('27', 'golf', null), ('28', 'yoga', null), ('29', 'dance', null),
        ('30', 'boxing', null), ('31', 'fencing', null), ('32', 'wrestling', null), ('33', 'martial_arts', null), ('34', 'alpine_skiing', null),
        ('35', 'snowboarding', null), ('187', 'rowing', null), ('188', 'dance', null), ('191', 'baseball', null), ('192', 'handball', null),
        ('193', 'field_hockey', null), ('194', 'ice_hockey', null), ('195', 'climbing', null), ('196', 'ice_skating', null),
        ('306', 'walking', true), ('307', 'running', true), ('308', 'indoor_cycling', true), ('455', 'paddleboarding', null),
        ('456', 'padel', null), ('490', 'volleyball', null), ('491', 'stair_climbing', null), ('492', 'skateboarding', null),
        ('493', 'parkour', null), ('494', 'kayaking', null), ('495', 'canoeing', null), ('496', 'sailing', null), ('497', 'fishing', null),
        ('498', 'trail_running', null), ('499', 'snowshoeing', null), ('500', 'paintball', null), ('501', 'archery', null), ('502', 'diving', null),
        ('503', 'baseball', null), ('510', 'pickleball', null), ('513', 'ultimate', null), ('515', 'wheelchair', null),
        ('516', 'wheelchair', null), ('517', 'track_and_field', null), ('518', 'cycling', null), ('521', 'triathlon', null),
        ('522', 'diving', null), ('523', 'mountain_biking', null), ('524', 'gravel_cycling', null), ('525', 'e_biking', null),
        ('526', 'e_mountain_biking', null), ('527', 'hand_cycling', null), ('528', 'velomobile', null), ('529', 'backcountry_skiing', null),
        ('530', 'cross_country_skiing', null), ('531', 'roller_skiing', null), ('532', 'racquetball', null), ('534', 'dance', null), ('535', 'martial_arts', null), ('536', 'martial_arts', null),
        ('537', 'martial_arts', null), ('546', 'functional_fitness', null), ('547', 'indoor_cycling', true), ('548', 'cricket', null),
        ('549', 'dance', null), ('550', 'hiit', null), ('551', 'recovery', null), ('552', 'stretching', null), ('553', 'yard_work', null),
        ('556', 'spikeball', null), ('557', 'lacrosse', null), ('559', 'walking', null), ('560', 'recovery', null), ('562', 'walking', null),
        ('564', 'bowling', null), ('566', 'walking', null), ('567', 'wrestling', null)
      ) k (category, sport, is_indoor) on k.category = r.p->>'category'
  offset 0
)
