-- A first import writes days and sums by the ten thousand. What one run touched lies together, and so do the sums of one type: what pages hold says
-- as much as an entry for each row.
drop index apple_health_raw.days_run_idx;
create index days_run_idx on apple_health_raw.days using brin (run_id) with (pages_per_range = 8);
drop index apple_health_raw.sums_day_idx;
create index sums_day_idx on apple_health_raw.sums using brin (type_id, local_date) with (pages_per_range = 8);
