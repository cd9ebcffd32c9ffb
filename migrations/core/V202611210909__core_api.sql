-- Schema api: the stable views for analysts, dashboards and models, over canonical and meta. Names and columns are a contract: added to, never
-- changed. Each keeps user_id, so a query with user_id = $1 stays on one shard of a distributed database.
create schema api;
comment on schema api is 'Stable views: one answer per question, chosen between the sources by meta.preferences.';

create view api.samples as
select user_id, metric_code, start_at, end_at, local_date, value_num, value_code, device_id, utc_offset_s,
       source_system, account_id, quality, flags, raw_table, raw_source_id, raw_path, run_id
  from canonical.samples
 where retired_at is null
union all
select p.user_id, p.metric_code, p.start_at, p.end_at, p.local_date, p.value_num, p.value_code, o.device_id, o.utc_offset_s,
       o.source_system, o.account_id, o.quality, o.flags, o.raw_table, o.raw_source_id, o.raw_path || '[' || p.seq || ']', o.run_id
  from canonical.sample_points p
  join canonical.sample_origins o on o.user_id = p.user_id and o.origin_id = p.origin_id
 where o.retired_at is null;
comment on view api.samples is 'One value of a metric, whether its lineage is its own (samples) or its records (sample_points).';
comment on column api.samples.start_at is 'Instant of the value, or start of its interval.';
comment on column api.samples.end_at is 'End of the interval; null: a point in time.';
comment on column api.samples.value_num is 'Value in the unit of the metric (meta.metrics.ucum); null: a coded value.';
comment on column api.samples.value_code is 'Coded value; null: a number.';

create view api.daily_preferred as
select user_id, local_date, metric_code, stat, category, value_num, ucum, source_system, account_id,
       device_key, device_type, origin, is_partial, quality, flags, chosen_by,
       raw_table, raw_source_id, run_id
  from (
    select d.*, m.category, m.ucum,
           case when p.rank is null then 'fallback' when p.metric_code = '*' then 'category' else 'metric' end as chosen_by,
           row_number() over (
             partition by d.user_id, d.local_date, d.metric_code, d.stat
             order by (d.quality < 0.2),            -- implausible values only when nothing else exists
                      (p.rank is null),             -- stated wishes first
                      (p.metric_code = '*'),        -- a wish for the metric beats a wish for the category
                      p.rank,
                      d.is_partial,
                      (d.origin = 'computed'),
                      d.quality desc, d.coverage_s desc nulls last,
                      d.source_system, d.account_id, d.device_key) as place
      from canonical.daily_summaries d
      join meta.metrics m on m.metric_code = d.metric_code
      left join meta.preferences p
        on p.user_id = d.user_id and p.category = m.category and p.metric_code in (d.metric_code, '*')
       and p.source_system = d.source_system and p.device_type in (d.device_type, '*') and p.rank > 0
       and d.local_date >= p.valid_from and d.local_date < p.valid_to
     where d.retired_at is null and d.value_num is not null
       and not exists (select 1 from meta.preferences x
                        where x.user_id = d.user_id and x.category = m.category and x.metric_code in (d.metric_code, '*')
                          and x.source_system = d.source_system and x.device_type in (d.device_type, '*') and x.rank = 0
                          and d.local_date >= x.valid_from and d.local_date < x.valid_to)
  ) ranked
 where place = 1;
comment on view api.daily_preferred is 'One value per person, local day, metric and statistic: the preferred sources. A day without it falls through to the next.';
comment on column api.daily_preferred.category is 'Subject of the metric (meta.metrics).';
comment on column api.daily_preferred.ucum is 'Unit of value_num.';
comment on column api.daily_preferred.chosen_by is 'metric | category (a wish of the person) | fallback (none applied).';

create view api.daily_conflicts as
select user_id, local_date, metric_code, stat, count(distinct source_system) as sources,
       min(value_num) as lowest, max(value_num) as highest,
       array_agg(distinct source_system) as source_list
  from canonical.daily_summaries
 where retired_at is null and value_num is not null
 group by 1, 2, 3, 4
having count(distinct source_system) > 1 and max(value_num) > min(value_num);
comment on view api.daily_conflicts is 'One day, metric and statistic on which sources disagree.';
comment on column api.daily_conflicts.stat is 'What the number is of the day.';
comment on column api.daily_conflicts.sources is 'Number of sources.';
comment on column api.daily_conflicts.lowest is 'Lowest value, in the unit of the metric.';
comment on column api.daily_conflicts.highest is 'Highest value, in the unit of the metric.';
comment on column api.daily_conflicts.source_list is 'The sources.';

create view api.sleep_night_preferred as
select * from (
    select s.*, case when p.rank is null then 'fallback' else 'category' end as chosen_by,
           row_number() over (
             partition by s.user_id, s.local_date
             order by (s.quality < 0.2), (p.rank is null), p.rank, (s.kind = 'main') desc, s.is_final desc,
                      coalesce(s.asleep_s, s.in_bed_s, 0) desc, s.quality desc, s.sleep_id) as place
      from canonical.sleep_sessions s
      left join meta.preferences p
        on p.user_id = s.user_id and p.category = 'sleep' and p.metric_code = '*' and p.source_system = s.source_system
       and p.rank > 0 and s.local_date >= p.valid_from and s.local_date < p.valid_to
     where s.retired_at is null and s.kind <> 'nap'
       and not exists (select 1 from meta.preferences x
                        where x.user_id = s.user_id and x.category = 'sleep' and x.metric_code = '*'
                          and x.source_system = s.source_system and x.device_type = '*' and x.rank = 0
                          and s.local_date >= x.valid_from and s.local_date < x.valid_to)
  ) ranked
 where place = 1;
comment on view api.sleep_night_preferred is 'One main sleep per person and day of waking: the preferred sources.';
comment on column api.sleep_night_preferred.chosen_by is 'category (a wish of the person) | fallback (none applied).';
comment on column api.sleep_night_preferred.place is 'Always 1: the first of the candidates.';

create view api.sleep_day as
select n.user_id, n.local_date, n.source_system, n.account_id, n.sleep_id as main_sleep_id,
       -- a night without a score is not made of its naps
       case when count(n.asleep_s) > 0 then sum(s.asleep_s) end as asleep_s,
       case when count(n.in_bed_s) > 0 then sum(s.in_bed_s) end as in_bed_s,
       sum(s.asleep_s) filter (where s.sleep_id <> n.sleep_id) as extra_asleep_s,
       count(*)         as sessions
  from api.sleep_night_preferred n
  join canonical.sleep_sessions s on s.user_id = n.user_id and s.local_date = n.local_date
   and s.source_system = n.source_system and s.account_id = n.account_id and s.retired_at is null
 group by 1, 2, 3, 4, 5;
comment on view api.sleep_day is 'One day of sleep: the preferred night, with the same sources naps and fragments.';
comment on column api.sleep_day.main_sleep_id is 'The night (canonical.sleep_sessions).';
comment on column api.sleep_day.asleep_s is 'Seconds asleep, naps included; null: not known.';
comment on column api.sleep_day.in_bed_s is 'Seconds in bed, naps included; null: not known.';
comment on column api.sleep_day.extra_asleep_s is 'Seconds asleep outside the night; null: none.';
comment on column api.sleep_day.sessions is 'Number of sleeps.';

create view api.workouts_preferred as
select w.*, coalesce(d.others, '{}') as also_in
  from canonical.workouts w
  left join lateral (
    select array_agg(l.source_system order by l.source_system) as others
      from meta.duplicate_links k join canonical.workouts l on l.user_id = k.user_id and l.workout_id = k.loser_id
     where k.user_id = w.user_id and k.entity = 'workouts' and k.winner_id = w.workout_id) d on true
 where w.retired_at is null
   and not exists (select 1 from meta.duplicate_links k
                    where k.user_id = w.user_id and k.entity = 'workouts' and k.loser_id = w.workout_id);
comment on view api.workouts_preferred is 'One exercise; repeats of it by other sources are hidden and named.';
comment on column api.workouts_preferred.also_in is 'Other sources that hold the same exercise.';

create view api.labs_preferred as
select l.*
  from canonical.lab_results l
 where l.retired_at is null and l.status not in ('entered_in_error','cancelled','registered')
   and not exists (select 1 from meta.duplicate_links k
                    where k.user_id = l.user_id and k.entity = 'lab_results' and k.loser_id = l.lab_id);
comment on view api.labs_preferred is 'One component of a laboratory report; repeats and void results are hidden.';

create view api.blood_pressure as
select user_id, event_id, min(observed_at) as observed_at, min(local_date) as local_date, source_system, account_id,
       max(value_num) filter (where metric_code = 'bp_systolic')  as systolic_mmhg,
       max(value_num) filter (where metric_code = 'bp_diastolic') as diastolic_mmhg,
       max(value_num) filter (where metric_code = 'bp_mean')      as mean_mmhg,
       max(value_num) filter (where metric_code = 'heart_rate')   as pulse,
       min(quality) as quality
  from canonical.biometrics_vitals
 where retired_at is null
 group by user_id, event_id, source_system, account_id
having bool_or(metric_code in ('bp_systolic','bp_diastolic'));
comment on view api.blood_pressure is 'One reading of a blood pressure cuff.';
comment on column api.blood_pressure.observed_at is 'Instant of the reading; null: only the day is known.';
comment on column api.blood_pressure.systolic_mmhg is 'Systolic pressure, mmHg; null: missing.';
comment on column api.blood_pressure.diastolic_mmhg is 'Diastolic pressure, mmHg; null: missing.';
comment on column api.blood_pressure.mean_mmhg is 'Mean pressure, mmHg; null: not given.';
comment on column api.blood_pressure.pulse is 'Pulse per minute; null: not given.';
comment on column api.blood_pressure.quality is 'Lowest quality of its parts, 0 to 1.';

create view api.body_composition as
select user_id, event_id, min(observed_at) as observed_at, min(local_date) as local_date, source_system, account_id,
       max(value_num) filter (where metric_code = 'weight')      as weight_kg,
       max(value_num) filter (where metric_code = 'fat_pct')     as fat_pct,
       max(value_num) filter (where metric_code = 'lean_mass')   as lean_kg,
       max(value_num) filter (where metric_code = 'muscle_mass') as muscle_kg,
       max(value_num) filter (where metric_code = 'bone_mass')   as bone_kg,
       max(value_num) filter (where metric_code = 'water_pct')   as water_pct,
       min(quality) as quality
  from canonical.biometrics_vitals
 where retired_at is null
 group by user_id, event_id, source_system, account_id
having bool_or(metric_code in ('weight','fat_pct'));
comment on view api.body_composition is 'One weigh-in.';
comment on column api.body_composition.observed_at is 'Instant of the weigh-in; null: only the day is known.';
comment on column api.body_composition.weight_kg is 'Weight, kg; null: not given.';
comment on column api.body_composition.fat_pct is 'Body fat, percent; null: not given.';
comment on column api.body_composition.lean_kg is 'Fat-free mass, kg; null: not given.';
comment on column api.body_composition.muscle_kg is 'Muscle mass, kg; null: not given.';
comment on column api.body_composition.bone_kg is 'Bone mass, kg; null: not given.';
comment on column api.body_composition.water_pct is 'Body water, percent; null: not given.';
comment on column api.body_composition.quality is 'Lowest quality of its parts, 0 to 1.';

create view api.sample_day_source as
select user_id, metric_code, local_date, source_system, account_id, samples
  from (
    select s.user_id, s.metric_code, s.local_date, s.source_system, s.account_id, s.samples,
           row_number() over (
             partition by s.user_id, s.metric_code, s.local_date
             order by (p.rank is null), (p.metric_code = '*'), p.rank, s.samples desc, s.source_system, s.account_id) as place
      from (select user_id, metric_code, local_date, source_system, account_id, count(*) as samples
              from api.samples where quality >= 0.2
             group by 1, 2, 3, 4, 5) s
      join meta.metrics m on m.metric_code = s.metric_code
      left join meta.preferences p
        on p.user_id = s.user_id and p.category = m.category and p.metric_code in (s.metric_code, '*')
       and p.source_system = s.source_system and p.rank > 0 and s.local_date >= p.valid_from and s.local_date < p.valid_to
     where not exists (select 1 from meta.preferences x
                        where x.user_id = s.user_id and x.category = m.category and x.metric_code in (s.metric_code, '*')
                          and x.source_system = s.source_system and x.device_type = '*' and x.rank = 0
                          and s.local_date >= x.valid_from and s.local_date < x.valid_to)
  ) ranked
 where place = 1;
comment on view api.sample_day_source is 'One source per person, metric and local day for dense series: two watches are never mixed within a day.';
comment on column api.sample_day_source.samples is 'Number of its values on that day.';

create view api.nutrition_day as
select user_id, local_date, source_system, account_id,
       sum(energy_kcal) as energy_kcal, sum(protein_g) as protein_g, sum(carbs_g) as carbs_g,
       sum(fat_g) as fat_g, sum(fiber_g) as fiber_g, sum(sodium_mg) as sodium_mg, sum(water_ml) as water_ml,
       count(*) as entries, count(energy_kcal) as entries_with_energy
  from canonical.nutrition_entries e
 where retired_at is null
   and (grain = 'item' or not exists (
         select 1 from canonical.nutrition_entries i
          where i.user_id = e.user_id and i.local_date = e.local_date and i.source_system = e.source_system
            and i.account_id = e.account_id and i.meal = e.meal and i.grain = 'item' and i.retired_at is null))
 group by 1, 2, 3, 4;
comment on view api.nutrition_day is 'One day of food per source: the sum of its entries. Meals count only where their foods are not there.';
comment on column api.nutrition_day.energy_kcal is 'Energy, kcal; null: no entry gives it.';
comment on column api.nutrition_day.protein_g is 'Protein, g; null: no entry gives it.';
comment on column api.nutrition_day.carbs_g is 'Carbohydrate, g; null: no entry gives it.';
comment on column api.nutrition_day.fat_g is 'Fat, g; null: no entry gives it.';
comment on column api.nutrition_day.fiber_g is 'Fibre, g; null: no entry gives it.';
comment on column api.nutrition_day.sodium_mg is 'Sodium, mg; null: no entry gives it.';
comment on column api.nutrition_day.water_ml is 'Water, mL; null: no entry gives it.';
comment on column api.nutrition_day.entries is 'Number of entries.';
comment on column api.nutrition_day.entries_with_energy is 'Number of entries that give energy.';

create view api.coverage as
select c.user_id, u.label as person, a.source_system, c.account_id, a.label as account, c.resource, c.covered,
       lower(c.covered) as covered_from, upper(c.covered) as covered_until,
       greatest((select count(*) from unnest(c.covered)) - 1, 0) as gaps,
       c.open_slice is not null as is_reading, c.run_id, r.started_at as last_changed_at
  from meta.coverage c
  join meta.users u on u.user_id = c.user_id
  join meta.source_accounts a on a.user_id = c.user_id and a.account_id = c.account_id
  left join meta.import_runs r on r.user_id = c.user_id and r.run_id = c.run_id;
comment on view api.coverage is 'One resource of one account: the times it is completely held for.';
comment on column api.coverage.person is 'Label of the person.';
comment on column api.coverage.account is 'Label of the account.';
comment on column api.coverage.resource is 'Resource of the source, which is also the name of its raw table.';
comment on column api.coverage.covered is 'Times that are completely held; what is missing between them is a gap.';
comment on column api.coverage.covered_from is 'Beginning of the first held stretch; null: nothing held, or no beginning.';
comment on column api.coverage.covered_until is 'End of the last held stretch; null: nothing held, or no end.';
comment on column api.coverage.gaps is 'Number of gaps between the first and the last held stretch.';
comment on column api.coverage.is_reading is 'A slice was begun and not read to its end: it is being read, or waits for the next run.';
comment on column api.coverage.run_id is 'Run that last changed it (meta.import_runs).';
comment on column api.coverage.last_changed_at is 'When that run began.';

create view api.runs as
select r.user_id, u.label as person, r.run_id, r.kind, a.source_system, r.account_id, a.label as account, r.started_at, r.finished_at,
       extract(epoch from r.finished_at - r.started_at)::double precision as duration_s,
       r.status, r.exit_code, r.error, r.counts, r.app_version
  from meta.import_runs r
  join meta.users u on u.user_id = r.user_id
  left join meta.source_accounts a on a.user_id = r.user_id and a.account_id = r.account_id;
comment on view api.runs is 'One run: what was attempted, how it ended, what it moved.';
comment on column api.runs.person is 'Label of the person.';
comment on column api.runs.run_id is 'Number of the run, ascending per person.';
comment on column api.runs.source_system is 'The source (meta.source_systems); null: models over several accounts.';
comment on column api.runs.account_id is 'The account of the person (meta.source_accounts); null: models over several accounts.';
comment on column api.runs.account is 'Label of the account; null: models over several accounts.';
comment on column api.runs.duration_s is 'Seconds it took; null: still running, or killed.';

-- What a view shows unchanged is explained with the words of the table it comes from.
do $$
declare
  shown constant text[][] := array[
    ['samples', 'canonical.samples'], ['daily_preferred', 'canonical.daily_summaries'], ['daily_conflicts', 'canonical.daily_summaries'],
    ['sleep_night_preferred', 'canonical.sleep_sessions'], ['sleep_day', 'canonical.sleep_sessions'],
    ['workouts_preferred', 'canonical.workouts'], ['labs_preferred', 'canonical.lab_results'],
    ['blood_pressure', 'canonical.biometrics_vitals'], ['body_composition', 'canonical.biometrics_vitals'],
    ['sample_day_source', 'canonical.samples'], ['nutrition_day', 'canonical.nutrition_entries'],
    ['coverage', 'meta.source_accounts'], ['coverage', 'meta.coverage'], ['runs', 'meta.import_runs']
  ];
  bare record;
begin
  for bare in
    select distinct on (v.oid, a.attname) v.relname, a.attname, col_description(t.oid, b.attnum) as said
      from generate_subscripts(shown, 1) i
      join pg_class v on v.oid = ('api.' || shown[i][1])::regclass
      join pg_class t on t.oid = shown[i][2]::regclass
      join pg_attribute a on a.attrelid = v.oid and a.attnum > 0
      join pg_attribute b on b.attrelid = t.oid and b.attname = a.attname
     where col_description(v.oid, a.attnum) is null and col_description(t.oid, b.attnum) is not null
     order by v.oid, a.attname, i
  loop
    execute format('comment on column api.%I.%I is %L', bare.relname, bare.attname, bare.said);
  end loop;
end $$;
