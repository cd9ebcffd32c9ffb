-- What is held of a resource: starts and ends of the slices that are closed, in one order, the open one, and when all of it was last listed.
select array(select lower(r) from unnest(c.covered) r order by r)
     , array(select upper(r) from unnest(c.covered) r order by r)
     , (c.open_slice ->> 'from')::timestamptz
     , (c.open_slice ->> 'to')::timestamptz
     , c.open_slice ->> 'page_token'
     , c.listed_at
  from meta.coverage c
 where c.user_id = $1 and c.account_id = $2 and c.resource = $3
