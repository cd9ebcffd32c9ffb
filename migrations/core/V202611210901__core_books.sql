-- Schema meta, second part: the books of the engine. What was tried, what is completely held, what could not be used, how far models have read.
create table meta.import_runs (
  user_id        bigint not null,
  run_id         bigint not null,
  account_id     bigint,
  kind           text not null check (kind in ('ingest','import','transform','reprocess')),
  started_at     timestamptz not null,
  finished_at    timestamptz,
  status         text not null default 'running' check (status in ('running','done','partial','failed','interrupted','fenced')),
  exit_code      smallint,
  error          text,
  fence          bigint,
  app_version    text not null,
  schema_version bigint,
  complete_scope jsonb not null default '[]',
  counts         jsonb not null default '{}',
  primary key (user_id, run_id)
);
comment on table meta.import_runs is 'One run: one attempt at one account, or at the models alone.';
comment on column meta.import_runs.run_id is 'Number of the run, ascending per person.';
comment on column meta.import_runs.account_id is 'Account the run was for (meta.source_accounts); null: models over several accounts.';
comment on column meta.import_runs.kind is 'ingest (API) | import (file) | transform (models) | reprocess (models from the beginning).';
comment on column meta.import_runs.started_at is 'When it began.';
comment on column meta.import_runs.finished_at is 'When it ended; null: still running, or killed.';
comment on column meta.import_runs.status is 'running | done | partial | failed | interrupted | fenced (a later run took the account over).';
comment on column meta.import_runs.exit_code is 'Outcome as an exit code of the program; null: not finished.';
comment on column meta.import_runs.error is 'What went wrong, cleaned: never a value, a token or an address with a query. Null: nothing.';
comment on column meta.import_runs.fence is 'Fence of the account that the run held (source_accounts.fence); null: it took no account.';
comment on column meta.import_runs.app_version is 'Version of the program.';
comment on column meta.import_runs.schema_version is 'Newest migration at the time; null: not known.';
comment on column meta.import_runs.complete_scope is 'What was read to the end, [{resource, from, to}]: only there may rows be retired.';
comment on column meta.import_runs.counts is 'Per resource and model: pages, fetched, new, changed, same, rejected, retired.';

create table meta.coverage (
  user_id       bigint not null,
  account_id    bigint not null,
  resource      text not null,
  covered       tstzmultirange not null default '{}',
  open_slice    jsonb,
  run_id        bigint not null,
  primary key (user_id, account_id, resource)
);
comment on table meta.coverage is 'One resource of one account: the times it is completely held for. Committed together with the rows.';
comment on column meta.coverage.resource is 'Resource of the source, which is also the name of its raw table.';
comment on column meta.coverage.covered is 'Closed slices; what is missing between them is a gap.';
comment on column meta.coverage.open_slice is 'The slice being read, {from, to, page_token, seen_tokens_hash}; null: none.';
comment on column meta.coverage.run_id is 'Run that last changed the row.';

create table meta.import_file (
  user_id        bigint not null,
  file_id        bigint not null,
  account_id     bigint not null,
  run_id         bigint not null,
  file_name      text,
  sha256         bytea,
  inner_sha256   bytea,
  bytes          bigint,
  parser_version integer not null,
  mode           text not null default 'complete' check (mode in ('complete','truncated')),
  status         text not null check (status in ('scanning','loading','published','failed','withdrawn')),
  resume         jsonb,
  seen           bigint,
  loaded         bigint,
  rejected       bigint,
  primary key (user_id, file_id)
);
create unique index import_file_once on meta.import_file (user_id, account_id, inner_sha256, parser_version) where status <> 'withdrawn';
comment on table meta.import_file is 'One file at one version of its parser; its rows count only once it is published.';
comment on column meta.import_file.file_id is 'Number of the file, ascending per person.';
comment on column meta.import_file.run_id is 'Run that last worked on it.';
comment on column meta.import_file.file_name is 'Name of the file without its folder; null: standard input.';
comment on column meta.import_file.sha256 is 'SHA-256 of the file; null: not read to the end yet.';
comment on column meta.import_file.inner_sha256 is 'SHA-256 of the main document in an archive, so that a re-zipped export is the same file; null: not read to the end yet.';
comment on column meta.import_file.bytes is 'Size in bytes; null: not known (standard input).';
comment on column meta.import_file.parser_version is 'Version of the parser that read it.';
comment on column meta.import_file.mode is 'complete | truncated (cut short: no deletions are derived from it).';
comment on column meta.import_file.status is 'scanning | loading | published | failed | withdrawn.';
comment on column meta.import_file.resume is 'Where to go on after an interruption; null: from the beginning.';
comment on column meta.import_file.seen is 'Records seen; null: not counted yet.';
comment on column meta.import_file.loaded is 'Records stored; null: not counted yet.';
comment on column meta.import_file.rejected is 'Records that could not be used; null: not counted yet.';

create table meta.rejects (
  user_id         bigint not null,
  reject_id       bigint not null,
  account_id      bigint not null,
  resource        text not null,
  run_id          bigint not null,
  file_id         bigint,
  locator         jsonb not null,
  code            text not null,
  detail          text,
  payload         bytea,
  payload_hash    bytea not null,
  first_seen      timestamptz not null,
  last_seen       timestamptz not null,
  times           integer not null default 1,
  resolved_run_id bigint,
  primary key (user_id, reject_id),
  unique (user_id, account_id, resource, payload_hash, code)
);
comment on table meta.rejects is 'One record, or one row of a model, that could not be used; kept, so that nothing is lost silently.';
comment on column meta.rejects.reject_id is 'Number of the reject, ascending per person.';
comment on column meta.rejects.resource is 'Resource or raw table; for a row that canonical refused, the model.';
comment on column meta.rejects.run_id is 'Run that saw it last.';
comment on column meta.rejects.file_id is 'File it was in (meta.import_file); null: from an API.';
comment on column meta.rejects.locator is 'Where it was: {page, index} | {offset, line} | {bundle_path} | {raw_table, raw_source_id}.';
comment on column meta.rejects.code is 'Our rule, or the SQLSTATE of the database.';
comment on column meta.rejects.detail is 'Field and rule, never the value; null: the code says it all.';
comment on column meta.rejects.payload is 'The record as received; null: it is in the raw table.';
comment on column meta.rejects.payload_hash is 'SHA-256 of the record: a repeat is counted, not stored again.';
comment on column meta.rejects.first_seen is 'When it was first refused.';
comment on column meta.rejects.last_seen is 'When it was last refused.';
comment on column meta.rejects.times is 'How often it was refused.';
comment on column meta.rejects.resolved_run_id is 'Run that could use it after all; null: still open.';

create table meta.model_state (
  user_id       bigint not null,
  account_id    bigint not null default 0,
  model         text not null,
  text_hash     bytea not null,
  watermark     bigint not null default 0,
  run_id        bigint not null,
  primary key (user_id, account_id, model)
);
comment on table meta.model_state is 'One model on one account: how far it has read.';
comment on column meta.model_state.account_id is 'Account the model reads (meta.source_accounts); 0: a model over canonical tables.';
comment on column meta.model_state.model is 'Name of the model: whoop.sleep_sessions.';
comment on column meta.model_state.text_hash is 'SHA-256 of the model''s text: an edited model starts again.';
comment on column meta.model_state.watermark is 'Highest run_id of raw rows that it has read.';
comment on column meta.model_state.run_id is 'Run that last moved it.';

-- The list of applied migrations belongs to the migration runner, which makes it before the first of them; without the runner it is absent.
do $$
begin
  if to_regclass('meta.refinery_schema_history') is not null then
    comment on table meta.refinery_schema_history is 'One applied migration.';
    comment on column meta.refinery_schema_history.version is 'Stamp of the migration: year, month, day, hour, minute.';
    comment on column meta.refinery_schema_history.name is 'What the migration is about.';
    comment on column meta.refinery_schema_history.applied_on is 'When it was applied.';
    comment on column meta.refinery_schema_history.checksum is 'Digest of its text: an applied migration never changes.';
  end if;
end $$;
