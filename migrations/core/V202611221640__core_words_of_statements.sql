-- Rows come by the thousand, and looking up the source and the metric of each took a quarter of the time of writing them. What holds for days since
-- V202611212232 holds for every table of canonical: the same rule, under the same names, asked once a statement.
create function canonical.check_sources() returns trigger
  language plpgsql
as $$
begin
  if exists (select from (select distinct source_system from written) w
              where not exists (select from meta.source_systems s where s.source_system = w.source_system)) then
    raise foreign_key_violation using
      message = 'a source that meta.source_systems does not have',
      constraint = tg_table_name || '_source_system_fkey', table = tg_table_name, schema = tg_table_schema;
  end if;
  return null;
end $$;
comment on function canonical.check_sources() is 'Refuses rows whose source is not known.';

create function canonical.check_metrics() returns trigger
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
comment on function canonical.check_metrics() is 'Refuses rows whose metric is not known.';

-- Metrics and sources only come, they never go; whoever removes one is asked here, once for each table that would refer to nothing.
create function canonical.keep_words() returns trigger
  language plpgsql
as $$
declare
  one record;
  is_used boolean;
begin
  for one in
    select t.tgrelid::regclass as of_table
      from pg_trigger t
      join pg_proc p on p.oid = t.tgfoid and p.pronamespace = 'canonical'::regnamespace
     where t.tgname like '%\_in'
       and p.proname = case tg_table_name when 'metrics' then 'check_metrics' else 'check_sources' end
  loop
    if tg_table_name = 'metrics' then
      execute format('select exists (select from %s where metric_code = $1)', one.of_table) into is_used using old.metric_code;
    else
      execute format('select exists (select from %s where source_system = $1)', one.of_table) into is_used using old.source_system;
    end if;
    if is_used then
      raise foreign_key_violation using
        message = format('%s refers to this row of meta.%s', one.of_table, tg_table_name), table = tg_table_name, schema = 'meta';
    end if;
  end loop;
  return null;
end $$;
comment on function canonical.keep_words() is 'Refuses to remove a metric or a source that rows of canonical refer to.';

drop trigger daily_summaries_words_in on canonical.daily_summaries;
drop trigger daily_summaries_words_changed on canonical.daily_summaries;
drop trigger metrics_of_days on meta.metrics;
drop trigger source_systems_of_days on meta.source_systems;
drop function canonical.check_daily_words();
drop function canonical.keep_daily_words();

do $$
declare
  one record;
begin
  for one in
    select k.conrelid::regclass as of_table, c.relname, k.conname
         , case k.confrelid when 'meta.metrics'::regclass then 'metrics' else 'sources' end as words
      from pg_constraint k
      join pg_class c on c.oid = k.conrelid
     where k.contype = 'f' and k.connamespace = 'canonical'::regnamespace
       and k.confrelid in ('meta.metrics'::regclass, 'meta.source_systems'::regclass)
     union all
    select 'canonical.daily_summaries'::regclass, 'daily_summaries', null, words from unnest(array['metrics', 'sources']) words
  loop
    if one.conname is not null then
      execute format('alter table %s drop constraint %I', one.of_table, one.conname);
    end if;
    execute format('create trigger %I after insert on %s referencing new table as written for each statement execute function canonical.check_%s()',
                   one.relname || '_' || one.words || '_in', one.of_table, one.words);
    execute format('create trigger %I after update on %s referencing new table as written for each statement execute function canonical.check_%s()',
                   one.relname || '_' || one.words || '_changed', one.of_table, one.words);
  end loop;
end $$;

create trigger metrics_of_rows after delete or update of metric_code on meta.metrics
  for each row execute function canonical.keep_words();
create trigger source_systems_of_rows after delete or update of source_system on meta.source_systems
  for each row execute function canonical.keep_words();
