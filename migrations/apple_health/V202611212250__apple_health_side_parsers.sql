-- A route and an electrocardiogram are written anew with each export: a route says when the export was made and names itself by the local time
-- of that day, an electrocardiogram has the offset and the language of the phone. So they are told by what was measured alone. Their former
-- ids were digests of all bytes, which cannot be made again from rows; the next import brings them under the new ids.
update apple_health_raw.routes set missing_since_run_id = run_id where missing_since_run_id is null;
update apple_health_raw.ecgs   set missing_since_run_id = run_id where missing_since_run_id is null;

-- Side files whose content is stored as the present reader reads it are not read again. So far a row kept what the reader of the file that
-- brought it had made of it.
do $$
declare
  side text;
begin
  foreach side in array array['routes', 'ecgs', 'clinical_records', 'attachments'] loop
    execute format('alter table apple_health_raw.%I add column parser_version integer', side);
    execute format('update apple_health_raw.%I r set parser_version = f.parser_version
                      from meta.import_file f where f.user_id = r.user_id and f.file_id = r.file_id', side);
    execute format('comment on column apple_health_raw.%I.parser_version is %L', side,
      'Version of the reader that read it last (meta.import_file.parser_version); null: not known, and read again by the next import.');
  end loop;
end $$;
comment on column apple_health_raw.routes.id is
  'xxh3-128 of the file from its first segment on: the same route has the same id in every export, whatever its name.';
comment on column apple_health_raw.published_routes.id is
  'xxh3-128 of the file from its first segment on: the same route has the same id in every export, whatever its name.';
comment on column apple_health_raw.ecgs.id is
  'xxh3-128 of its instant and its voltages: the same recording has the same id in every export, whatever its name and the language of its header.';
comment on column apple_health_raw.published_ecgs.id is
  'xxh3-128 of its instant and its voltages: the same recording has the same id in every export, whatever its name and the language of its header.';
comment on column apple_health_raw.routes.name is 'Name of the track, as the export that first brought it has it; null: not given.';
comment on column apple_health_raw.published_routes.name is 'Name of the track, as the export that first brought it has it; null: not given.';
comment on column apple_health_raw.routes.bytes is 'Size of the file that first brought it.';
comment on column apple_health_raw.ecgs.bytes is 'Size of the file that first brought it.';
comment on column apple_health_raw.published_routes.bytes is 'Size of the file that first brought it.';
comment on column apple_health_raw.published_ecgs.bytes is 'Size of the file that first brought it.';
