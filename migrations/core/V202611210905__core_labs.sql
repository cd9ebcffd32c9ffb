-- Schema canonical, third part: laboratory results, reports, other observations, documents.
-- A value as sent stands beside the value as understood; numbers as sent are numeric, so that 7.40 keeps its digits.

create table canonical.lab_results (
  user_id             bigint not null,
  lab_id              uuid not null,
  report_id           uuid,
  panel_name          text,
  accession           text,
  test_name           text not null,
  analyte_code        text,
  loinc               text,
  loinc_origin        text check (loinc_origin in ('source','mapped')),
  codings             jsonb,
  mapping_method      text check (mapping_method in ('loinc','alternate','local_code','name_unit','user','none')),
  mapping_confidence  real,
  collected_at        timestamptz,
  resulted_at         timestamptz,
  local_date          date not null,
  value_kind          text not null check (value_kind in ('numeric','range','titer','code','text','absent')),
  value_num           numeric,
  comparator          text check (comparator in ('<','<=','>','>=')),
  value_hi            numeric,
  value_code          text,
  value_raw           text,
  unit_raw            text,
  unit_ucum           text,
  value_canonical     double precision,
  unit_canonical      text,
  ref_low             numeric,
  ref_high            numeric,
  ref_low_incl        boolean,
  ref_high_incl       boolean,
  ref_text            text,
  ref_all             jsonb,
  flag                text check (flag in ('N','L','H','LL','HH','A','AA','S','I','R','POS','NEG','IND')),
  flag_raw            text,
  flag_origin         text check (flag_origin in ('source','computed')),
  status              text not null check (status in ('registered','preliminary','final','amended','corrected','cancelled','entered_in_error','unknown')),
  absent_reason       text,
  specimen            text,
  fasting             boolean,
  method              text,
  performing_lab      text,
  ordered_by          text,
  note                text,
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
  primary key (user_id, lab_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
create index labs_analyte_idx on canonical.lab_results (user_id, analyte_code, collected_at) where retired_at is null;
create index labs_report_idx on canonical.lab_results (user_id, report_id);
comment on table canonical.lab_results is 'One reported component of one laboratory report.';
comment on column canonical.lab_results.lab_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.lab_results.report_id is 'The report (canonical.diagnostic_reports); null: none, or not held.';
comment on column canonical.lab_results.panel_name is 'Panel it was ordered in, as printed; null: none.';
comment on column canonical.lab_results.accession is 'The laboratory''s number of the specimen or order; null: not sent.';
comment on column canonical.lab_results.test_name is 'Name of the test, as printed.';
comment on column canonical.lab_results.analyte_code is 'What was measured, in the dictionary of analytes; null: not mapped.';
comment on column canonical.lab_results.loinc is 'LOINC code, as received or else from the mapping; null: none.';
comment on column canonical.lab_results.loinc_origin is 'source (as received) | mapped (ours); null: no code.';
comment on column canonical.lab_results.codings is 'All codes as sent; null: none.';
comment on column canonical.lab_results.mapping_method is 'How analyte_code was found: loinc | alternate | local_code | name_unit | user | none. Null: not tried.';
comment on column canonical.lab_results.mapping_confidence is 'How sure the mapping is, 0 to 1; null: not mapped.';
comment on column canonical.lab_results.collected_at is 'When the specimen was taken; null: not known.';
comment on column canonical.lab_results.resulted_at is 'When the result was reported; null: not known.';
comment on column canonical.lab_results.local_date is 'Date of collection, else of the result.';
comment on column canonical.lab_results.value_kind is 'numeric | range | titer | code | text | absent: how to read the value.';
comment on column canonical.lab_results.value_num is 'The number as sent, in unit_raw; of a range, its lower end. Null: not a number.';
comment on column canonical.lab_results.comparator is '< | <= | > | >=: the true value lies on that side of value_num. Null: equal.';
comment on column canonical.lab_results.value_hi is 'Upper end of a range; null: not a range.';
comment on column canonical.lab_results.value_code is 'Coded result; null: not coded.';
comment on column canonical.lab_results.value_raw is 'The result exactly as sent, digits kept; null: absent.';
comment on column canonical.lab_results.unit_raw is 'Unit as sent; null: none sent.';
comment on column canonical.lab_results.unit_ucum is 'Unit as sent, in UCUM; null: none, or not recognised.';
comment on column canonical.lab_results.value_canonical is 'The number in unit_canonical, the unit of the analyte; null: not mapped or not convertible.';
comment on column canonical.lab_results.unit_canonical is 'Unit of value_canonical, UCUM; null: no converted value.';
comment on column canonical.lab_results.ref_low is 'Lower end of the reference range, in unit_raw; null: none.';
comment on column canonical.lab_results.ref_high is 'Upper end of the reference range, in unit_raw; null: none.';
comment on column canonical.lab_results.ref_low_incl is 'Whether ref_low itself is within the range; null: not said.';
comment on column canonical.lab_results.ref_high_incl is 'Whether ref_high itself is within the range; null: not said.';
comment on column canonical.lab_results.ref_text is 'The reference range as printed; null: none.';
comment on column canonical.lab_results.ref_all is 'All reference ranges as sent, where there are several; null: one or none.';
comment on column canonical.lab_results.flag is 'Interpretation: N normal, L and H low and high, LL and HH critically so, A and AA abnormal, S I R susceptibility, POS NEG IND. Null: none.';
comment on column canonical.lab_results.flag_raw is 'Interpretation as sent; null: none.';
comment on column canonical.lab_results.flag_origin is 'source | computed (ours, from the range); null: no flag.';
comment on column canonical.lab_results.status is 'registered | preliminary | final | amended | corrected | cancelled | entered_in_error | unknown.';
comment on column canonical.lab_results.absent_reason is 'Why there is no value, as sent; null: there is one, or no reason is given.';
comment on column canonical.lab_results.specimen is 'Specimen, as sent; null: not sent.';
comment on column canonical.lab_results.fasting is 'Taken fasting; null: not known.';
comment on column canonical.lab_results.method is 'Method, as sent; null: not sent.';
comment on column canonical.lab_results.performing_lab is 'Laboratory that did it; null: not sent.';
comment on column canonical.lab_results.ordered_by is 'Who ordered it; null: not sent.';
comment on column canonical.lab_results.note is 'Comment of the laboratory; null: none.';

create table canonical.diagnostic_reports (
  user_id             bigint not null,
  report_id           uuid not null,
  category            text,
  name                text not null,
  loinc               text,
  codings             jsonb,
  status              text not null,
  effective_at        timestamptz,
  issued_at           timestamptz,
  local_date          date not null,
  conclusion          text,
  performer           text,
  document_source_ids text[] not null default '{}',
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
  primary key (user_id, report_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.diagnostic_reports is 'One report: a panel, an imaging study, a pathology report.';
comment on column canonical.diagnostic_reports.report_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.diagnostic_reports.category is 'Kind of report, as sent; null: not sent.';
comment on column canonical.diagnostic_reports.name is 'Name of the report.';
comment on column canonical.diagnostic_reports.loinc is 'LOINC code as sent; null: none.';
comment on column canonical.diagnostic_reports.codings is 'All codes as sent; null: none.';
comment on column canonical.diagnostic_reports.status is 'Status as sent.';
comment on column canonical.diagnostic_reports.effective_at is 'Time that the findings are of; null: not known.';
comment on column canonical.diagnostic_reports.issued_at is 'When it was issued; null: not known.';
comment on column canonical.diagnostic_reports.local_date is 'Date of the findings, else of issue.';
comment on column canonical.diagnostic_reports.conclusion is 'Conclusion or impression, as written; null: none.';
comment on column canonical.diagnostic_reports.performer is 'Who made it; null: not sent.';
comment on column canonical.diagnostic_reports.document_source_ids is 'Raw ids of the documents that hold it in full.';

create table canonical.observations (
  user_id             bigint not null,
  observation_id      uuid not null,
  category            text not null,
  name                text not null,
  loinc               text,
  codings             jsonb,
  observed_at         timestamptz,
  local_date          date,
  value_kind          text not null check (value_kind in ('numeric','code','text','boolean','absent','group')),
  value_num           numeric,
  value_code          text,
  value_raw           text,
  unit_raw            text,
  unit_ucum           text,
  components          jsonb,
  status              text not null,
  note                text,
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
  primary key (user_id, observation_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.observations is 'One observation that is neither a lab result nor a vital: smoking status, totals of questionnaires, social history, ECG readings.';
comment on column canonical.observations.observation_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.observations.category is 'Kind of observation, as sent.';
comment on column canonical.observations.name is 'What was observed.';
comment on column canonical.observations.loinc is 'LOINC code as sent; null: none.';
comment on column canonical.observations.codings is 'All codes as sent; null: none.';
comment on column canonical.observations.observed_at is 'When; null: not known.';
comment on column canonical.observations.value_kind is 'numeric | code | text | boolean | absent | group (the components are the value).';
comment on column canonical.observations.value_num is 'The number as sent, in unit_raw; null: not a number.';
comment on column canonical.observations.value_code is 'Coded value; null: not coded.';
comment on column canonical.observations.value_raw is 'The value as sent; null: absent or a group.';
comment on column canonical.observations.unit_raw is 'Unit as sent; null: none.';
comment on column canonical.observations.unit_ucum is 'Unit in UCUM; null: none, or not recognised.';
comment on column canonical.observations.components is 'Parts of the observation, as sent; null: none.';
comment on column canonical.observations.status is 'Status as sent.';
comment on column canonical.observations.note is 'Comment; null: none.';

create table canonical.documents (
  user_id             bigint not null,
  document_id         uuid not null,
  title               text,
  type_text           text,
  loinc               text,
  category            text,
  status              text,
  created_on          timestamptz,
  local_date          date,
  author              text,
  mime_type           text,
  content_sha256      bytea,
  content_bytes       bigint,
  text_content        text,
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
  primary key (user_id, document_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.documents is 'One document; its bytes are in the content store on disk.';
comment on column canonical.documents.document_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.documents.title is 'Title; null: none.';
comment on column canonical.documents.type_text is 'Kind of document, as sent; null: not sent.';
comment on column canonical.documents.loinc is 'LOINC code of the kind; null: none.';
comment on column canonical.documents.category is 'Category, as sent; null: not sent.';
comment on column canonical.documents.status is 'Status as sent; null: not sent.';
comment on column canonical.documents.created_on is 'When it was written; null: not known.';
comment on column canonical.documents.author is 'Who wrote it; null: not sent.';
comment on column canonical.documents.mime_type is 'Type of the content; null: not known.';
comment on column canonical.documents.content_sha256 is 'SHA-256 of the content, its name in the content store; null: the content is not held.';
comment on column canonical.documents.content_bytes is 'Size of the content in bytes; null: not held.';
comment on column canonical.documents.text_content is 'Text of the document; null: not extracted.';
