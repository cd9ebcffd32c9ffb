with gone as (
  update apple_health_raw.elements r
     set missing_since_run_id = $3, run_id = $3
   where r.user_id = $1 and r.account_id = $2 and r.missing_since_run_id is null
     and not exists (
           select from (select element, id, count(*) as copies from pg_temp.apple_health_elements group by 1, 2) s
            where s.element = r.element and s.id = r.id and s.copies >= r.ordinal)
  returning r.element
)
select element, count(*) from gone group by element
