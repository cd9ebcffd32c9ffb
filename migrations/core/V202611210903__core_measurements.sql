-- Schema canonical, first part: who the sources say it is, numbers, and the history of rows.
-- Numbers of many kinds go to narrow tables keyed by metric_code; concepts that are closed (a sleep, a workout) have tables of their own.
-- A number streamed by a device is a sample; a total or statistic of a day is a daily summary; a deliberate measurement, or the one value that a
-- wearable gives per night, is a vital. Blocks that all tables share (time, lineage, quality, life) are commented in core_comments.
create schema canonical;
comment on schema canonical is 'What the sources say, in one shape: each source keeps its own rows, nothing is merged. Made from raw by models, reproducible.';

create table canonical.user_identity (
  user_id          bigint not null,
  identity_id      uuid not null,
  external_user_id text not null,
  aliases          text[] not null default '{}',
  given_name       text,
  family_name      text,
  email            text,
  birth_date       date,
  sex              text,
  detail           jsonb,
  source_system    text not null,
  account_id       bigint not null,
  raw_table        text not null,
  raw_source_id    text not null,
  raw_path         text not null default '',
  raw_hash         bytea not null,
  run_id           bigint not null,
  mapping_version  text not null,
  quality          real not null default 1 check (quality between 0 and 1),
  flags            text[] not null default '{}',
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  retired_at       timestamptz,
  retired_reason   text check (retired_reason in ('entered_in_error','deleted_upstream','missing_upstream','superseded','user')),
  primary key (user_id, identity_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.user_identity is 'One identity of the person at one source: the bridge between its user id and ours.';
comment on column canonical.user_identity.identity_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.user_identity.external_user_id is 'The source''s id of the person, as text.';
comment on column canonical.user_identity.aliases is 'Earlier ids of the same person at this source.';
comment on column canonical.user_identity.given_name is 'Given name as sent; null: not sent.';
comment on column canonical.user_identity.family_name is 'Family name as sent; null: not sent.';
comment on column canonical.user_identity.email is 'Address as sent; null: not sent.';
comment on column canonical.user_identity.birth_date is 'Date of birth as sent; null: not sent.';
comment on column canonical.user_identity.sex is 'Sex or gender as the source words it; null: not sent.';
comment on column canonical.user_identity.detail is 'What else the source says about the person; null: nothing.';

create table canonical.sample_values (
  user_id         bigint not null,
  metric_code     text not null,
  start_at        timestamptz not null,
  end_at          timestamptz,
  sample_key      bytea not null,
  device_id       bigint,
  local_date      date not null,
  value_num       double precision,
  value_code      text,
  unit_raw        text,
  value_raw       text,
  context         jsonb,
  utc_offset_s    integer check (utc_offset_s between -64800 and 64800),
  tz_name         text,
  tz_basis        text not null default 'none' check (tz_basis in ('record','device','account','home','none')),
  time_precision  text not null default 'second' check (time_precision in ('year','month','day','minute','second','ms')),
  source_system   text not null,
  account_id      bigint not null,
  raw_table       text not null,
  raw_source_id   text not null,
  raw_path        text not null default '',
  raw_hash        bytea not null,
  run_id          bigint not null,
  mapping_version text not null,
  quality         real not null default 1 check (quality between 0 and 1),
  flags           text[] not null default '{}',
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  retired_at      timestamptz,
  retired_reason  text check (retired_reason in ('entered_in_error','deleted_upstream','missing_upstream','superseded','user')),
  primary key (user_id, metric_code, start_at, sample_key),
  check (value_num is not null or value_code is not null)
);
create index sample_values_day_idx on canonical.sample_values (user_id, metric_code, local_date) where retired_at is null;
create index sample_values_lineage_idx on canonical.sample_values (user_id, raw_table, raw_source_id);
comment on table canonical.sample_values is 'One device reading or one interval total of a source whose readings models write. Read canonical.samples, which shows these and the readings that stay in raw.';
comment on column canonical.sample_values.start_at is 'Instant of the reading, or start of the interval.';
comment on column canonical.sample_values.end_at is 'End of the interval; null: a point in time.';
comment on column canonical.sample_values.sample_key is 'First 16 bytes of a digest of source, account, raw id and path: two devices, or two values in one second, stay apart.';
comment on column canonical.sample_values.value_num is 'Value in the unit of the metric (meta.metrics.ucum); null: a coded value.';
comment on column canonical.sample_values.value_code is 'Coded value (menstrual flow: light, heavy); null: a number.';
comment on column canonical.sample_values.unit_raw is 'Unit as sent; null: none sent, or the source''s documentation fixes it.';
comment on column canonical.sample_values.value_raw is 'Value as sent, digits kept; null: the same as value_num.';
comment on column canonical.sample_values.context is 'Circumstances as sent: posture, relation to a meal, motion, sampling interval. Null: none sent.';

-- A source whose raw records are one reading each is shown from where they are: its migration adds them to this view, with the same columns.
create view canonical.samples with (security_invoker = true) as
select * from canonical.sample_values;
comment on view canonical.samples is 'One device reading or one interval total, as the source recorded it: rows that models wrote (sample_values), and raw records that are readings already. Series denser than one value a minute are in sample_points; api.samples shows both.';

create table canonical.sample_origins (
  user_id         bigint not null,
  origin_id       uuid not null,
  device_id       bigint,
  utc_offset_s    integer check (utc_offset_s between -64800 and 64800),
  tz_name         text,
  tz_basis        text not null default 'none' check (tz_basis in ('record','device','account','home','none')),
  time_precision  text not null default 'second' check (time_precision in ('year','month','day','minute','second','ms')),
  source_system   text not null,
  account_id      bigint not null,
  raw_table       text not null,
  raw_source_id   text not null,
  raw_path        text not null default '',
  raw_hash        bytea not null,
  run_id          bigint not null,
  mapping_version text not null,
  quality         real not null default 1 check (quality between 0 and 1),
  flags           text[] not null default '{}',
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  retired_at      timestamptz,
  retired_reason  text check (retired_reason in ('entered_in_error','deleted_upstream','missing_upstream','superseded','user')),
  primary key (user_id, origin_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.sample_origins is 'One raw record that carries a series: the lineage of its sample_points, once.';
comment on column canonical.sample_origins.origin_id is 'Id of the row, digest of its lineage key.';

create table canonical.sample_points (
  user_id     bigint not null,
  metric_code text not null,
  start_at    timestamptz not null,
  end_at      timestamptz,
  origin_id   uuid not null,
  seq         integer not null,
  local_date  date not null,
  value_num   double precision,
  value_code  text,
  primary key (user_id, metric_code, start_at, origin_id, seq),
  check (value_num is not null or value_code is not null)
);
create index sample_points_day_idx on canonical.sample_points (user_id, metric_code, local_date);
comment on table canonical.sample_points is 'One value of a series; its source, device, offset and lineage are those of its sample_origins row.';
comment on column canonical.sample_points.start_at is 'Instant of the value, or start of its interval.';
comment on column canonical.sample_points.end_at is 'End of the interval; null: a point in time.';
comment on column canonical.sample_points.origin_id is 'The record it came in (canonical.sample_origins).';
comment on column canonical.sample_points.seq is 'Place in the series, from 0.';
comment on column canonical.sample_points.value_num is 'Value in the unit of the metric (meta.metrics.ucum); null: a coded value.';
comment on column canonical.sample_points.value_code is 'Coded value; null: a number.';

create table canonical.daily_summaries (
  user_id         bigint not null,
  local_date      date not null,
  metric_code     text not null,
  stat            text not null check (stat in ('total','avg','min','max','last','resting')),
  origin          text not null check (origin in ('provider','computed')),
  device_key      text not null default '',
  device_type     text not null default 'unknown',
  value_num       double precision,
  unit_raw        text,
  coverage_s      integer,
  is_partial      boolean not null default false,
  utc_offset_s    integer,
  tz_name         text,
  source_system   text not null,
  account_id      bigint not null,
  raw_table       text not null,
  raw_source_id   text not null,
  raw_path        text not null default '',
  raw_hash        bytea not null,
  run_id          bigint not null,
  mapping_version text not null,
  quality         real not null default 1 check (quality between 0 and 1),
  flags           text[] not null default '{}',
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  retired_at      timestamptz,
  retired_reason  text check (retired_reason in ('entered_in_error','deleted_upstream','missing_upstream','superseded','user')),
  primary key (user_id, local_date, metric_code, source_system, account_id, device_key, stat, origin)
);
create index daily_by_metric_idx on canonical.daily_summaries (user_id, metric_code, local_date) where retired_at is null;
comment on table canonical.daily_summaries is 'One number of one local day: per metric, source, account, device and statistic. Days are those of the source, never shifted.';
comment on column canonical.daily_summaries.local_date is 'The day, as the source dates it; for WHOOP the waking day of the cycle.';
comment on column canonical.daily_summaries.stat is 'total | avg | min | max | last | resting: what the number is of the day.';
comment on column canonical.daily_summaries.origin is 'provider (the source''s own figure) | computed (ours, from samples).';
comment on column canonical.daily_summaries.device_key is 'Device the figure is for, as in meta.devices; '''' for the whole source.';
comment on column canonical.daily_summaries.device_type is 'Kind of device, as in meta.devices; unknown where the source does not say.';
comment on column canonical.daily_summaries.value_num is 'Value in the unit of the metric (meta.metrics.ucum); null: the source says there is none.';
comment on column canonical.daily_summaries.unit_raw is 'Unit as sent; null: none sent.';
comment on column canonical.daily_summaries.coverage_s is 'Seconds of the day with data; null: not known.';
comment on column canonical.daily_summaries.is_partial is 'The day was not over, or only a part of it could be counted.';
comment on column canonical.daily_summaries.utc_offset_s is 'Seconds east of UTC that make the day; null: not known.';
comment on column canonical.daily_summaries.tz_name is 'IANA zone of the day, where known.';

create table canonical.biometrics_vitals (
  user_id             bigint not null,
  vital_id            uuid not null,
  event_id            uuid not null,
  metric_code         text,
  device_id           bigint,
  observed_at         timestamptz,
  end_at              timestamptz,
  local_date          date not null,
  value_num           double precision,
  value_code          text,
  value_raw           text,
  unit_raw            text,
  comparator          text check (comparator in ('<','<=','>','>=')),
  loinc               text,
  codings             jsonb,
  body_site           text,
  posture             text,
  method              text,
  is_self_reported    boolean,
  status              text not null default 'final',
  encounter_source_id text,
  utc_offset_s        integer check (utc_offset_s between -64800 and 64800),
  tz_name             text,
  tz_basis            text not null default 'none' check (tz_basis in ('record','device','account','home','none')),
  time_precision      text not null default 'second' check (time_precision in ('year','month','day','minute','second','ms')),
  source_system       text not null,
  account_id          bigint not null,
  raw_table           text not null,
  raw_source_id       text not null,
  raw_path            text not null default '',
  raw_hash            bytea not null,
  run_id              bigint not null,
  mapping_version     text not null,
  quality             real not null default 1 check (quality between 0 and 1),
  flags               text[] not null default '{}',
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  retired_at          timestamptz,
  retired_reason      text check (retired_reason in ('entered_in_error','deleted_upstream','missing_upstream','superseded','user')),
  primary key (user_id, vital_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
create index vitals_metric_idx on canonical.biometrics_vitals (user_id, metric_code, local_date) where retired_at is null;
create index vitals_event_idx on canonical.biometrics_vitals (user_id, event_id);
comment on table canonical.biometrics_vitals is 'One reading of one metric: a spot measurement (clinic, cuff, scale), or the one value a wearable gives per night (resting heart rate, HRV, SpO2, skin temperature, respiratory rate).';
comment on column canonical.biometrics_vitals.vital_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.biometrics_vitals.event_id is 'Readings taken together share it: the two pressures of one cuff reading, the values of one weigh-in or night.';
comment on column canonical.biometrics_vitals.metric_code is 'What was measured (meta.metrics); null: not in the dictionary, see loinc and codings.';
comment on column canonical.biometrics_vitals.observed_at is 'Instant of the reading, or its start; null: only the day is known. With time_precision day or coarser, never show the clock time.';
comment on column canonical.biometrics_vitals.end_at is 'End of the interval measured over; null: a point in time.';
comment on column canonical.biometrics_vitals.value_num is 'Value in the unit of the metric (meta.metrics.ucum); null: not a number, or its unit could not be converted.';
comment on column canonical.biometrics_vitals.value_code is 'Coded value; null: a number.';
comment on column canonical.biometrics_vitals.value_raw is 'Value as sent, digits kept.';
comment on column canonical.biometrics_vitals.unit_raw is 'Unit as sent, or as the source''s documentation fixes it; null: none.';
comment on column canonical.biometrics_vitals.comparator is '< | <= | > | >=: the true value lies on that side of value_num. Null: equal.';
comment on column canonical.biometrics_vitals.loinc is 'LOINC code as sent; null: none sent.';
comment on column canonical.biometrics_vitals.codings is 'All codes as sent; null: none.';
comment on column canonical.biometrics_vitals.body_site is 'Where on the body, as sent; null: not sent.';
comment on column canonical.biometrics_vitals.posture is 'Posture, as sent; null: not sent.';
comment on column canonical.biometrics_vitals.method is 'How it was measured, as sent; null: not sent.';
comment on column canonical.biometrics_vitals.is_self_reported is 'Typed in by the person and not measured by a device; null: not known.';
comment on column canonical.biometrics_vitals.status is 'Status of the reading as the source gives it; final unless it says otherwise.';

create table canonical.row_history (
  user_id    bigint not null,
  entity     text not null,
  entity_id  text not null,
  version    integer not null,
  valid_from timestamptz not null,
  valid_to   timestamptz not null,
  row_data   jsonb not null,
  raw_hash   bytea not null,
  run_id     bigint not null,
  primary key (user_id, entity, entity_id, version)
);
comment on table canonical.row_history is 'One earlier state of a canonical row, copied before it was changed. Not kept for samples, series and daily_summaries.';
comment on column canonical.row_history.entity is 'Canonical table of the row.';
comment on column canonical.row_history.entity_id is 'Id of the row, as text.';
comment on column canonical.row_history.version is '1, 2, 3 ...: oldest first.';
comment on column canonical.row_history.valid_from is 'When this state was written.';
comment on column canonical.row_history.valid_to is 'When it was replaced.';
comment on column canonical.row_history.row_data is 'The whole row as it was.';
comment on column canonical.row_history.raw_hash is 'SHA-256 of the raw version this state was made from.';
comment on column canonical.row_history.run_id is 'Run that replaced it.';
