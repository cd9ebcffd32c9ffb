-- A reading may be of no metric (glucose of a laboratory): as before, that is no reference to nothing.
create or replace function canonical.check_metrics() returns trigger
  language plpgsql
as $$
begin
  if exists (select from (select distinct metric_code from written where metric_code is not null) w
              where not exists (select from meta.metrics m where m.metric_code = w.metric_code)) then
    raise foreign_key_violation using
      message = 'a metric that meta.metrics does not have',
      constraint = tg_table_name || '_metric_code_fkey', table = tg_table_name, schema = tg_table_schema;
  end if;
  return null;
end $$;
