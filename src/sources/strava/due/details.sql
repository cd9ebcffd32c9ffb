-- Description and private note can be edited without a trace in the list, soon after the activity as a rule: it is read again after two days and
-- after two weeks.
select a.source_id
     , md5((a.payload::jsonb - '{kudos_count,comment_count,athlete_count,has_kudoed}'::text[])::text)
       || case when $3 >= a.record_at + interval '14 days' then '' when $3 >= a.record_at + interval '2 days' then ' 2 d' else ' new' end
     , a.record_at
  from strava_raw.activities a
 where a.user_id = $1 and a.account_id = $2 and a.missing_since_run_id is null
