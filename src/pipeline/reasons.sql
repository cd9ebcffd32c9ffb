-- why records could not be used in one run, the most frequent reason first
select code, count(*)
  from meta.rejects
 where user_id = $1 and run_id = $2
 group by code
 order by count(*) desc, code
