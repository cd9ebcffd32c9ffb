-- A day's figures come by the hundred thousand, and looking up their metric and source row by row took as long as writing them (docs/adr/30).
-- The same rule, asked once a statement. Metrics and sources only come, they never go; whoever removes one is asked here as well.
alter table canonical.daily_summaries drop constraint daily_summaries_metric_code_fkey;
alter table canonical.daily_summaries drop constraint daily_summaries_source_system_fkey;

create function canonical.check_daily_words() returns trigger
  language plpgsql
as $$
begin
  if exists (select from (select distinct metric_code from written) w
              where not exists (select from meta.metrics m where m.metric_code = w.metric_code)) then
    raise foreign_key_violation using
      message = 'a metric that meta.metrics does not have', constraint = 'daily_summaries_metric_code_fkey', table = 'daily_summaries', schema = 'canonical';
  end if;
  if exists (select from (select distinct source_system from written) w
              where not exists (select from meta.source_systems s where s.source_system = w.source_system)) then
    raise foreign_key_violation using
      message = 'a source that meta.source_systems does not have', constraint = 'daily_summaries_source_system_fkey', table = 'daily_summaries', schema = 'canonical';
  end if;
  return null;
end $$;
comment on function canonical.check_daily_words() is 'Refuses rows of daily_summaries whose metric or source is not known.';

create trigger daily_summaries_words_in after insert on canonical.daily_summaries
  referencing new table as written for each statement execute function canonical.check_daily_words();
create trigger daily_summaries_words_changed after update on canonical.daily_summaries
  referencing new table as written for each statement execute function canonical.check_daily_words();

create function canonical.keep_daily_words() returns trigger
  language plpgsql
as $$
declare
  is_used boolean;
begin
  if tg_table_name = 'metrics' then
    is_used := exists (select from canonical.daily_summaries d where d.metric_code = old.metric_code);
  else
    is_used := exists (select from canonical.daily_summaries d where d.source_system = old.source_system);
  end if;
  if is_used then
    raise foreign_key_violation using
      message = format('canonical.daily_summaries refers to this row of meta.%s', tg_table_name), table = tg_table_name, schema = 'meta';
  end if;
  return null;
end $$;
comment on function canonical.keep_daily_words() is 'Refuses to remove a metric or a source that daily_summaries refers to.';

create trigger metrics_of_days after delete or update of metric_code on meta.metrics
  for each row execute function canonical.keep_daily_words();
create trigger source_systems_of_days after delete or update of source_system on meta.source_systems
  for each row execute function canonical.keep_daily_words();
