-- Schema meta: the dictionaries, who and from where, the person's wishes, the engine's books.
-- The program creates schema meta before the first migration, because the list of applied migrations is kept there.
-- No sequences: user_id, account_id, device_id, run_id, file_id and reject_id are given by the program, highest + 1 per person, under a lock
-- on the person's row of meta.users. Every other key begins with user_id, so the schema can be distributed by it.
create schema if not exists meta;
comment on schema meta is 'Who, from where, dictionaries, wishes and the books of the engine. Never a secret.';

-- ---------- reference data, the same for every person ----------
create table meta.source_systems (
  source_system text primary key,
  kind          text not null check (kind in ('wearable','aggregator','ehr','lab','app','file','manual')),
  label         text not null
);
comment on table meta.source_systems is 'One source that data can come from.';
comment on column meta.source_systems.source_system is 'Id of the source, as in commands and in <source>_raw: whoop, apple_health, epic.';
comment on column meta.source_systems.kind is 'wearable | aggregator | ehr | lab | app | file | manual.';
comment on column meta.source_systems.label is 'Name to show.';

insert into meta.source_systems (source_system, kind, label) values
  ('whoop',         'wearable',   'WHOOP'),
  ('oura',          'wearable',   'Oura'),
  ('withings',      'wearable',   'Withings'),
  ('google_health', 'wearable',   'Google Health (Fitbit)'),
  ('google_fit',    'aggregator', 'Google Fit'),
  ('strava',        'app',        'Strava'),
  ('apple_health',  'aggregator', 'Apple Health'),
  ('myfitnesspal',  'app',        'MyFitnessPal'),
  ('cronometer',    'app',        'Cronometer'),
  ('epic',          'ehr',        'MyChart and other SMART on FHIR servers'),
  ('labs',          'lab',        'Laboratory reports'),
  ('csv',           'file',       'CSV files');

create table meta.metrics (
  metric_code      text primary key,
  category         text not null check (category in ('activity','sleep','workout','nutrition','body_composition','heart','vitals','recovery','mood','labs','reproductive','environment')),
  description      text not null,
  ucum             text not null,
  agg              text not null check (agg in ('sum','avg','min','max','last','none')),
  bounds           text not null check (bounds in ('point','interval','either')),
  plausible_lo     double precision,
  plausible_hi     double precision,
  loinc            text,
  loinc_check      text,
  loinc_alternates text[] not null default '{}'
);
comment on table meta.metrics is 'One kind of number: its unit, how it adds up, what is plausible. Filled by `health migrate` from the dictionary of the program; contains LOINC codes, see LOINC-NOTICE.txt.';
comment on column meta.metrics.metric_code is 'Code of the metric; never renamed.';
comment on column meta.metrics.category is 'Subject: the unit in which preferences are stated.';
comment on column meta.metrics.description is 'What is measured.';
comment on column meta.metrics.ucum is 'The one unit of value_num for this metric, in UCUM.';
comment on column meta.metrics.agg is 'How values of a day combine: sum | avg | min | max | last | none.';
comment on column meta.metrics.bounds is 'Whether a value belongs to a point in time, to an interval, or to either.';
comment on column meta.metrics.plausible_lo is 'Lowest plausible value; lower ones are flagged implausible, never deleted. Null: no bound.';
comment on column meta.metrics.plausible_hi is 'Highest plausible value; higher ones are flagged implausible, never deleted. Null: no bound.';
comment on column meta.metrics.loinc is 'LOINC code of the quantity; null: none known.';
comment on column meta.metrics.loinc_check is 'How the LOINC code was checked; null: no code.';
comment on column meta.metrics.loinc_alternates is 'Other LOINC codes of the same quantity; their unit may differ.';

-- ---------- who and from where ----------
create table meta.users (
  user_id       bigint primary key,
  label         text not null,
  home_tz       text not null default 'UTC',
  birth_date    date,
  sex_at_birth  text,
  created_at    timestamptz not null default now()
);
-- The one index that is not led by user_id: a label names one person on the command line. Citus refuses it, so it is dropped there before
-- meta.users is distributed; the program looks the label up under a lock in either case.
create unique index users_label_once on meta.users (label);
comment on table meta.users is 'One person.';
comment on column meta.users.user_id is 'Number of the person.';
comment on column meta.users.label is 'Name that --person takes; unique.';
comment on column meta.users.home_tz is 'IANA zone used where neither the record nor the account says one.';
comment on column meta.users.birth_date is 'Date of birth; null: not stated.';
comment on column meta.users.sex_at_birth is 'Sex at birth as stated by the person; null: not stated.';
comment on column meta.users.created_at is 'When the person was added.';

create table meta.source_accounts (
  user_id           bigint not null,
  account_id        bigint not null,
  source_system     text not null,
  external_user_id  text,
  label             text not null default 'default',
  base_url          text,
  default_tz        text,
  status            text not null default 'active' check (status in ('active','needs_auth','revoked','retired','paused','file')),
  connected_at      timestamptz,
  terms_accepted_at timestamptz,
  fence             bigint not null default 0,
  not_before        timestamptz,
  primary key (user_id, account_id),
  unique (user_id, source_system, label)
);
comment on table meta.source_accounts is 'One login at one source, or its files: the state of the connection, never a secret.';
comment on column meta.source_accounts.account_id is 'Number of the account, ascending per person.';
comment on column meta.source_accounts.external_user_id is 'The person''s id at the source (athlete id, Patient/<id>); null: not known yet.';
comment on column meta.source_accounts.label is 'Name of the account where a person has several at one source.';
comment on column meta.source_accounts.base_url is 'Address of the server where it belongs to the account (FHIR); null: the source''s own.';
comment on column meta.source_accounts.default_tz is 'IANA zone for times without one; null: the person''s home zone.';
comment on column meta.source_accounts.status is 'active | needs_auth (log in again) | revoked | retired (the provider ended it) | paused | file (no login, files only).';
comment on column meta.source_accounts.connected_at is 'When the login last succeeded; null: never.';
comment on column meta.source_accounts.terms_accepted_at is 'When the person accepted a notice about the provider''s terms; null: not asked, or not accepted.';
comment on column meta.source_accounts.fence is 'Number of the last run that took the account; each batch checks it under a row lock, so an overtaken run cannot write.';
comment on column meta.source_accounts.not_before is 'No request before this instant: a long Retry-After, honoured across runs. Null: none.';

create table meta.devices (
  user_id       bigint not null,
  device_id     bigint not null,
  account_id    bigint not null,
  device_key    text not null,
  device_type   text not null default 'unknown' check (device_type in ('watch','band','ring','phone','scale','cuff','cgm','chest_strap','bike_computer','clinic','other','manual','unknown')),
  maker         text,
  model         text,
  software      text,
  original_app  text,
  primary key (user_id, device_id),
  unique (user_id, account_id, device_key)
);
comment on table meta.devices is 'One device as one source names it.';
comment on column meta.devices.device_id is 'Number of the device, ascending per person.';
comment on column meta.devices.device_key is 'The provider''s id of the device, or a digest of maker, model and software.';
comment on column meta.devices.device_type is 'Kind of device; preferences may name it.';
comment on column meta.devices.maker is 'Manufacturer as sent; null: not sent.';
comment on column meta.devices.model is 'Model as sent; null: not sent.';
comment on column meta.devices.software is 'Version of the software as sent; null: not sent.';
comment on column meta.devices.original_app is 'The app that wrote the data into an aggregator; null: the source itself.';

-- ---------- wishes ----------
create table meta.preferences (
  user_id       bigint not null,
  category      text not null,
  metric_code   text not null default '*',
  valid_from    date not null default '-infinity',
  valid_to      date not null default 'infinity',
  rank          smallint not null check (rank >= 0),
  source_system text not null,
  device_type   text not null default '*',
  primary key (user_id, category, metric_code, valid_from, source_system, device_type)
);
comment on table meta.preferences is 'One wish: which source to believe for which subject; the api views obey.';
comment on column meta.preferences.category is 'Subject: metrics.category.';
comment on column meta.preferences.metric_code is 'The metric the wish is for; * for the whole category. A wish for a metric beats one for its category.';
comment on column meta.preferences.valid_from is 'First local date the wish holds for.';
comment on column meta.preferences.valid_to is 'First local date the wish no longer holds for.';
comment on column meta.preferences.rank is '1 is best; 0 means never use this source here.';
comment on column meta.preferences.device_type is 'Only data of this kind of device; * for any.';

create table meta.duplicate_links (
  user_id       bigint not null,
  entity        text not null,
  loser_id      uuid not null,
  winner_id     uuid not null,
  method        text not null,
  confidence    real not null check (confidence between 0 and 1),
  decided_by    text not null default 'rule' check (decided_by in ('rule','user')),
  primary key (user_id, entity, loser_id),
  check (loser_id <> winner_id)
);
comment on table meta.duplicate_links is 'One row of one source that repeats a row of another; api views hide the loser, nothing is deleted.';
comment on column meta.duplicate_links.entity is 'Canonical table of both rows.';
comment on column meta.duplicate_links.loser_id is 'Id of the row that is hidden.';
comment on column meta.duplicate_links.winner_id is 'Id of the row that is shown.';
comment on column meta.duplicate_links.method is 'Rule that linked them.';
comment on column meta.duplicate_links.confidence is 'How sure the rule is, 0 to 1.';
comment on column meta.duplicate_links.decided_by is 'rule | user; rules never change what the user decided.';
