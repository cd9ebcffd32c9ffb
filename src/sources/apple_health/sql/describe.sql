-- A file that is read again says the same about itself; a better reader may have understood more of it.
insert into apple_health_raw.exports as e
  (user_id, account_id, file_id, exported_at, export_date, locale, format_version, elements, me, run_ids)
select $1, $2, $3, $4, d.about->>'export_date', d.about->>'locale', d.about->>'format_version', d.about->'elements', nullif(d.about->'me', 'null'), array[$6::bigint]
  from (select $5::jsonb as about) d
on conflict (user_id, account_id, file_id) do update
   set elements = excluded.elements, me = excluded.me, run_ids = e.run_ids || excluded.run_ids
