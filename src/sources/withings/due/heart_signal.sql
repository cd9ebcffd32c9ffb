-- The signals of electrocardiograms; one does not change.
select distinct on (h.payload #>> '{ecg,signalid}') h.payload #>> '{ecg,signalid}' as source_id, '' as version, h.record_at as at
  from withings_raw.heart h
 where h.user_id = $1 and h.account_id = $2 and $3::timestamptz is not null
   and h.missing_since_run_id is null
   and h.payload #>> '{ecg,signalid}' <> ''
 order by 1, 3 desc
