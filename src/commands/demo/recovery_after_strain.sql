select case when s.value_num < 8 then '1 easy' when s.value_num < 13 then '2 middling' else '3 hard' end as day,
       count(*) as days, round(avg(s.value_num)::numeric, 1) as strain,
       round(avg(r.value_num)::numeric) as recovery_next_day
  from canonical.scores s
  join canonical.scores r on r.user_id = s.user_id and r.kind = 'recovery' and r.local_date = s.local_date + 1
 where s.kind = 'strain' and s.retired_at is null and r.retired_at is null
 group by 1 order by 1;
