-- The summary of runs over records took a third of the time of making a table part of the whole, and was asked by one statement after an import: which
-- rows went with it. Those stand in the days that the import compared, and are found by the key.
drop index apple_health_raw.records_run_idx;

-- As before, with a check of as many words as it takes: that the columns are not null is known.
create or replace function apple_health_raw.create_records(person bigint, account bigint, file bigint, run bigint) returns text
  language plpgsql
as $$
declare
  own constant text := format('records_%s_%s', person, account);
begin
  execute format('create table apple_health_raw.%I (like apple_health_raw.records including defaults including constraints including comments
                    including storage including compression)', own);
  execute format('alter table apple_health_raw.%I
                    alter user_id set default %s, alter account_id set default %s, alter file_id set default %s, alter run_id set default %s,
                    alter ordinal set default 1,
                    add constraint own_account check (user_id = %2$s and account_id = %3$s)',
                 own, person, account, file, run);
  return format('apple_health_raw.%I', own);
end $$;
