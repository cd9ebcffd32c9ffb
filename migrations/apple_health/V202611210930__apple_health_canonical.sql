-- From raw to canonical without copying: an Apple record is one reading already, so canonical.samples shows it where it is. What a type means and
-- how its unit converts is reference data (mapping), filled by `health migrate` from data files of the program; everything below follows it.

create table apple_health_raw.mapping (
  type            text    not null,
  unit            text    not null,
  value           text    not null,
  metric_code     text    not null,
  place           text    not null check (place in ('samples','vitals','nutrition','sleep','raw')),
  rule            text    not null,
  is_category     boolean not null,
  shift           double precision not null,
  factor          double precision not null,
  number          double precision,
  code            text,
  agg             text    not null,
  plausible_lo    double precision,
  plausible_hi    double precision,
  mapping_version text    not null,
  primary key (type, unit, value, metric_code)
);
create index mapping_metric_idx on apple_health_raw.mapping (metric_code);
comment on table apple_health_raw.mapping is 'One meaning of one type in one unit, or with one category value: its metric and how the number converts. Reference data, the same for every person.';
comment on column apple_health_raw.mapping.type is 'Type as exported.';
comment on column apple_health_raw.mapping.unit is 'Unit as exported, without a molar mass in angle brackets; empty: the record names none.';
comment on column apple_health_raw.mapping.value is 'Category value as exported, by name or, in old exports, by number; empty for quantities, and for a category value that is not given.';
comment on column apple_health_raw.mapping.metric_code is 'The metric (meta.metrics); empty: none (sleep stages become sessions; what is raw stays raw).';
comment on column apple_health_raw.mapping.place is 'Where the record goes: samples | vitals | nutrition | sleep | raw (nowhere, on purpose).';
comment on column apple_health_raw.mapping.rule is 'How the value is read: unit (value + shift) * factor; fraction: the same, but above 1 it is taken as percent already; sensor and no_sensor: glucose by who measured it; duration: seconds from start to end; stood: number; every other: code.';
comment on column apple_health_raw.mapping.is_category is 'true: a category type, its value is a word; false: a quantity.';
comment on column apple_health_raw.mapping.shift is 'Added to the value before it is multiplied.';
comment on column apple_health_raw.mapping.factor is 'From the exported unit to that of the metric.';
comment on column apple_health_raw.mapping.number is 'Number that a category value stands for; null: none.';
comment on column apple_health_raw.mapping.code is 'Code that a category value stands for; null: none.';
comment on column apple_health_raw.mapping.agg is 'How values of a day combine (meta.metrics.agg); none: no daily figure.';
comment on column apple_health_raw.mapping.plausible_lo is 'Lowest plausible value (meta.metrics); null: no bound.';
comment on column apple_health_raw.mapping.plausible_hi is 'Highest plausible value (meta.metrics); null: no bound.';
comment on column apple_health_raw.mapping.mapping_version is 'Name and digest of the data files that this row comes from.';

-- Days whose records a run changed: what has to be added up again. Kept when a file is published, from the rows of its run.
create table apple_health_raw.days (
  user_id    bigint  not null,
  account_id bigint  not null,
  type_id    integer not null,
  local_date date    not null,
  run_id     bigint  not null,
  primary key (user_id, account_id, type_id, local_date)
);
create index days_run_idx on apple_health_raw.days (user_id, account_id, run_id);
comment on table apple_health_raw.days is 'One local day that holds, or held, records of one type.';
comment on column apple_health_raw.days.user_id is 'The person (meta.users).';
comment on column apple_health_raw.days.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.days.type_id is 'Type of the records (types).';
comment on column apple_health_raw.days.local_date is 'The day: date of their start on the clock of the person.';
comment on column apple_health_raw.days.run_id is 'Run that last changed a record of the day (meta.import_runs).';

create function apple_health_raw.plain_unit(unit text) returns text
  language sql immutable parallel safe
  return case when unit like '%<%' then regexp_replace(unit, '<[0-9.]*>', '') else unit end;
comment on function apple_health_raw.plain_unit(text) is
  'Unit without the molar mass that an amount of substance carries: mmol<180.1558800000541>/L is mmol/L.';

create function apple_health_raw.by_hand(metadata jsonb) returns boolean
  language sql immutable parallel safe
  return coalesce(metadata->>'HKWasUserEntered' = '1', false);
comment on function apple_health_raw.by_hand(jsonb) is 'Whether the person typed the value in.';

create function apple_health_raw.by_sensor(source_name text, device text, metadata jsonb) returns boolean
  language sql immutable parallel safe
  return not apple_health_raw.by_hand(metadata)
     and not coalesce(metadata ?| array['HKBloodGlucoseMealTime', 'HKMetadataKeyBloodGlucoseMealTime'], false)
     and concat_ws(' ', source_name, device) ~* '(dexcom|stelo|libre|lingo|eversense|guardian|medtronic|aidex|supersapiens|nightscout|xdrip|sugarmate|\mlevels\M|\mloop\M|\mcgm)';
comment on function apple_health_raw.by_sensor(text, text, jsonb) is
  'Whether a glucose value comes from a sensor under the skin: an app or device known for one wrote it, nobody typed it in and it is not tied to a meal. Everything else counts as a finger stick.';

create function apple_health_raw.device_class(source_name text, device text) returns integer
  language sql immutable parallel safe
  return case
    when device ~* '(model|name|hardware):[^,]*watch' then 1
    when device ~* '(model|name|hardware):[^,]*iphone' then 2
    when device is null and source_name ~* 'watch' then 1
    when device is null and source_name ~* 'iphone' then 2
    else 3
  end;
comment on function apple_health_raw.device_class(text, text) is
  '1 watch, 2 phone, 3 anything else: the order in which devices that count the same steps are believed. Values typed in come before all.';

create view apple_health_raw.conversions with (security_invoker = true) as
select t.user_id, t.account_id, t.type_id, u.unit_id, m.*
  from apple_health_raw.mapping m
  join apple_health_raw.types t on t.type = m.type
  join (select user_id, account_id, unit_id, apple_health_raw.plain_unit(unit) as plain
          from apple_health_raw.units
         union all
        select user_id, account_id, 0, '' from meta.source_accounts where source_system = 'apple_health') u
    on u.user_id = t.user_id and u.account_id = t.account_id and u.plain = m.unit;
comment on view apple_health_raw.conversions is 'The mapping in the numbers of an account: one meaning of one of its types in one of its units.';
comment on column apple_health_raw.conversions.user_id is 'The person (meta.users).';
comment on column apple_health_raw.conversions.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.conversions.type_id is 'The type (types).';
comment on column apple_health_raw.conversions.unit_id is 'The unit (units); 0: none.';

-- Every record of a published file whose type has a meaning, with its value in the unit of the metric. Words come by sub-select, so that nobody
-- pays for columns that are not asked for.
create view apple_health_raw.mapped_records with (security_invoker = true) as
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
        or (c.rule = 'sensor') = apple_health_raw.by_sensor(
             (select n.source_name from apple_health_raw.source_names n
               where n.user_id = r.user_id and n.account_id = r.account_id and n.source_name_id = r.source_name_id),
             (select d.device from apple_health_raw.devices d
               where d.user_id = r.user_id and d.account_id = r.account_id and d.device_id = r.device_id),
             r.metadata));
comment on view apple_health_raw.mapped_records is 'One record of the published exports whose type has a metric, with its value in the unit of that metric. What canonical.samples, the vitals and the daily figures are made of.';
comment on column apple_health_raw.mapped_records.source_id is 'The record''s id in hexadecimal, a point, and its ordinal.';
comment on column apple_health_raw.mapped_records.record_at is 'Its start.';
comment on column apple_health_raw.mapped_records.hash is 'Digest of its content: the id.';
comment on column apple_health_raw.mapped_records.end_at is 'End; null: a point in time.';
comment on column apple_health_raw.mapped_records.local_date is 'Date of its start on the clock of the person.';
comment on column apple_health_raw.mapped_records.value_num is 'Value in the unit of the metric; null: a coded value.';
comment on column apple_health_raw.mapped_records.value_code is 'Coded value; null: a number.';
comment on column apple_health_raw.mapped_records.is_sensor is 'Glucose that a sensor under the skin measured, which is another metric than a finger stick.';
comment on column apple_health_raw.mapped_records.by_hand is 'The person typed it in.';
comment on column apple_health_raw.mapped_records.flags is 'implausible | unit_assumed (no unit, or a percentage above 1 taken as it is) | manual | clock_wrong (before 1970, or after the export was made).';
comment on column apple_health_raw.mapped_records.tz_basis is 'record: the record names its zone; home: it does not, and the person''s zone stands in.';

-- Records that stay out of canonical because nobody knows their unit, or their category value.
create view apple_health_raw.published_unconvertible with (security_invoker = true) as
select r.user_id
     , r.account_id
     , replace(r.id::text, '-', '') || '.' || r.ordinal as source_id
     , r.start_at as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id
     , r.missing_since_run_id
     , t.type
     , (select u.unit from apple_health_raw.units u
         where u.user_id = r.user_id and u.account_id = r.account_id and u.unit_id = r.unit_id) as unit
     , k.is_category
  from apple_health_raw.records r
  join apple_health_raw.types t on t.user_id = r.user_id and t.account_id = r.account_id and t.type_id = r.type_id
  join (select distinct m.type, m.is_category from apple_health_raw.mapping m where m.place not in ('raw', 'sleep')) k on k.type = t.type
 where (k.is_category or r.value is not null)
   and not exists (select from apple_health_raw.conversions c
                    where c.user_id = r.user_id and c.account_id = r.account_id and c.type_id = r.type_id
                      and c.unit_id = coalesce(r.unit_id, 0) and (not c.is_category or c.value = coalesce(r.value_text, '')))
   and exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id
                  and (f.status = 'published' or f.status = 'withdrawn' and r.missing_since_run_id is not null));
comment on view apple_health_raw.published_unconvertible is 'One record of the published exports whose type has a metric, but whose unit or category value is not known: kept here, rejected from canonical.';
comment on column apple_health_raw.published_unconvertible.source_id is 'The record''s id in hexadecimal, a point, and its ordinal.';
comment on column apple_health_raw.published_unconvertible.record_at is 'Its start.';
comment on column apple_health_raw.published_unconvertible.hash is 'Digest of its content: the id.';
comment on column apple_health_raw.published_unconvertible.is_category is 'true: its category value is not known; false: its unit.';

create view apple_health_raw.raw_only_types with (security_invoker = true) as
select r.user_id, r.account_id, t.type, count(*) as records, min(r.start_at) as first_at, max(r.start_at) as last_at
  from apple_health_raw.types t
  join apple_health_raw.records r on r.user_id = t.user_id and r.account_id = t.account_id and r.type_id = t.type_id
 where not exists (select from apple_health_raw.mapping m where m.type = t.type and m.place <> 'raw')
   and r.missing_since_run_id is null
   and exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'published')
 group by r.user_id, r.account_id, t.type;
comment on view apple_health_raw.raw_only_types is 'One type of which records are held and none reaches canonical: this version does not know it, or leaves it out on purpose.';
comment on column apple_health_raw.raw_only_types.type is 'Type as exported.';
comment on column apple_health_raw.raw_only_types.records is 'How many records of it are held.';
comment on column apple_health_raw.raw_only_types.first_at is 'Start of the earliest.';
comment on column apple_health_raw.raw_only_types.last_at is 'Start of the latest.';

create view apple_health_raw.published_vitals with (security_invoker = true) as
select v.*
     , (select n.source_name from apple_health_raw.source_names n
         where n.user_id = v.user_id and n.account_id = v.account_id and n.source_name_id = v.source_name_id) as source_name
  from apple_health_raw.mapped_records v
 where v.place = 'vitals';
comment on view apple_health_raw.published_vitals is 'One record of the published exports that is a deliberate measurement, or the one value that a watch gives per night.';

create view apple_health_raw.published_days with (security_invoker = true) as
select d.user_id
     , d.account_id
     , t.type || '/' || d.local_date as source_id
     , d.local_date::timestamp at time zone 'UTC' as record_at
     , sha256(convert_to(t.type || '/' || d.local_date, 'UTF8')) as hash
     , d.run_id
     , null::bigint as missing_since_run_id
     , d.type_id
     , d.local_date
  from apple_health_raw.days d
  join apple_health_raw.types t on t.user_id = d.user_id and t.account_id = d.account_id and t.type_id = d.type_id
 where exists (select from apple_health_raw.mapping m where m.type = t.type and m.agg <> 'none');
comment on view apple_health_raw.published_days is 'One local day that holds, or held, records of a type with daily figures: the raw table behind the computed daily summaries.';
comment on column apple_health_raw.published_days.source_id is 'The type, a slash, and the day.';
comment on column apple_health_raw.published_days.record_at is 'The day, at midnight UTC.';
comment on column apple_health_raw.published_days.hash is 'Digest of source_id; the digest of the records is that of the row made from them.';
comment on column apple_health_raw.published_days.missing_since_run_id is 'Always null: a day without records makes no row.';

-- A night has no id and may grow at either end, so what a model reads is the whole of one app's or device's sleep.
create view apple_health_raw.published_sleep with (security_invoker = true) as
select s.user_id
     , s.account_id
     , coalesce(n.source_name, '') as source_id
     , null::timestamptz as record_at
     , sha256(convert_to(coalesce(n.source_name, ''), 'UTF8')) as hash
     , s.run_id
     , null::bigint as missing_since_run_id
     , s.type_id
     , s.source_name_id
  from (select r.user_id, r.account_id, r.type_id, r.source_name_id, max(r.run_id) as run_id
          from apple_health_raw.records r
          join apple_health_raw.types t on t.user_id = r.user_id and t.account_id = r.account_id and t.type_id = r.type_id
         where t.type = 'HKCategoryTypeIdentifierSleepAnalysis'
         group by 1, 2, 3, 4) s
  left join apple_health_raw.source_names n
    on n.user_id = s.user_id and n.account_id = s.account_id and n.source_name_id = s.source_name_id;
comment on view apple_health_raw.published_sleep is 'One app or device that wrote sleep: all its segments together, the raw table behind the sleep sessions.';
comment on column apple_health_raw.published_sleep.source_id is 'Name of the app or device; empty: not given.';
comment on column apple_health_raw.published_sleep.record_at is 'Always null: it is a whole history.';
comment on column apple_health_raw.published_sleep.hash is 'Digest of source_id; the digest of the segments is that of the session made from them.';
comment on column apple_health_raw.published_sleep.run_id is 'Run that last changed one of its segments (meta.import_runs).';
comment on column apple_health_raw.published_sleep.missing_since_run_id is 'Always null: a source without segments makes no session.';

-- ---------- elements: workouts, summaries of a day, food ----------
create function apple_health_raw.instant(said text) returns timestamptz
  language sql stable parallel safe
  return meta.instant(regexp_replace(said, ' ([+-]\d{4})$', '\1'));
comment on function apple_health_raw.instant(text) is
  'A date as an export writes it (2026-01-10 09:00:00 +0100) as an instant. Anything else is a data error, so that the element is rejected and not guessed at. Null for null.';

create function apple_health_raw.amount(said text) returns double precision
  language sql immutable parallel safe
  return meta.number_or_null(split_part(said, ' ', 1));
comment on function apple_health_raw.amount(text) is
  'The number of a metadata value that carries its unit: 418 of "418 cm". Null for what is no number.';

create function apple_health_raw.seconds(unit text) returns double precision
  language sql immutable parallel safe
  return case when coalesce(unit, 'min') = 'min' then 60 when unit = 's' then 1 when unit = 'hr' then 3600 end;
comment on function apple_health_raw.seconds(text) is
  'Seconds in the unit of a duration; minutes where none is given, as the format has always written them. Null for another unit.';

create view apple_health_raw.published_workouts with (security_invoker = true) as
select * from apple_health_raw.published_elements where element = 'Workout';
comment on view apple_health_raw.published_workouts is 'One Workout of the published exports: the raw table behind canonical.workouts.';

-- A day's summary changes until the day is over, and every export holds its own: of several for one day the one still held counts, then the newest.
create view apple_health_raw.published_activity_days with (security_invoker = true) as
select distinct on (e.user_id, e.account_id, e.day)
       e.user_id
     , e.account_id
     , e.day as source_id
     , null::timestamptz as record_at
     , e.hash
     , max(e.run_id) over (partition by e.user_id, e.account_id, e.day) as run_id
     , e.missing_since_run_id
     , e.payload
     , e.export_day
  from (select p.user_id, p.account_id, p.payload->'attributes'->>'dateComponents' as day
             , p.hash, p.run_id, p.missing_since_run_id, p.payload, x.exported_at, p.source_id
             , substring(x.export_date from '^\d{4}-\d\d-\d\d') as export_day
          from apple_health_raw.published_elements p
          left join apple_health_raw.exports x
            on x.user_id = p.user_id and x.account_id = p.account_id and x.file_id = p.file_id
         where p.element = 'ActivitySummary') e
 where e.day is not null
 order by e.user_id, e.account_id, e.day, e.missing_since_run_id is not null, e.exported_at desc nulls last, e.source_id;
comment on view apple_health_raw.published_activity_days is 'One day that the phone summed up (ActivitySummary): its own figures, phone and watch merged.';
comment on column apple_health_raw.published_activity_days.source_id is 'The day, as exported.';
comment on column apple_health_raw.published_activity_days.record_at is 'Always null: a day is no instant.';
comment on column apple_health_raw.published_activity_days.hash is 'Digest of the element''s content.';
comment on column apple_health_raw.published_activity_days.export_day is 'Day of the export on the phone''s clock; null: not given.';
comment on column apple_health_raw.published_activity_days.run_id is 'Run that last changed a summary of the day (meta.import_runs).';

create view apple_health_raw.published_food with (security_invoker = true) as
select * from apple_health_raw.published_elements
 where element = 'Correlation' and payload->'attributes'->>'type' = 'HKCorrelationTypeIdentifierFood';
comment on view apple_health_raw.published_food is 'One food of the published exports (a Correlation of nutrients): a raw table behind canonical.nutrition_entries.';

-- Nutrients that are in no food: which ones are depends on the foods of the day, so what a model reads is the day.
create view apple_health_raw.published_food_days with (security_invoker = true) as
select f.user_id
     , f.account_id
     , f.local_date::text as source_id
     , f.local_date::timestamp at time zone 'UTC' as record_at
     , sha256(convert_to(f.local_date::text, 'UTF8')) as hash
     , max(f.run_id) as run_id
     , null::bigint as missing_since_run_id
     , f.local_date
  from (select d.user_id, d.account_id, d.local_date, d.run_id
          from apple_health_raw.days d
          join apple_health_raw.types t on t.user_id = d.user_id and t.account_id = d.account_id and t.type_id = d.type_id
         where t.type like 'HKQuantityTypeIdentifierDietary%'
         union all
        select e.user_id, e.account_id, meta.local_date(e.start_at, e.utc_offset_s), e.run_id
          from apple_health_raw.published_food e
         where e.start_at is not null) f
 group by f.user_id, f.account_id, f.local_date;
comment on view apple_health_raw.published_food_days is 'One local day with nutrients: a raw table behind canonical.nutrition_entries.';
comment on column apple_health_raw.published_food_days.source_id is 'The day.';
comment on column apple_health_raw.published_food_days.record_at is 'The day, at midnight UTC.';
comment on column apple_health_raw.published_food_days.hash is 'Digest of source_id; the digest of the records is that of the entry made from them.';
comment on column apple_health_raw.published_food_days.local_date is 'The day: date of the start of its records and foods on the clock of the person.';
comment on column apple_health_raw.published_food_days.run_id is 'Run that last changed a nutrient or a food of the day (meta.import_runs).';
comment on column apple_health_raw.published_food_days.missing_since_run_id is 'Always null: a day without nutrients makes no row.';

create or replace view canonical.samples with (security_invoker = true) as
select * from canonical.sample_values
union all
select r.user_id
     , r.metric_code
     , r.start_at
     , r.end_at
     , uuid_send(meta.row_id('apple_health', r.account_id, r.source_id, ''))
     , null::bigint
     , r.local_date
     , r.value_num
     , r.value_code
     , r.unit
     , r.value_text
     , nullif(jsonb_strip_nulls(jsonb_build_object(
         'motion',  case when r.metadata->>'HKMetadataKeyHeartRateMotionContext' = '1' then 'sedentary'
                         when r.metadata->>'HKMetadataKeyHeartRateMotionContext' = '2' then 'active' end,
         'meal',    case when coalesce(r.metadata->>'HKBloodGlucoseMealTime', r.metadata->>'HKMetadataKeyBloodGlucoseMealTime') = '1' then 'before'
                         when coalesce(r.metadata->>'HKBloodGlucoseMealTime', r.metadata->>'HKMetadataKeyBloodGlucoseMealTime') = '2' then 'after' end,
         'insulin', case when coalesce(r.metadata->>'HKInsulinDeliveryReason', r.metadata->>'HKMetadataKeyInsulinDeliveryReason') = '1' then 'basal'
                         when coalesce(r.metadata->>'HKInsulinDeliveryReason', r.metadata->>'HKMetadataKeyInsulinDeliveryReason') = '2' then 'bolus' end)), '{}')
     , r.utc_offset_s
     , r.tz_name
     , r.tz_basis
     , 'second'::text
     , 'apple_health'::text
     , r.account_id
     , 'apple_health_raw.published_records'::text
     , r.source_id
     , ''::text
     , r.hash
     , r.run_id
     , r.mapping_version
     , meta.quality(r.flags)
     , r.flags
     , (select i.started_at
          from meta.import_file f
          join meta.import_runs i on i.user_id = f.user_id and i.run_id = f.run_id
         where f.user_id = r.user_id and f.file_id = r.file_id)
     , (select i.started_at from meta.import_runs i where i.user_id = r.user_id and i.run_id = r.run_id)
     , case when r.missing_since_run_id is not null then
         (select i.started_at from meta.import_runs i where i.user_id = r.user_id and i.run_id = r.missing_since_run_id) end
     , case when r.missing_since_run_id is not null then 'missing_upstream' end
  from apple_health_raw.mapped_records r
 where r.place = 'samples'
   and (r.value_num is not null or r.value_code is not null);

-- What a view shows unchanged is explained with the words of the table it comes from.
do $$
declare
  bare record;
begin
  for bare in
    select distinct on (v.oid, a.attname) v.relname, a.attname, col_description(t.oid, b.attnum) as said
      from pg_class v
      join pg_attribute a on a.attrelid = v.oid and a.attnum > 0
      join pg_class t on t.relnamespace = v.relnamespace
      join pg_attribute b on b.attrelid = t.oid and b.attname = a.attname
     where v.relnamespace = 'apple_health_raw'::regnamespace and v.relkind = 'v'
       and col_description(v.oid, a.attnum) is null and col_description(t.oid, b.attnum) is not null
     order by v.oid, a.attname, t.relname <> 'records', t.relname <> 'mapping', t.relname <> 'published_records', t.relname
  loop
    execute format('comment on column apple_health_raw.%I.%I is %L', bare.relname, bare.attname, bare.said);
  end loop;
end $$;
