-- Several apps may write the same night into one account, and most of them write naps too: a night is one of them, and no hour counts twice.
create function meta.sleep_rank(stage_scheme text, detail jsonb) returns integer
  language sql immutable parallel safe
  return case
    when coalesce(stage_scheme, 'none') = 'none'          then 5
    when coalesce(detail->>'writer', 'watch') = 'watch'   then case when stage_scheme = 'stages' then 0 else 1 end
    when stage_scheme = 'stages'                          then 2
    else 3
  end;
comment on function meta.sleep_rank(text, jsonb) is
  'Which of several accounts of one sleep is believed, the lowest first: stages from a device that is worn, sleep without stages from one, stages from anything else, sleep without stages, time in bed alone. detail.writer says what wrote it where one account holds several (watch | phone | other).';

create or replace view api.sleep_night_preferred as
select * from (
    select s.*, case when p.rank is null then 'fallback' else 'category' end as chosen_by,
           row_number() over (
             partition by s.user_id, s.local_date
             order by (s.quality < 0.2), (p.rank is null), p.rank, (s.kind = 'main') desc, s.is_final desc,
                      meta.sleep_rank(s.stage_scheme, s.detail),
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

create or replace view api.sleep_day as
select n.user_id, n.local_date, n.source_system, n.account_id, n.sleep_id as main_sleep_id,
       -- a night without a score is not made of its naps
       case when count(n.asleep_s) > 0 then sum(s.asleep_s) end as asleep_s,
       case when count(n.in_bed_s) > 0 then sum(s.in_bed_s) end as in_bed_s,
       sum(s.asleep_s) filter (where s.sleep_id <> n.sleep_id) as extra_asleep_s,
       count(*)         as sessions
  from api.sleep_night_preferred n
  join canonical.sleep_sessions s on s.user_id = n.user_id and s.local_date = n.local_date
   and s.source_system = n.source_system and s.account_id = n.account_id and s.retired_at is null
 -- of sleeps that overlap, the night counts, then those of its writer, then the better accounts
 where not exists (
   select from canonical.sleep_sessions b
    where b.user_id = s.user_id and b.local_date = s.local_date and b.source_system = s.source_system and b.account_id = s.account_id
      and b.retired_at is null and b.sleep_id <> s.sleep_id
      and b.start_at < s.end_at and s.start_at < b.end_at
      and (b.sleep_id = n.sleep_id, b.raw_source_id = n.raw_source_id, -meta.sleep_rank(b.stage_scheme, b.detail), coalesce(b.asleep_s, b.in_bed_s, 0), b.sleep_id)
        > (s.sleep_id = n.sleep_id, s.raw_source_id = n.raw_source_id, -meta.sleep_rank(s.stage_scheme, s.detail), coalesce(s.asleep_s, s.in_bed_s, 0), s.sleep_id))
 group by 1, 2, 3, 4, 5;
comment on view api.sleep_day is 'One day of sleep: the preferred night, with the naps and fragments of the same source that lie outside of it.';

-- A meal without a name is not the sum of whatever else has none.
create or replace view api.nutrition_day as
select user_id, local_date, source_system, account_id,
       sum(energy_kcal) as energy_kcal, sum(protein_g) as protein_g, sum(carbs_g) as carbs_g,
       sum(fat_g) as fat_g, sum(fiber_g) as fiber_g, sum(sodium_mg) as sodium_mg, sum(water_ml) as water_ml,
       count(*) as entries, count(energy_kcal) as entries_with_energy
  from canonical.nutrition_entries e
 where retired_at is null
   and (grain = 'item' or not exists (
         select 1 from canonical.nutrition_entries i
          where i.user_id = e.user_id and i.local_date = e.local_date and i.source_system = e.source_system
            and i.account_id = e.account_id and i.meal = e.meal and i.meal <> 'unknown' and i.grain = 'item' and i.retired_at is null))
 group by 1, 2, 3, 4;
