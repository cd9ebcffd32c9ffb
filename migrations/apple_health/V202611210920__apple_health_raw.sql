-- Apple Health as exported: bulk samples in typed columns, because one JSON text per record is half as fast and twice as large. The words that
-- repeat (type, unit, source ...) are numbered in dictionaries of the account; the numbers are given by the program under the account's fence.
-- Nothing in an export has an id, so a record is its content: `id` is a digest of it, and equal records are counted by `ordinal`.
create schema apple_health_raw;
comment on schema apple_health_raw is 'Apple Health as exported by the phone: one row for each record, repeating words in dictionaries. Start at published_records.';

create table apple_health_raw.exports (
  user_id        bigint not null,
  account_id     bigint not null,
  file_id        bigint not null,
  export_date    text,
  exported_at    timestamptz,
  locale         text,
  format_version text,
  elements       jsonb not null default '{}',
  primary key (user_id, account_id, file_id)
);
comment on table apple_health_raw.exports is 'One published export: what it says about itself.';
comment on column apple_health_raw.exports.user_id is 'The person (meta.users).';
comment on column apple_health_raw.exports.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.exports.file_id is 'The file (meta.import_file).';
comment on column apple_health_raw.exports.export_date is 'ExportDate as written. Its offset is that of the phone on the day of the export and of every date in the file; it says nothing about where a sample was taken. Null: none.';
comment on column apple_health_raw.exports.exported_at is 'The same as an instant; null: none, or unreadable.';
comment on column apple_health_raw.exports.locale is 'Locale of the phone; null: not given.';
comment on column apple_health_raw.exports.format_version is 'HealthKit Export Version; null: not given.';
comment on column apple_health_raw.exports.elements is 'How many elements of each name stand at the top of the document, records included; those that are not stored yet are counted here too.';

-- The dictionaries. user_id and account_id lead every key, as everywhere.
do $$
declare
  dictionary constant text[][] := array[
    ['types',           'type_id',           'type',           'type of a record',               'Identifier as exported: HKQuantityTypeIdentifierStepCount.'],
    ['units',           'unit_id',           'unit',           'unit',                           'Unit as exported; follows the settings of the phone at the time of the export.'],
    ['source_names',    'source_name_id',    'source_name',    'name of an app or a device that wrote records', 'Name at the time of the export; a rename changes it for all history.'],
    ['source_versions', 'source_version_id', 'source_version', 'version of an app or of a system that wrote records', 'Version as exported.'],
    ['devices',         'device_id',         'device',         'description of a device',        'Description as exported without the memory address at its head, which differs from record to record.'],
    ['zones',           'zone_id',           'tz_name',        'time zone',                      'IANA zone, from a record''s HKTimeZone or the person''s home.']
  ];
  i integer;
begin
  for i in 1 .. array_length(dictionary, 1) loop
    execute format($ddl$
      create table apple_health_raw.%1$I (
        user_id    bigint  not null,
        account_id bigint  not null,
        %2$I       integer not null,
        %3$I       text    not null,
        primary key (user_id, account_id, %2$I)
      );
      comment on table apple_health_raw.%1$I is %4$L;
      comment on column apple_health_raw.%1$I.user_id is 'The person (meta.users).';
      comment on column apple_health_raw.%1$I.account_id is 'The account of the person (meta.source_accounts).';
      comment on column apple_health_raw.%1$I.%2$I is 'Number of the word in this account, from 1.';
      comment on column apple_health_raw.%1$I.%3$I is %5$L;
    $ddl$, dictionary[i][1], dictionary[i][2], dictionary[i][3], 'One ' || dictionary[i][4] || ' met in the exports of an account.', dictionary[i][5]);
    -- Uniqueness by digest: a description may be longer than an index entry can be.
    execute format('create unique index %I on apple_health_raw.%I (user_id, account_id, md5(%I))',
      dictionary[i][1] || '_word_idx', dictionary[i][1], dictionary[i][3]);
  end loop;
end $$;

create table apple_health_raw.records (
  user_id              bigint      not null,
  account_id           bigint      not null,
  type_id              integer     not null,
  start_at             timestamptz not null,
  id                   uuid        not null,
  ordinal              integer     not null,
  end_at               timestamptz,
  created_at           timestamptz,
  unit_id              integer,
  source_name_id       integer,
  source_version_id    integer,
  device_id            integer,
  zone_id              integer     not null,
  utc_offset_s         integer     not null,
  zone_from_record     boolean     not null,
  value                double precision,
  value_text           text,
  metadata             jsonb,
  beat_s               double precision[],
  beat_bpm             double precision[],
  file_id              bigint      not null,
  run_id               bigint      not null,
  missing_since_run_id bigint,
  primary key (user_id, account_id, type_id, start_at, id, ordinal),
  check (cardinality(beat_s) = cardinality(beat_bpm))
);
create index records_run_idx on apple_health_raw.records (user_id, account_id, run_id);
create index records_missing_idx on apple_health_raw.records (user_id, account_id, missing_since_run_id) where missing_since_run_id is not null;
comment on table apple_health_raw.records is 'One Record element at the top of an export: one sample of one type.';
comment on column apple_health_raw.records.user_id is 'The person (meta.users).';
comment on column apple_health_raw.records.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.records.type_id is 'What was sampled (types).';
comment on column apple_health_raw.records.start_at is 'Start, whole seconds: the export cuts fractions.';
comment on column apple_health_raw.records.id is 'xxh3-128 of the content: type, unit, value, source, version, device without its memory address, instants, metadata, beats. The same sample has the same id in every export, whatever zone it was exported in.';
comment on column apple_health_raw.records.ordinal is '1, 2, 3 ...: copies of a record that are equal in everything. They are real and kept.';
comment on column apple_health_raw.records.end_at is 'End; null: not given.';
comment on column apple_health_raw.records.created_at is 'When the sample was written on the phone; null: not given.';
comment on column apple_health_raw.records.unit_id is 'Unit of the value (units); null: none.';
comment on column apple_health_raw.records.source_name_id is 'Who wrote it (source_names); null: not given.';
comment on column apple_health_raw.records.source_version_id is 'Version of the writer (source_versions); null: not given.';
comment on column apple_health_raw.records.device_id is 'Device (devices); null: not given.';
comment on column apple_health_raw.records.zone_id is 'Zone that utc_offset_s follows from (zones).';
comment on column apple_health_raw.records.utc_offset_s is 'Seconds east of UTC in that zone at start_at. Never the offset written in the export, which is that of the phone on the day of the export.';
comment on column apple_health_raw.records.zone_from_record is 'true: the record names the zone (HKTimeZone); false: it is the person''s home zone at the time of the import.';
comment on column apple_health_raw.records.value is 'The value as a number, in its unit as exported; null: none, or a word.';
comment on column apple_health_raw.records.value_text is 'The value exactly as exported; null: none.';
comment on column apple_health_raw.records.metadata is 'MetadataEntry elements by key, strings as exported; a key that occurs twice holds an array. Null: none.';
comment on column apple_health_raw.records.beat_s is 'Beats of a heart rate variability record: seconds after start_at. Null: none.';
comment on column apple_health_raw.records.beat_bpm is 'Beats of a heart rate variability record: momentary rate per minute, one for each beat_s. Null: none.';
comment on column apple_health_raw.records.file_id is 'File that first brought it (meta.import_file); the row counts once that file is published.';
comment on column apple_health_raw.records.run_id is 'Run that last changed the row (meta.import_runs).';
comment on column apple_health_raw.records.missing_since_run_id is 'Run whose complete and newer export no longer held it; null: not missing.';

-- What models and people read: only published files, words instead of numbers, and the columns every raw table has (source_id, record_at, hash,
-- run_id, missing_since_run_id), so that the engine treats it like one. Dictionaries come by sub-select, so that nobody pays for unread columns.
create view apple_health_raw.published_records with (security_invoker = true) as
select r.user_id
     , r.account_id
     , replace(r.id::text, '-', '') || '.' || r.ordinal as source_id
     , r.start_at as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id
     , r.missing_since_run_id
     , t.type
     , r.start_at
     , r.end_at
     , r.created_at
     , r.value
     , r.value_text
     , (select u.unit from apple_health_raw.units u
         where u.user_id = r.user_id and u.account_id = r.account_id and u.unit_id = r.unit_id) as unit
     , (select n.source_name from apple_health_raw.source_names n
         where n.user_id = r.user_id and n.account_id = r.account_id and n.source_name_id = r.source_name_id) as source_name
     , (select v.source_version from apple_health_raw.source_versions v
         where v.user_id = r.user_id and v.account_id = r.account_id and v.source_version_id = r.source_version_id) as source_version
     , (select d.device from apple_health_raw.devices d
         where d.user_id = r.user_id and d.account_id = r.account_id and d.device_id = r.device_id) as device
     , r.utc_offset_s
     , (select z.tz_name from apple_health_raw.zones z
         where z.user_id = r.user_id and z.account_id = r.account_id and z.zone_id = r.zone_id) as tz_name
     , case when r.zone_from_record then 'record' else 'home' end as tz_basis
     , r.metadata
     , r.beat_s
     , r.beat_bpm
     , r.file_id
     , r.ordinal
  from apple_health_raw.records r
  join apple_health_raw.types t
    on t.user_id = r.user_id and t.account_id = r.account_id and t.type_id = r.type_id
 where exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id
                  -- rows of a file that was taken back are shown as missing until every model has seen that
                  and (f.status = 'published' or f.status = 'withdrawn' and r.missing_since_run_id is not null));
comment on view apple_health_raw.published_records is 'One record of the published exports, with its words: the raw table behind the models of Apple Health.';
comment on column apple_health_raw.published_records.source_id is 'The record''s id in hexadecimal, a point, and its ordinal.';
comment on column apple_health_raw.published_records.record_at is 'Its start.';
comment on column apple_health_raw.published_records.hash is 'Digest of its content: the id.';
comment on column apple_health_raw.published_records.tz_basis is 'record: the record names its zone; home: it does not, and the person''s zone stands in.';
-- The other columns say what those of the tables say.
do $$
declare
  bare record;
begin
  for bare in
    select distinct on (a.attname) a.attname, col_description(c.oid, b.attnum) as said
      from pg_attribute a
      join pg_attribute b on b.attname = a.attname
      join pg_class c on c.oid = b.attrelid and c.relkind = 'r' and c.relnamespace = 'apple_health_raw'::regnamespace
     where a.attrelid = 'apple_health_raw.published_records'::regclass and a.attnum > 0
       and col_description(a.attrelid, a.attnum) is null and col_description(c.oid, b.attnum) is not null
     order by a.attname, c.relname <> 'records'
  loop
    execute format('comment on column apple_health_raw.published_records.%I is %L', bare.attname, bare.said);
  end loop;
end $$;

create function apple_health_raw.no_conversion(unit text) returns double precision
  language plpgsql immutable parallel safe
as $$
begin
  raise exception using errcode = 'invalid_parameter_value',
    message = coalesce('a unit that cannot be converted: ' || left(unit, 40), 'a value without a unit');
end $$;
comment on function apple_health_raw.no_conversion(text) is
  'The last branch of a unit conversion: a data error, so that the row is rejected and not guessed at.';
