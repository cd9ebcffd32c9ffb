-- A document may lie in an archive with other files. The same document with more of them is another file.
alter table meta.import_file add column side_sha256 bytea not null default '';
comment on column meta.import_file.side_sha256 is 'SHA-256 over paths, sizes and checksums of the files beside the document that belong to it; empty: none.';
drop index meta.import_file_once;
create unique index import_file_once on meta.import_file (user_id, account_id, inner_sha256, side_sha256, parser_version) where status <> 'withdrawn';
