-- Of a document that was published by an earlier version the checksum is not known.
select exists (
  select from meta.import_file
   where user_id = $1 and account_id = $2 and status = 'published' and parser_version = $5 and bytes = $3
     and (inner_crc32 = $4 or inner_crc32 is null))
