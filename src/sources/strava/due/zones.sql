-- Time in zones follows from a heart rate or a power.
select a.source_id
     , md5((a.payload::jsonb - '{kudos_count,comment_count,athlete_count,has_kudoed}'::text[])::text)
     , a.record_at
  from strava_raw.activities a
 where a.user_id = $1 and a.account_id = $2 and a.missing_since_run_id is null
   and (a.payload ->> 'has_heartrate' = 'true' or a.payload ->> 'device_watts' = 'true')
