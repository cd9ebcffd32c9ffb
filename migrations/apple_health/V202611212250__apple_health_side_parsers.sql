-- Side files whose content is stored as the present reader reads it are not read again. So far a row kept what the reader of
-- the file that brought it had made of it.
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
