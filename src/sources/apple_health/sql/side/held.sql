-- A row of a withdrawn file is missing.
select r.id, 'Route', r.start_at from apple_health_raw.routes r where r.user_id = $1 and r.account_id = $2 and r.parser_version = $3 and r.missing_since_run_id is null
union all
select r.id, 'Electrocardiogram', r.recorded_at from apple_health_raw.ecgs r where r.user_id = $1 and r.account_id = $2 and r.parser_version = $3 and r.missing_since_run_id is null
union all
select r.id, 'Clinical record', null::timestamptz from apple_health_raw.clinical_records r where r.user_id = $1 and r.account_id = $2 and r.parser_version = $3 and r.missing_since_run_id is null
union all
select r.id, 'Attachment', null::timestamptz from apple_health_raw.attachments r where r.user_id = $1 and r.account_id = $2 and r.parser_version = $3 and r.missing_since_run_id is null
