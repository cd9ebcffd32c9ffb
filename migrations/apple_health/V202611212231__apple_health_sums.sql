-- What models need of millions of records without reading them: the sums of each day that the first import brought, and which units and category
-- values there are (docs/adr/30). Both are made by the importer while the records pass by; views that look for few types ask the key for those types.

create table apple_health_raw.sums (
  user_id             bigint  not null,
  account_id          bigint  not null,
  type_id             integer not null,
  local_date          date    not null,
  unit_id             integer not null,
  value_text          text,
  source_name_id      integer,
  device_id           integer,
  by_hand             boolean not null,
  at_meal             boolean not null,
  is_above_one        boolean,
  records             bigint  not null,
  ended               bigint  not null,
  billionths          bigint,
  seconds             bigint,
  lowest              double precision,
  highest             double precision,
  shortest            bigint,
  longest             bigint,
  digest              bigint  not null,
  west                integer not null,
  east                integer not null,
  counted_billionths  bigint,
  counted_seconds     bigint,
  counted_parts       bigint,
  run_id              bigint  not null
);
create index sums_day_idx on apple_health_raw.sums (user_id, account_id, type_id, local_date);
comment on table apple_health_raw.sums is 'Records of one type, local day, unit and writer, added up as the first import of the account saw them. Counts only while no later run has touched the day (days.run_id = run_id); deleting rows here is safe: the day is then added up from records.';
comment on column apple_health_raw.sums.user_id is 'The person (meta.users).';
comment on column apple_health_raw.sums.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.sums.type_id is 'Type of the records (types).';
comment on column apple_health_raw.sums.local_date is 'Date of their start on the clock of the person.';
comment on column apple_health_raw.sums.unit_id is 'Their unit (units); 0: none.';
comment on column apple_health_raw.sums.value_text is 'Their value where it is no number or a category; null: a number, or none.';
comment on column apple_health_raw.sums.source_name_id is 'Who wrote them (source_names); null: not given.';
comment on column apple_health_raw.sums.device_id is 'With which device (devices); null: not given.';
comment on column apple_health_raw.sums.by_hand is 'The person typed them in.';
comment on column apple_health_raw.sums.at_meal is 'They are tied to a meal, as readings of blood glucose are.';
comment on column apple_health_raw.sums.is_above_one is 'Their numbers are above one, so that a fraction among them is a percentage already; null: no numbers.';
comment on column apple_health_raw.sums.records is 'How many.';
comment on column apple_health_raw.sums.ended is 'How many have an end.';
comment on column apple_health_raw.sums.billionths is 'Sum of the values in billionths, each rounded; null: no numbers.';
comment on column apple_health_raw.sums.seconds is 'Sum of the lengths in seconds; null: numbers, or no ends.';
comment on column apple_health_raw.sums.lowest is 'Lowest value.';
comment on column apple_health_raw.sums.highest is 'Highest value.';
comment on column apple_health_raw.sums.shortest is 'Shortest length in seconds; null like seconds.';
comment on column apple_health_raw.sums.longest is 'Longest length in seconds; null like seconds.';
comment on column apple_health_raw.sums.digest is 'Digest of their ids in any order: uuid_hash_extended(id, ordinal), all combined by exclusive or.';
comment on column apple_health_raw.sums.west is 'Lowest offset from UTC in seconds.';
comment on column apple_health_raw.sums.east is 'Highest offset from UTC in seconds.';
comment on column apple_health_raw.sums.counted_billionths is 'As billionths, each value only for the share of its time that no better writer of the day covers; null: the day has one writer.';
comment on column apple_health_raw.sums.counted_seconds is 'As seconds, without the time that better writers cover; null like counted_billionths.';
comment on column apple_health_raw.sums.counted_parts is 'Records in millionths, each by its share; null like counted_billionths.';
comment on column apple_health_raw.sums.run_id is 'Run that brought them (meta.import_runs).';

create table apple_health_raw.kinds (
  user_id    bigint  not null,
  account_id bigint  not null,
  type_id    integer not null,
  unit_id    integer not null,
  value_text text    not null,
  primary key (user_id, account_id, type_id, unit_id, value_text)
);
comment on table apple_health_raw.kinds is 'One unit, or category value, met with a type in the exports of an account: what says whether anything cannot be converted, without reading records.';
comment on column apple_health_raw.kinds.user_id is 'The person (meta.users).';
comment on column apple_health_raw.kinds.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.kinds.type_id is 'The type (types).';
comment on column apple_health_raw.kinds.unit_id is 'The unit (units); 0: none.';
comment on column apple_health_raw.kinds.value_text is 'Category value as exported, its first 200 characters; empty: not given, or a quantity.';

create function apple_health_raw.kind_text(type text, value_text text) returns text
  language sql immutable parallel safe
  return case when type like 'HKCategoryTypeIdentifier%' then left(coalesce(value_text, ''), 200) else '' end;
comment on function apple_health_raw.kind_text(text, text) is 'What kinds holds of a value: the word of a category, nothing of a quantity.';

insert into apple_health_raw.kinds (user_id, account_id, type_id, unit_id, value_text)
select distinct r.user_id, r.account_id, r.type_id, coalesce(r.unit_id, 0), apple_health_raw.kind_text(t.type, r.value_text)
  from apple_health_raw.records r
  join apple_health_raw.types t on t.user_id = r.user_id and t.account_id = r.account_id and t.type_id = r.type_id
 where r.value is not null or t.type like 'HKCategoryTypeIdentifier%';

-- Few types out of millions of records are looked up by the key, whatever the planner believes.
create or replace view apple_health_raw.published_vitals with (security_invoker = true) as
select v.*
     , (select n.source_name from apple_health_raw.source_names n
         where n.user_id = v.user_id and n.account_id = v.account_id and n.source_name_id = v.source_name_id) as source_name
  from apple_health_raw.mapped_records v
 where v.place = 'vitals'
   and v.type_id = any (array(select t.type_id
                                from apple_health_raw.types t
                               where t.type in (select m.type from apple_health_raw.mapping m where m.place = 'vitals')));

create or replace view apple_health_raw.published_sleep with (security_invoker = true) as
select s.user_id
     , s.account_id
     , coalesce(n.source_name, '') as source_id
     , null::timestamptz as record_at
     , sha256(convert_to(coalesce(n.source_name, ''), 'UTF8')) as hash
     , s.run_id
     , null::bigint as missing_since_run_id
     , s.type_id
     , s.source_name_id
  from (select t.user_id, t.account_id, t.type_id, r.source_name_id, max(r.run_id) as run_id
          from apple_health_raw.types t
         cross join lateral (
               select k.source_name_id, k.run_id
                 from apple_health_raw.records k
                where k.user_id = t.user_id and k.account_id = t.account_id and k.type_id = t.type_id
               offset 0) r
         where t.type = 'HKCategoryTypeIdentifierSleepAnalysis'
         group by 1, 2, 3, 4) s
  left join apple_health_raw.source_names n
    on n.user_id = s.user_id and n.account_id = s.account_id and n.source_name_id = s.source_name_id;

create view apple_health_raw.unknown_kinds with (security_invoker = true) as
select k.user_id, k.account_id, k.type_id, t.type, k.unit_id, k.value_text, m.is_category
  from apple_health_raw.kinds k
  join apple_health_raw.types t on t.user_id = k.user_id and t.account_id = k.account_id and t.type_id = k.type_id
  join (select distinct type, is_category from apple_health_raw.mapping where place not in ('raw', 'sleep')) m on m.type = t.type
 where not exists (select from apple_health_raw.conversions c
                    where c.user_id = k.user_id and c.account_id = k.account_id and c.type_id = k.type_id
                      and c.unit_id = k.unit_id and (not c.is_category or c.value = k.value_text));
comment on view apple_health_raw.unknown_kinds is 'One unit, or category value, of a type that has a metric, which this version cannot convert.';
comment on column apple_health_raw.unknown_kinds.user_id is 'The person (meta.users).';
comment on column apple_health_raw.unknown_kinds.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.unknown_kinds.type_id is 'The type (types).';
comment on column apple_health_raw.unknown_kinds.type is 'Type as exported.';
comment on column apple_health_raw.unknown_kinds.unit_id is 'The unit (units); 0: none.';
comment on column apple_health_raw.unknown_kinds.value_text is 'Category value as exported, its first 200 characters; empty: not given, or a quantity.';
comment on column apple_health_raw.unknown_kinds.is_category is 'true: its category value is not known; false: its unit.';

create or replace view apple_health_raw.published_unconvertible with (security_invoker = true) as
select u.user_id
     , u.account_id
     , replace(r.id::text, '-', '') || '.' || r.ordinal as source_id
     , r.start_at as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id
     , r.missing_since_run_id
     , u.type
     , (select w.unit from apple_health_raw.units w
         where w.user_id = r.user_id and w.account_id = r.account_id and w.unit_id = r.unit_id) as unit
     , u.is_category
  from apple_health_raw.unknown_kinds u
 cross join lateral (
       select k.*
         from apple_health_raw.records k
        where k.user_id = u.user_id and k.account_id = u.account_id and k.type_id = u.type_id
          and coalesce(k.unit_id, 0) = u.unit_id and apple_health_raw.kind_text(u.type, k.value_text) = u.value_text
       offset 0) r
 where (u.is_category or r.value is not null)
   and exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id
                  and (f.status = 'published' or f.status = 'withdrawn' and r.missing_since_run_id is not null));

-- Whether a writer is known for glucose sensors is a question to its name, not to each reading.
create function apple_health_raw.is_sensor(word text) returns boolean
  language sql immutable parallel safe
  return word ~* '(dexcom|stelo|libre|lingo|eversense|guardian|medtronic|aidex|supersapiens|nightscout|xdrip|sugarmate|\mlevels\M|\mloop\M|\mcgm)';
comment on function apple_health_raw.is_sensor(text) is 'Whether an app or device is known for a glucose sensor under the skin.';

alter table apple_health_raw.source_names add column is_sensor boolean not null generated always as (apple_health_raw.is_sensor(source_name)) stored;
alter table apple_health_raw.devices add column is_sensor boolean not null generated always as (apple_health_raw.is_sensor(device)) stored;
comment on column apple_health_raw.source_names.is_sensor is 'Known for a glucose sensor under the skin.';
comment on column apple_health_raw.devices.is_sensor is 'Known for a glucose sensor under the skin.';

create function apple_health_raw.at_meal(metadata jsonb) returns boolean
  language sql immutable parallel safe
  return coalesce(metadata ?| array['HKBloodGlucoseMealTime', 'HKMetadataKeyBloodGlucoseMealTime'], false);
comment on function apple_health_raw.at_meal(jsonb) is 'Whether a glucose value is tied to a meal.';

-- As before; a value comes from a sensor where an app or device known for one wrote it, nobody typed it in and it is not tied to a meal. Everything
-- else counts as a finger stick.
create or replace view apple_health_raw.mapped_records with (security_invoker = true) as
select r.user_id
     , r.account_id
     , replace(r.id::text, '-', '') || '.' || r.ordinal as source_id
     , r.start_at as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id
     , r.missing_since_run_id
     , r.type_id
     , c.type
     , c.place
     , c.metric_code
     , c.agg
     , r.start_at
     , case when r.end_at is distinct from r.start_at then r.end_at end as end_at
     , meta.local_date(r.start_at, r.utc_offset_s) as local_date
     , case
         when c.rule = 'duration' then extract(epoch from r.end_at - r.start_at)::double precision
         when c.is_category then c.number
         when c.rule = 'fraction' and r.value > 1 then r.value
         else (r.value + c.shift) * c.factor
       end as value_num
     , c.code as value_code
     , (select u.unit from apple_health_raw.units u
         where u.user_id = r.user_id and u.account_id = r.account_id and u.unit_id = r.unit_id) as unit
     , r.value_text
     , apple_health_raw.by_hand(r.metadata) as by_hand
     , array_remove(array[
         case when meta.implausible(
                case
                  when c.rule = 'duration' then extract(epoch from r.end_at - r.start_at)::double precision
                  when c.is_category then c.number
                  when c.rule = 'fraction' and r.value > 1 then r.value
                  else (r.value + c.shift) * c.factor
                end, c.plausible_lo, c.plausible_hi) then 'implausible' end,
         case when not c.is_category and (c.unit = '' or c.rule = 'fraction' and r.value > 1) then 'unit_assumed' end,
         case when apple_health_raw.by_hand(r.metadata) then 'manual' end,
         case when r.start_at < '1970-01-01 00:00+00' or greatest(r.start_at, r.end_at) > e.exported_at then 'clock_wrong' end
       ], null) as flags
     , r.metadata
     , r.source_name_id
     , r.device_id
     , r.utc_offset_s
     , (select z.tz_name from apple_health_raw.zones z
         where z.user_id = r.user_id and z.account_id = r.account_id and z.zone_id = r.zone_id) as tz_name
     , case when r.zone_from_record then 'record' else 'home' end as tz_basis
     , c.rule = 'sensor' as is_sensor
     , c.plausible_lo
     , c.plausible_hi
     , c.mapping_version
     , e.exported_at
     , r.created_at
     , r.file_id
     , r.id
     , r.ordinal
  from apple_health_raw.records r
  join apple_health_raw.conversions c
    on c.user_id = r.user_id and c.account_id = r.account_id and c.type_id = r.type_id and c.unit_id = coalesce(r.unit_id, 0)
   and (not c.is_category or c.value = coalesce(r.value_text, ''))
  join meta.import_file f
    on f.user_id = r.user_id and f.file_id = r.file_id
   and (f.status = 'published' or f.status = 'withdrawn' and r.missing_since_run_id is not null)
  left join apple_health_raw.exports e on e.user_id = r.user_id and e.account_id = r.account_id and e.file_id = r.file_id
 where (c.is_category or r.value is not null)
   and (c.rule not in ('sensor', 'no_sensor')
        or (c.rule = 'sensor') = (not apple_health_raw.by_hand(r.metadata) and not apple_health_raw.at_meal(r.metadata)
             and (exists (select from apple_health_raw.source_names n
                           where n.user_id = r.user_id and n.account_id = r.account_id and n.source_name_id = r.source_name_id and n.is_sensor)
                  or exists (select from apple_health_raw.devices d
                              where d.user_id = r.user_id and d.account_id = r.account_id and d.device_id = r.device_id and d.is_sensor))));
drop function apple_health_raw.by_sensor(text, text, jsonb);

-- Statistics cost what they are taken of: series of points and whole documents are dear to sort and nobody chooses rows by them, and of millions of
-- records a small sample says the same.
do $$
declare
  one record;
begin
  for one in
    select c.relname, a.attname
         , case when t.typcategory = 'A' or t.typname in ('json', 'jsonb', 'bytea') then 0 when a.attname in ('user_id', 'account_id') then 1 else 10 end as target
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
     where c.relnamespace = 'apple_health_raw'::regnamespace and c.relkind in ('r', 'p')
       and (t.typcategory = 'A' or t.typname in ('json', 'jsonb', 'bytea') or c.relname ~ '^records')
  loop
    execute format('alter table apple_health_raw.%I alter column %I set statistics %s', one.relname, one.attname, one.target);
  end loop;
end $$;

create or replace function apple_health_raw.attach_records(person bigint, account bigint) returns void
  language plpgsql
as $$
declare
  own constant text := format('records_%s_%s', person, account);
  one record;
begin
  execute format('alter table apple_health_raw.%I alter user_id drop default, alter account_id drop default, alter file_id drop default,
                    alter run_id drop default, alter ordinal drop default', own);
  execute format('alter table apple_health_raw.records attach partition apple_health_raw.%I for values from (%s, %s) to (%s, %s)',
                 own, person, account, person, account + 1);
  execute format('alter table apple_health_raw.%I drop constraint own_account', own);
  for one in select attname, attstattarget from pg_attribute
              where attrelid = 'apple_health_raw.records'::regclass and attnum > 0 and attstattarget >= 0 loop
    execute format('alter table apple_health_raw.%I alter column %I set statistics %s', own, one.attname, one.attstattarget);
  end loop;
  -- All rows are of this account. A planner that does not know expects next to none, whatever it is asked for.
  execute format('analyze apple_health_raw.%I (user_id, account_id)', own);
end $$;
