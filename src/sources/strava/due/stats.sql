-- The totals change with the activities.
select a.source_id
     , (select coalesce(max(greatest(x.run_id, x.missing_since_run_id)), 0)::text
          from strava_raw.activities x
         where x.user_id = $1 and x.account_id = $2)
     , null::timestamptz
  from strava_raw.athlete a
 where a.user_id = $1 and a.account_id = $2 and a.missing_since_run_id is null
