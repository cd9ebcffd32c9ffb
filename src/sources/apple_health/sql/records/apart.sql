-- The document holds of these days what the table does, so that what is there beside the records at the top stands in correlations alone.
select t.type, sum(r.rows - d.top)::bigint, min(r.first), max(r.last)
  from unnest($3::integer[], $4::date[], $5::bigint[]) d (type_id, day, top)
 cross join lateral (
       select count(*) as rows, min(meta.local_date(k.start_at, k.utc_offset_s)) as first, max(meta.local_date(k.start_at, k.utc_offset_s)) as last
         from apple_health_raw.records k
        where k.user_id = $1 and k.account_id = $2 and k.type_id = d.type_id and k.missing_since_run_id is null
          and k.start_at >= d.day::timestamp at time zone 'UTC' and k.start_at < (d.day + 1)::timestamp at time zone 'UTC'
       offset 0) r
  join apple_health_raw.types t on t.user_id = $1 and t.account_id = $2 and t.type_id = d.type_id
 group by t.type
having sum(r.rows - d.top) > 0
