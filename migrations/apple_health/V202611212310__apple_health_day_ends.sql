-- A day is partial until an export was made after it was over: a later one makes it whole, also where it brings nothing of that day.
create view apple_health_raw.export_days with (security_invoker = true) as
select e.user_id, e.account_id, e.file_id, i.run_id, substring(e.export_date from '^\d{4}-\d\d-\d\d')::date as day
  from apple_health_raw.exports e
  join meta.import_file i on i.user_id = e.user_id and i.file_id = e.file_id and i.status = 'published'
 where e.exported_at is not null;
comment on view apple_health_raw.export_days is 'One published export and the day on which the phone made it.';
comment on column apple_health_raw.export_days.user_id is 'The person (meta.users).';
comment on column apple_health_raw.export_days.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.export_days.file_id is 'The file (meta.import_file).';
comment on column apple_health_raw.export_days.run_id is 'Run that published it (meta.import_runs).';
comment on column apple_health_raw.export_days.day is 'The day, on the clock of the phone.';

create or replace view apple_health_raw.published_days with (security_invoker = true) as
select d.user_id
     , d.account_id
     , t.type || '/' || d.local_date as source_id
     , d.local_date::timestamp at time zone 'UTC' as record_at
     , sha256(convert_to(t.type || '/' || d.local_date, 'UTF8')) as hash
     , case
         when d.local_date < (select min(y.day) from apple_health_raw.export_days y) then d.run_id
         else greatest(d.run_id, (select min(x.run_id) from apple_health_raw.export_days x
                                   where x.user_id = d.user_id and x.account_id = d.account_id and x.day > d.local_date))
       end as run_id
     , null::bigint as missing_since_run_id
     , d.type_id
     , d.local_date
  from apple_health_raw.days d
  join apple_health_raw.types t on t.user_id = d.user_id and t.account_id = d.account_id and t.type_id = d.type_id
 where exists (select from apple_health_raw.mapping m where m.type = t.type and m.agg <> 'none');
comment on column apple_health_raw.published_days.run_id is 'Run that last changed a record of the day, or brought the first export that was made after it (meta.import_runs).';

create or replace view apple_health_raw.published_activity_days with (security_invoker = true) as
select distinct on (e.user_id, e.account_id, e.day)
       e.user_id
     , e.account_id
     , e.day as source_id
     , null::timestamptz as record_at
     , e.hash
     , greatest(max(e.run_id) over (partition by e.user_id, e.account_id, e.day),
                (select min(x.run_id) from apple_health_raw.export_days x
                  where x.user_id = e.user_id and x.account_id = e.account_id and x.day::text > e.day)) as run_id
     , e.missing_since_run_id
     , e.payload
     , (select max(x.day)::text from apple_health_raw.export_days x where x.user_id = e.user_id and x.account_id = e.account_id) as export_day
  from (select p.user_id, p.account_id, p.payload->'attributes'->>'dateComponents' as day
             , p.hash, p.run_id, p.missing_since_run_id, p.payload, x.exported_at, p.source_id
          from apple_health_raw.published_elements p
          left join apple_health_raw.exports x
            on x.user_id = p.user_id and x.account_id = p.account_id and x.file_id = p.file_id
         where p.element = 'ActivitySummary') e
 where e.day is not null
 order by e.user_id, e.account_id, e.day, e.missing_since_run_id is not null, e.exported_at desc nulls last, e.source_id;
comment on column apple_health_raw.published_activity_days.run_id is 'Run that last changed a summary of the day, or brought the first export that was made after it (meta.import_runs).';
comment on column apple_health_raw.published_activity_days.export_day is 'Day of the newest export on the phone''s clock; null: not given.';
