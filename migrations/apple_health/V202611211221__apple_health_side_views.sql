-- A file of a withdrawn export is seen as gone, as its records are, so that models notice.

create or replace view apple_health_raw.published_routes with (security_invoker = true) as
select r.user_id, r.account_id, replace(r.id::text, '-', '') as source_id, r.start_at as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id, r.missing_since_run_id
     , r.paths, r.creator, r.name, r.start_at, r.end_at, r.points, r.segments, r.point_at, r.lat, r.lon, r.ele_m, r.speed_m_s, r.course_deg
     , r.h_acc_m, r.v_acc_m, r.others, r.bytes, r.file_id, r.id
  from apple_health_raw.routes r
 where exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id
                  and (f.status = 'published' or f.status = 'withdrawn' and r.missing_since_run_id is not null));

create or replace view apple_health_raw.published_ecgs with (security_invoker = true) as
select r.user_id, r.account_id, replace(r.id::text, '-', '') as source_id, r.recorded_at as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id, r.missing_since_run_id
     , r.paths, r.recorded_at, r.utc_offset_s, r.tz_name, r.tz_basis, r.classification, r.symptoms, r.software_version, r.device
     , r.sample_rate_hz, r.lead, r.unit, r.voltages, r.bytes, r.file_id, r.id
  from apple_health_raw.ecgs r
 where exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id
                  and (f.status = 'published' or f.status = 'withdrawn' and r.missing_since_run_id is not null));

create or replace view apple_health_raw.published_clinical_records with (security_invoker = true) as
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
                where f.user_id = r.user_id and f.file_id = r.file_id
                  and (f.status = 'published' or f.status = 'withdrawn' and r.missing_since_run_id is not null));

create or replace view apple_health_raw.published_attachments with (security_invoker = true) as
select r.user_id, r.account_id, replace(r.id::text, '-', '') as source_id, null::timestamptz as record_at
     , decode(replace(r.id::text, '-', ''), 'hex') as hash
     , r.run_id, r.missing_since_run_id
     , r.paths, r.media_type, r.sha256, r.content, r.bytes, r.file_id, r.id
  from apple_health_raw.attachments r
 where exists (select from meta.import_file f
                where f.user_id = r.user_id and f.file_id = r.file_id
                  and (f.status = 'published' or f.status = 'withdrawn' and r.missing_since_run_id is not null));
