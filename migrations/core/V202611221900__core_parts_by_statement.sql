-- Parts of rows come by the thousand: looking up the night of each of its stages took a third of the time of writing them. As for words
-- (V202611221640), the same rule under the same name is asked once a statement. Values of series had no such rule for whoever removes their record.
alter table canonical.sleep_stages drop constraint sleep_stages_sleep_id_fkey;

create function canonical.check_nights() returns trigger
  language plpgsql
as $$
begin
  if exists (select from (select distinct user_id, sleep_id from written) w
              where not exists (select from canonical.sleep_sessions s where s.user_id = w.user_id and s.sleep_id = w.sleep_id)) then
    raise foreign_key_violation using
      message = 'a stage of a night that canonical.sleep_sessions does not have',
      constraint = 'sleep_stages_sleep_id_fkey', table = tg_table_name, schema = tg_table_schema;
  end if;
  return null;
end $$;
comment on function canonical.check_nights() is 'Refuses stages whose night is not there.';

create function canonical.remove_parts() returns trigger
  language plpgsql
as $$
begin
  if tg_op = 'TRUNCATE' then   -- perhaps of both at once, which a second one would not be allowed in
    execute case tg_table_name when 'sleep_sessions' then 'delete from canonical.sleep_stages' else 'delete from canonical.sample_points' end;
  elsif tg_table_name = 'sleep_sessions' then
    delete from canonical.sleep_stages p using removed r where p.user_id = r.user_id and p.sleep_id = r.sleep_id;
  else
    delete from canonical.sample_points p using removed r where p.user_id = r.user_id and p.origin_id = r.origin_id;
  end if;
  return null;
end $$;
comment on function canonical.remove_parts() is 'Removes stages with their night, and values of a series with their record.';

create trigger sleep_stages_nights_in after insert on canonical.sleep_stages
  referencing new table as written for each statement execute function canonical.check_nights();
create trigger sleep_stages_nights_changed after update on canonical.sleep_stages
  referencing new table as written for each statement execute function canonical.check_nights();
create trigger sleep_sessions_parts after delete on canonical.sleep_sessions
  referencing old table as removed for each statement execute function canonical.remove_parts();
create trigger sample_origins_parts after delete on canonical.sample_origins
  referencing old table as removed for each statement execute function canonical.remove_parts();

create trigger sleep_sessions_all_parts after truncate on canonical.sleep_sessions for each statement execute function canonical.remove_parts();
create trigger sample_origins_all_parts after truncate on canonical.sample_origins for each statement execute function canonical.remove_parts();

-- Values lie in the table as their records came, which is by time: what pages hold says nearly as much as an entry for each value, in a thousandth of the
-- place and none of the time.
drop index canonical.sample_points_day_idx;
create index sample_points_time_idx on canonical.sample_points using brin (local_date, start_at) with (pages_per_range = 32);
