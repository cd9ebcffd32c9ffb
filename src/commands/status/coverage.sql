select c.account_id, c.resource, c.open_slice is not null
     , coalesce(array_agg(lower(r) order by r) filter (where r is not null), '{}')
     , coalesce(array_agg(upper(r) order by r) filter (where r is not null), '{}')
  from meta.coverage c
  left join lateral unnest(c.covered) r on true
 where c.user_id = $1
 group by c.account_id, c.resource, c.open_slice is not null
 order by c.account_id, c.resource
