-- An archive names the CRC-32 of what is in it: an archive with a known document is suspected before the document is read.
alter table meta.import_file add column inner_crc32 bigint;
comment on column meta.import_file.inner_crc32 is 'CRC-32 of the main document, as an archive names it; null: not read to the end yet.';
