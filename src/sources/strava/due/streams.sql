-- An activity that was entered by hand has no series.
select a.source_id
     , md5((a.payload::jsonb - '{kudos_count,comment_count,athlete_count,has_kudoed}'::text[])::text)
     , a.record_at
  from strava_raw.activities a
 where a.user_id = $1 and a.account_id = $2 and a.missing_since_run_id is null
   and a.payload ->> 'manual' is distinct from 'true'
