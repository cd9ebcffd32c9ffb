-- A file whose deletions were held back says so again, until a person accepts them or a newer file comes. A file keeps its place among the others
-- when it is read again.
alter table meta.import_file add column held_back bigint;
comment on column meta.import_file.held_back is 'Known records that it lacks and that were not marked as gone, since they were too many to be believed; null: not known.';
comment on column meta.import_file.run_id is 'Run that published it first, else the one that last worked on it.';
