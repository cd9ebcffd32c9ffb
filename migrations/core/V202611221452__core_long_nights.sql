-- The watch that was worn for an afternoon's sleep alone does not make the night of it: what is less than half as long as another sleep of the day in
-- the same account is not its night, whoever wrote it.
create or replace view api.sleep_night_preferred as
select * from (
    select s.*, case when p.rank is null then 'fallback' else 'category' end as chosen_by,
           row_number() over (
             partition by s.user_id, s.local_date
             order by (s.quality < 0.2), (p.rank is null), p.rank,
                      2 * coalesce(s.asleep_s, s.in_bed_s, 0)
                        < (select max(coalesce(o.asleep_s, o.in_bed_s, 0)) from canonical.sleep_sessions o
                            where o.user_id = s.user_id and o.local_date = s.local_date and o.source_system = s.source_system
                              and o.account_id = s.account_id and o.retired_at is null and o.kind <> 'nap' and o.quality >= 0.2),
                      (s.kind = 'main') desc, s.is_final desc, meta.sleep_rank(s.stage_scheme, s.detail),
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
