-- What an activity names, retired gear as well; read again when the athlete's own list says something else of it.
select distinct on (g.id) g.id, g.version, g.at
  from (
    select gear ->> 'id', md5(gear::text), null::timestamptz
      from strava_raw.athlete a
     cross join lateral (values (a.payload::jsonb -> 'bikes'), (a.payload::jsonb -> 'shoes')) lists (list)
     cross join lateral jsonb_array_elements(case when jsonb_typeof(lists.list) = 'array' then lists.list else '[]' end) gear
     where a.user_id = $1 and a.account_id = $2 and a.missing_since_run_id is null
    union all
    select a.payload ->> 'gear_id', '', a.record_at
      from strava_raw.activities a
     where a.user_id = $1 and a.account_id = $2 and a.missing_since_run_id is null
  ) g (id, version, at)
 where g.id <> ''
 order by g.id, g.version desc, g.at desc
