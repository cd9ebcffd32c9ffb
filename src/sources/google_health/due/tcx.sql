-- Where there was no positioning, there is no track.
select regexp_replace(e.source_id, '^.*/', '')
     , coalesce(e.payload #>> '{exercise,updateTime}', '')
     , e.record_at
  from google_health_raw.exercise e
 where e.user_id = $1 and e.account_id = $2 and e.missing_since_run_id is null
   and e.payload #>> '{exercise,exerciseMetadata,hasGps}' = 'true'
