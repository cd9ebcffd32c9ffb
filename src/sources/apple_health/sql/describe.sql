insert into apple_health_raw.exports (user_id, account_id, file_id, exported_at, export_date, locale, format_version, elements)
select $1, $2, $3, $4, d.about->>'export_date', d.about->>'locale', d.about->>'format_version', d.about->'elements'
  from (select $5::jsonb as about) d
on conflict (user_id, account_id, file_id) do nothing
