-- Whatever else stands at the top of an export: workouts, correlations, activity summaries, audiograms, prescriptions, references to clinical
-- records, and elements that this version does not know. There are thousands of them where there are millions of records, and they nest, so each is kept whole.
alter table apple_health_raw.exports add column me json;
alter table apple_health_raw.exports add column run_ids bigint[] not null default '{}';
comment on column apple_health_raw.exports.me is 'Attributes of Me as exported: date of birth, sex, blood type ...; "" where the phone holds none. Null: no such element.';
comment on column apple_health_raw.exports.run_ids is 'Runs that published it: the first, and each that read it again. What they marked as missing is taken back with the file.';

alter table apple_health_raw.records add column returned_run_id bigint;
alter table apple_health_raw.records add column missing_before_run_id bigint;
comment on column apple_health_raw.records.returned_run_id is 'Run in which it was there again after it had been missing; null: never.';
comment on column apple_health_raw.records.missing_before_run_id is 'missing_since_run_id as it was before returned_run_id; null: never.';

create table apple_health_raw.elements (
  user_id               bigint  not null,
  account_id            bigint  not null,
  element               text    not null,
  id                    uuid    not null,
  ordinal               integer not null,
  start_at              timestamptz,
  end_at                timestamptz,
  created_at            timestamptz,
  source_name           text,
  utc_offset_s          integer,
  tz_name               text    not null,
  tz_basis              text    not null check (tz_basis in ('record', 'home')),
  payload               json    not null,
  file_id               bigint  not null,
  run_id                bigint  not null,
  missing_since_run_id  bigint,
  returned_run_id       bigint,
  missing_before_run_id bigint,
  primary key (user_id, account_id, element, id, ordinal)
);
create index elements_run_idx on apple_health_raw.elements (user_id, account_id, run_id);
comment on table apple_health_raw.elements is 'One element other than Record at the top of an export, whole.';
comment on column apple_health_raw.elements.user_id is 'The person (meta.users).';
comment on column apple_health_raw.elements.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.elements.element is 'Its name: Workout, Correlation, ActivitySummary, Audiogram, VisionPrescription, ClinicalRecord, or one that this version does not know. Record: a record that holds more than a record does, and stands in records as well.';
comment on column apple_health_raw.elements.id is 'xxh3-128 of the content in normal form: attributes by name, dates as instants, device without its memory address, children in no order. The same element has the same id in every export.';
comment on column apple_health_raw.elements.ordinal is '1, 2, 3 ...: copies of an element that are equal in everything. They are real and kept.';
comment on column apple_health_raw.elements.start_at is 'startDate; of a VisionPrescription dateIssued. Null: not given; an ActivitySummary has a date and no instant.';
comment on column apple_health_raw.elements.end_at is 'endDate; of a VisionPrescription expirationDate. Null: not given.';
comment on column apple_health_raw.elements.created_at is 'creationDate; of a ClinicalRecord receivedDate. Null: not given.';
comment on column apple_health_raw.elements.source_name is 'Who wrote it, as exported; null: not given.';
comment on column apple_health_raw.elements.utc_offset_s is 'Seconds east of UTC in tz_name at start_at; null: no start_at. Never the offset written in the export.';
comment on column apple_health_raw.elements.tz_name is 'IANA zone: of its HKTimeZone, else the person''s home at the time of the import.';
comment on column apple_health_raw.elements.tz_basis is 'record: the element names its zone (HKTimeZone); home: it does not, and the person''s zone stands in.';
comment on column apple_health_raw.elements.payload is 'The element as JSON: {"element", "attributes": {name: text}, "children": [the same form], "text"}. Values as exported; of two attributes of one name the first; absent where there are none.';
comment on column apple_health_raw.elements.file_id is 'File that first brought it (meta.import_file); the row counts once that file is published.';
comment on column apple_health_raw.elements.run_id is 'Run that last changed the row (meta.import_runs).';
comment on column apple_health_raw.elements.missing_since_run_id is 'Run whose complete and newer export no longer held it; null: not missing.';
comment on column apple_health_raw.elements.returned_run_id is 'Run in which it was there again after it had been missing; null: never.';
comment on column apple_health_raw.elements.missing_before_run_id is 'missing_since_run_id as it was before returned_run_id; null: never.';

create view apple_health_raw.published_elements with (security_invoker = true) as
select e.user_id
     , e.account_id
     , replace(e.id::text, '-', '') || '.' || e.ordinal as source_id
     , coalesce(e.start_at, e.created_at) as record_at
     , decode(replace(e.id::text, '-', ''), 'hex') as hash
     , e.run_id
     , e.missing_since_run_id
     , e.element
     , e.start_at
     , e.end_at
     , e.created_at
     , e.source_name
     , e.utc_offset_s
     , e.tz_name
     , e.tz_basis
     , e.payload
     , e.file_id
     , e.id
     , e.ordinal
  from apple_health_raw.elements e
 where exists (select from meta.import_file f
                where f.user_id = e.user_id and f.file_id = e.file_id
                  -- rows of a file that was taken back are shown as missing until every model has seen that
                  and (f.status = 'published' or f.status = 'withdrawn' and e.missing_since_run_id is not null));
comment on view apple_health_raw.published_elements is 'One element of the published exports: the raw table behind the models of workouts, correlations and the like.';
comment on column apple_health_raw.published_elements.source_id is 'Its id in hexadecimal, a point, and its ordinal.';
comment on column apple_health_raw.published_elements.record_at is 'Its start, else when it was written.';
comment on column apple_health_raw.published_elements.hash is 'Digest of its content: the id.';
do $$
declare
  bare record;
begin
  for bare in
    select v.attname, col_description('apple_health_raw.elements'::regclass, t.attnum) as said
      from pg_attribute v
      join pg_attribute t on t.attrelid = 'apple_health_raw.elements'::regclass and t.attname = v.attname
     where v.attrelid = 'apple_health_raw.published_elements'::regclass and v.attnum > 0
       and col_description(v.attrelid, v.attnum) is null
  loop
    execute format('comment on column apple_health_raw.published_elements.%I is %L', bare.attname, bare.said);
  end loop;
end $$;
