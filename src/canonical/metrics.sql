insert into meta.metrics as t
select metric_code, category, description, ucum, agg, bounds, plausible_lo, plausible_hi, loinc, loinc_check,
       coalesce(loinc_alternates, '{}')
  from jsonb_to_recordset($1::jsonb -> 'metrics') as x(
       metric_code text, category text, description text, ucum text, agg text, bounds text,
       plausible_lo double precision, plausible_hi double precision, loinc text, loinc_check text, loinc_alternates text[])
 where $2::text is not null
on conflict (metric_code) do update
   set category = excluded.category, description = excluded.description, ucum = excluded.ucum, agg = excluded.agg,
       bounds = excluded.bounds, plausible_lo = excluded.plausible_lo, plausible_hi = excluded.plausible_hi,
       loinc = excluded.loinc, loinc_check = excluded.loinc_check, loinc_alternates = excluded.loinc_alternates
 where t is distinct from excluded
