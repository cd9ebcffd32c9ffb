-- meta.reading has taken its place.
drop function google_health_raw.figure(jsonb);
