-- The details have the laps as a rule. A look at the text is enough, and quicker than to parse it.
select d.source_id, encode(d.hash, 'hex'), d.record_at
  from strava_raw.activity_details d
 where d.user_id = $1 and d.account_id = $2 and d.missing_since_run_id is null
   and strpos(d.payload::text, '"laps"') = 0
