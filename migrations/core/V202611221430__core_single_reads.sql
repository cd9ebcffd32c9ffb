-- What is read one record at a time, and what of an application's budget is used.
create table meta.single_reads (
  user_id     bigint not null,
  account_id  bigint not null,
  resource    text not null,
  source_id   text not null,
  version     text not null,
  run_id      bigint not null,
  primary key (user_id, account_id, resource, source_id)
);
comment on table meta.single_reads is 'One record that was asked for by itself, because records of another resource lead to it; also where the provider had nothing.';
comment on column meta.single_reads.user_id is 'The person (meta.users).';
comment on column meta.single_reads.account_id is 'The account of the person (meta.source_accounts).';
comment on column meta.single_reads.resource is 'Resource of the source, which is also the name of its raw table.';
comment on column meta.single_reads.source_id is 'Id that was asked for, as in the raw table.';
comment on column meta.single_reads.version is 'Version of what leads to it, when it was read: another one means that it is read again.';
comment on column meta.single_reads.run_id is 'Run that last read it (meta.import_runs).';

alter table meta.source_accounts add column quotas jsonb;
comment on column meta.source_accounts.quotas is 'What the last run knew of the provider''s request budgets, [{limit, used, until}]; null: the provider has none that outlast a run, or none was met.';
