-- $4: keys of a page, $5: the resource that is led, $6: its lookback, within which it is read in any case. Of the page only what is new
-- or changed counts. A night and a day reach over two days at Greenwich, or three.
update meta.coverage c
   set covered = c.covered - opened.days, run_id = $3
  from (
    select range_agg(tstzrange(date_trunc('day', t.record_at, 'UTC') - interval '1 day', date_trunc('day', t.record_at, 'UTC') + interval '2 days')) as days
      from {raw} t
     where t.user_id = $1 and t.account_id = $2 and t.run_id = $3 and t.source_id = any($4::text[])
  ) opened
 where c.user_id = $1 and c.account_id = $2 and c.resource = $5
   and lower(opened.days) < upper(c.covered) - make_interval(days => $6)
   and c.covered && opened.days
