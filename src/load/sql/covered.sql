select lower(r), upper(r)
  from meta.coverage c, unnest(c.covered) r
 where c.user_id = $1 and c.account_id = $2 and c.resource = $3
 order by 1
