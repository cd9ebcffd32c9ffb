-- The files beside the document of an export: routes of workouts, electrocardiograms, clinical records, attachments. Their names differ from export
-- to export, so a file is its content: `id` is a digest of its bytes, `paths` says where it lay. The document refers to them by path.
create function apple_health_raw.file_name(path text) returns text
  language sql immutable parallel safe
  return substring(path from '[^/]*$');
comment on function apple_health_raw.file_name(text) is
  'The last part of a path. FileReference and ClinicalRecord refer to a file by a path whose folder may have been renamed since.';

create table apple_health_raw.routes (
  user_id               bigint      not null,
  account_id            bigint      not null,
  id                    uuid        not null,
  paths                 text[]      not null,
  bytes                 integer     not null,
  creator               text,
  name                  text,
  start_at              timestamptz,
  end_at                timestamptz,
  points                integer     not null,
  segments              integer[],
  point_at              timestamptz[],
  lat                   double precision[],
  lon                   double precision[],
  ele_m                 double precision[],
  speed_m_s             double precision[],
  course_deg            double precision[],
  h_acc_m               double precision[],
  v_acc_m               double precision[],
  others                jsonb,
  file_id               bigint      not null,
  run_id                bigint      not null,
  missing_since_run_id  bigint,
  returned_run_id       bigint,
  missing_before_run_id bigint,
  primary key (user_id, account_id, id),
  check (cardinality(lat) = points and cardinality(lon) = points)
);
comment on table apple_health_raw.routes is 'One GPX file of an export: the route of a workout. Each array has one value a point, in the order of the file.';
comment on column apple_health_raw.routes.bytes is 'Size of the file.';
comment on column apple_health_raw.routes.creator is 'Program that wrote the file; null: not given.';
comment on column apple_health_raw.routes.name is 'Name of the track; null: not given.';
comment on column apple_health_raw.routes.start_at is 'The earliest instant of a point; null: no point has one.';
comment on column apple_health_raw.routes.end_at is 'The latest instant of a point; null: no point has one.';
comment on column apple_health_raw.routes.points is 'How many points it has.';
comment on column apple_health_raw.routes.segments is 'Numbers of the points, from 1, with which segments begin: the recording was paused before. Null: no points.';
comment on column apple_health_raw.routes.point_at is 'Instants of the points. Null: no point has one.';
comment on column apple_health_raw.routes.lat is 'Latitudes in degrees, WGS 84. Null: no points.';
comment on column apple_health_raw.routes.lon is 'Longitudes in degrees, WGS 84. Null: no points.';
comment on column apple_health_raw.routes.ele_m is 'Elevations in metres. Null: no point has one.';
comment on column apple_health_raw.routes.speed_m_s is 'Speeds in metres a second. Null: no point has one.';
comment on column apple_health_raw.routes.course_deg is 'Directions of travel in degrees from north, clockwise. Null: no point has one.';
comment on column apple_health_raw.routes.h_acc_m is 'Horizontal accuracies in metres. Null: no point has one.';
comment on column apple_health_raw.routes.v_acc_m is 'Vertical accuracies in metres. Null: no point has one.';
comment on column apple_health_raw.routes.others is 'How many elements of each other name the file holds. Null: none.';

create table apple_health_raw.ecgs (
  user_id               bigint      not null,
  account_id            bigint      not null,
  id                    uuid        not null,
  paths                 text[]      not null,
  bytes                 integer     not null,
  recorded_at           timestamptz not null,
  utc_offset_s          integer     not null,
  tz_name               text        not null,
  tz_basis              text        not null check (tz_basis in ('record', 'home')),
  classification        text,
  symptoms              text,
  software_version      text,
  device                text,
  sample_rate_hz        double precision not null,
  lead                  text,
  unit                  text,
  voltages              double precision[] not null,
  header                text        not null,
  file_id               bigint      not null,
  run_id                bigint      not null,
  missing_since_run_id  bigint,
  returned_run_id       bigint,
  missing_before_run_id bigint,
  primary key (user_id, account_id, id)
);
comment on table apple_health_raw.ecgs is 'One electrocardiogram of an export. Words are in the language of the phone.';
comment on column apple_health_raw.ecgs.bytes is 'Size of the file.';
comment on column apple_health_raw.ecgs.recorded_at is 'When it was recorded, whole seconds.';
comment on column apple_health_raw.ecgs.utc_offset_s is 'Seconds east of UTC in tz_name at recorded_at. Never the offset written in the file.';
comment on column apple_health_raw.ecgs.tz_name is 'IANA zone that the person was in, by their list of zones, else their home zone.';
comment on column apple_health_raw.ecgs.tz_basis is 'home: the file names no zone, and the person''s zone stands in.';
comment on column apple_health_raw.ecgs.classification is 'What the watch made of it, in the language of the phone. Null: empty.';
comment on column apple_health_raw.ecgs.symptoms is 'Symptoms that the person noted, in the language of the phone. Null: none.';
comment on column apple_health_raw.ecgs.software_version is 'Version of the program that classified it. Null: empty.';
comment on column apple_health_raw.ecgs.device is 'Model of the watch. Null: empty.';
comment on column apple_health_raw.ecgs.sample_rate_hz is 'Voltages a second.';
comment on column apple_health_raw.ecgs.lead is 'Lead, in the language of the phone. Null: empty.';
comment on column apple_health_raw.ecgs.unit is 'Unit of the voltages. Null: empty.';
comment on column apple_health_raw.ecgs.voltages is 'The voltages in their order.';
comment on column apple_health_raw.ecgs.header is 'The lines before the voltages, exactly. They name the person and their date of birth, and are kept here alone.';

create table apple_health_raw.clinical_records (
  user_id               bigint  not null,
  account_id            bigint  not null,
  id                    uuid    not null,
  paths                 text[]  not null,
  bytes                 integer not null,
  resource_type         text    not null,
  resource_id           text,
  payload               json    not null,
  file_id               bigint  not null,
  run_id                bigint  not null,
  missing_since_run_id  bigint,
  returned_run_id       bigint,
  missing_before_run_id bigint,
  primary key (user_id, account_id, id)
);
comment on table apple_health_raw.clinical_records is 'One clinical record of an export: a FHIR resource as it came from the hospital''s server.';
comment on column apple_health_raw.clinical_records.bytes is 'Size of the file.';
comment on column apple_health_raw.clinical_records.resource_type is 'resourceType of the resource.';
comment on column apple_health_raw.clinical_records.resource_id is 'id of the resource at its server; null: none.';
comment on column apple_health_raw.clinical_records.payload is 'The resource, exactly as exported.';

create table apple_health_raw.attachments (
  user_id               bigint  not null,
  account_id            bigint  not null,
  id                    uuid    not null,
  paths                 text[]  not null,
  bytes                 integer not null,
  media_type            text,
  sha256                bytea   not null,
  content               bytea   not null,
  file_id               bigint  not null,
  run_id                bigint  not null,
  missing_since_run_id  bigint,
  returned_run_id       bigint,
  missing_before_run_id bigint,
  primary key (user_id, account_id, id)
);
comment on table apple_health_raw.attachments is 'One attachment of an export: a picture or a document that belongs to a prescription.';
comment on column apple_health_raw.attachments.bytes is 'Size of the file.';
comment on column apple_health_raw.attachments.media_type is 'What its first bytes say it is: application/pdf, image/jpeg, image/png, image/tiff, image/heic. Null: something else.';
comment on column apple_health_raw.attachments.sha256 is 'SHA-256 of the file.';
comment on column apple_health_raw.attachments.content is 'The file.';

do $$
declare
  side text;
  said constant text[][] := array[
    ['user_id',               'The person (meta.users).'],
    ['account_id',            'The account of the person (meta.source_accounts).'],
    ['id',                    'xxh3-128 of the file''s bytes: the same file has the same id in every export, whatever its name.'],
    ['paths',                 'Where it lay, from the document''s folder on, as the document refers to it; several where it was renamed or copied.'],
    ['file_id',               'File that first brought it (meta.import_file); the row counts once that file is published.'],
    ['run_id',                'Run that last changed the row (meta.import_runs).'],
    ['missing_since_run_id',  'Run whose complete and newer archive no longer held it; null: not missing. An export without side files proves nothing about them.'],
    ['returned_run_id',       'Run in which it was there again after it had been missing; null: never.'],
    ['missing_before_run_id', 'missing_since_run_id as it was before returned_run_id; null: never.']
  ];
  i integer;
begin
  foreach side in array array['routes', 'ecgs', 'clinical_records', 'attachments'] loop
    execute format('create index %I on apple_health_raw.%I (user_id, account_id, run_id)', side || '_run_idx', side);
    for i in 1 .. array_length(said, 1) loop
      execute format('comment on column apple_health_raw.%I.%I is %L', side, said[i][1], said[i][2]);
    end loop;
  end loop;
end $$;

-- What models and people read: published files alone, and the columns that every raw table has.
create view apple_health_raw.published_routes with (security_invoker = true) as
select r.user_id, r.account_id, replace(r.id::text, '-', '') as source_id, r.start_at as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id, r.missing_since_run_id
     , r.paths, r.creator, r.name, r.start_at, r.end_at, r.points, r.segments, r.point_at, r.lat, r.lon, r.ele_m, r.speed_m_s, r.course_deg
     , r.h_acc_m, r.v_acc_m, r.others, r.bytes, r.file_id, r.id
  from apple_health_raw.routes r
 where exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'published');
comment on view apple_health_raw.published_routes is 'One route of the published exports. A workout refers to it by FileReference: compare apple_health_raw.file_name of both paths.';

create view apple_health_raw.published_ecgs with (security_invoker = true) as
select r.user_id, r.account_id, replace(r.id::text, '-', '') as source_id, r.recorded_at as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id, r.missing_since_run_id
     , r.paths, r.recorded_at, r.utc_offset_s, r.tz_name, r.tz_basis, r.classification, r.symptoms, r.software_version, r.device
     , r.sample_rate_hz, r.lead, r.unit, r.voltages, r.bytes, r.file_id, r.id
  from apple_health_raw.ecgs r
 where exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'published');
comment on view apple_health_raw.published_ecgs is 'One electrocardiogram of the published exports, without the header that names the person.';

create view apple_health_raw.published_clinical_records with (security_invoker = true) as
select r.user_id, r.account_id, replace(r.id::text, '-', '') as source_id, e.created_at as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id, r.missing_since_run_id
     , r.paths, r.resource_type, r.resource_id, r.payload
     , e.payload #>> '{attributes,type}'        as type
     , e.payload #>> '{attributes,identifier}'  as identifier
     , e.payload #>> '{attributes,fhirVersion}' as fhir_version
     , e.payload #>> '{attributes,sourceURL}'   as source_url
     , e.source_name
     , e.created_at as received_at
     , r.bytes, r.file_id, r.id
  from apple_health_raw.clinical_records r
  left join lateral (
    select c.*
      from apple_health_raw.published_elements c
     where c.user_id = r.user_id and c.account_id = r.account_id and c.element = 'ClinicalRecord'
       and apple_health_raw.file_name(c.payload #>> '{attributes,resourceFilePath}')
           in (select apple_health_raw.file_name(p.path) from unnest(r.paths) p (path))
     order by c.missing_since_run_id is not null, c.run_id desc, c.source_id
     limit 1) e on true
 where exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'published');
comment on view apple_health_raw.published_clinical_records is 'One clinical record of the published exports, with what the ClinicalRecord element that refers to it says.';
comment on column apple_health_raw.published_clinical_records.type is 'Apple''s type of the record; null: no element refers to it.';
comment on column apple_health_raw.published_clinical_records.identifier is 'Identifier of the record at its source; null: no element refers to it.';
comment on column apple_health_raw.published_clinical_records.fhir_version is 'Version of FHIR that the resource is written in: 1.0.2 (DSTU2), 4.0.1 (R4). Null: no element refers to it.';
comment on column apple_health_raw.published_clinical_records.source_url is 'Address of the record at its server; null: no element refers to it.';
comment on column apple_health_raw.published_clinical_records.source_name is 'Hospital or practice that it came from; null: no element refers to it.';
comment on column apple_health_raw.published_clinical_records.received_at is 'When the phone received it; null: no element refers to it.';

create view apple_health_raw.published_attachments with (security_invoker = true) as
select r.user_id, r.account_id, replace(r.id::text, '-', '') as source_id, null::timestamptz as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id, r.missing_since_run_id
     , r.paths, r.media_type, r.sha256, r.content, r.bytes, r.file_id, r.id
  from apple_health_raw.attachments r
 where exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id and f.status = 'published');
comment on view apple_health_raw.published_attachments is 'One attachment of the published exports.';

do $$
declare
  side text;
  bare record;
begin
  foreach side in array array['routes', 'ecgs', 'clinical_records', 'attachments'] loop
    execute format('comment on column apple_health_raw.%I.source_id is %L', 'published_' || side, 'Its id in hexadecimal.');
    execute format('comment on column apple_health_raw.%I.record_at is %L', 'published_' || side,
      case side when 'routes' then 'Its start.' when 'ecgs' then 'When it was recorded.'
        when 'clinical_records' then 'When the phone received it; null: not known.' else 'Null: an attachment has no time.' end);
    execute format('comment on column apple_health_raw.%I.hash is %L', 'published_' || side, 'Digest of its content: the id.');
    for bare in
      select v.attname, col_description(t.attrelid, t.attnum) as said
        from pg_attribute v
        join pg_attribute t on t.attrelid = ('apple_health_raw.' || side)::regclass and t.attname = v.attname
       where v.attrelid = ('apple_health_raw.published_' || side)::regclass and v.attnum > 0
         and col_description(v.attrelid, v.attnum) is null
    loop
      execute format('comment on column apple_health_raw.%I.%I is %L', 'published_' || side, bare.attname, bare.said);
    end loop;
  end loop;
end $$;
