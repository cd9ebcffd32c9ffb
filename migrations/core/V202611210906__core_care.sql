-- Schema canonical, fourth part: the clinical record. Partial dates carry their precision: the 1st is never filled in as if it were known.

create table canonical.conditions (
  user_id             bigint not null,
  condition_id        uuid not null,
  name                text not null,
  category            text check (category in ('problem_list','encounter_diagnosis','health_concern','medical_history','other')),
  icd10               text,
  snomed              text,
  codings             jsonb,
  clinical_status     text check (clinical_status in ('active','recurrence','relapse','inactive','remission','resolved','unknown')),
  verification_status text,
  is_negated          boolean not null default false,
  severity            text,
  onset_date          date,
  onset_precision     text check (onset_precision in ('year','month','day')),
  onset_text          text,
  abatement_date      date,
  abatement_precision text check (abatement_precision in ('year','month','day')),
  abatement_text      text,
  recorded_at         timestamptz,
  recorder            text,
  note                text,
  encounter_source_id text,
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
  primary key (user_id, condition_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.conditions is 'One entry of a problem, diagnosis or health concern; the same diagnosis may stand in several entries.';
comment on column canonical.conditions.condition_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.conditions.name is 'Name of the condition.';
comment on column canonical.conditions.category is 'problem_list | encounter_diagnosis | health_concern | medical_history | other; null: not sent.';
comment on column canonical.conditions.icd10 is 'ICD-10 code as sent; null: none.';
comment on column canonical.conditions.snomed is 'SNOMED CT code as sent; null: none.';
comment on column canonical.conditions.codings is 'All codes as sent; null: none.';
comment on column canonical.conditions.clinical_status is 'active | recurrence | relapse | inactive | remission | resolved | unknown; null: not sent.';
comment on column canonical.conditions.verification_status is 'Certainty, as sent; null: not sent.';
comment on column canonical.conditions.is_negated is 'The entry denies it: "no known ..." is not a diagnosis.';
comment on column canonical.conditions.severity is 'Severity, as sent; null: not sent.';
comment on column canonical.conditions.onset_date is 'First day of the period of onset that is known; null: not known.';
comment on column canonical.conditions.onset_precision is 'year | month | day: how much of onset_date is known; null: no date.';
comment on column canonical.conditions.onset_text is 'Onset in words or as an age; null: none.';
comment on column canonical.conditions.abatement_date is 'First day of the period of its end that is known; null: not known, or not ended.';
comment on column canonical.conditions.abatement_precision is 'year | month | day: how much of abatement_date is known; null: no date.';
comment on column canonical.conditions.abatement_text is 'End in words or as an age; null: none.';
comment on column canonical.conditions.recorded_at is 'When it was recorded; null: not known.';
comment on column canonical.conditions.recorder is 'Who recorded it; null: not sent.';
comment on column canonical.conditions.note is 'Comment; null: none.';

create table canonical.medications (
  user_id             bigint not null,
  medication_id       uuid not null,
  record_kind         text not null check (record_kind in ('order','statement','dispense','administration','intake')),
  name                text not null,
  rxnorm              text,
  ndc                 text,
  codings             jsonb,
  status              text,
  intent              text,
  is_negated          boolean not null default false,
  dose_num            numeric,
  dose_unit           text,
  form                text,
  strength            text,
  route               text,
  times_per_day       numeric,
  as_needed           boolean,
  sig_text            text,
  reason              text,
  start_date          date,
  start_precision     text check (start_precision in ('year','month','day')),
  end_date            date,
  end_precision       text check (end_precision in ('year','month','day')),
  event_at            timestamptz,
  quantity            numeric,
  quantity_unit       text,
  refills             integer,
  days_supply         numeric,
  prescriber          text,
  pharmacy            text,
  note                text,
  encounter_source_id text,
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
  primary key (user_id, medication_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.medications is 'One order, statement, dispense, administration or logged intake of a medicine.';
comment on column canonical.medications.medication_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.medications.record_kind is 'order | statement | dispense | administration | intake.';
comment on column canonical.medications.name is 'Name of the medicine, as sent.';
comment on column canonical.medications.rxnorm is 'RxNorm code as sent; null: none.';
comment on column canonical.medications.ndc is 'NDC code as sent; null: none.';
comment on column canonical.medications.codings is 'All codes as sent; null: none.';
comment on column canonical.medications.status is 'Status as sent; null: not sent.';
comment on column canonical.medications.intent is 'Intent as sent (order, plan ...); null: not sent.';
comment on column canonical.medications.is_negated is 'The entry says it is not taken.';
comment on column canonical.medications.dose_num is 'Dose in dose_unit; null: not structured.';
comment on column canonical.medications.dose_unit is 'Unit of the dose; null: not structured.';
comment on column canonical.medications.form is 'Form (tablet ...); null: not sent.';
comment on column canonical.medications.strength is 'Strength as sent; null: not sent.';
comment on column canonical.medications.route is 'Route as sent; null: not sent.';
comment on column canonical.medications.times_per_day is 'Doses a day; null: not structured.';
comment on column canonical.medications.as_needed is 'Taken as needed; null: not said.';
comment on column canonical.medications.sig_text is 'Instructions, as written; null: none.';
comment on column canonical.medications.reason is 'What for, as sent; null: not sent.';
comment on column canonical.medications.start_date is 'First day of the period of the start that is known; null: not known.';
comment on column canonical.medications.start_precision is 'year | month | day: how much of start_date is known; null: no date.';
comment on column canonical.medications.end_date is 'First day of the period of the end that is known; null: not known, or not ended.';
comment on column canonical.medications.end_precision is 'year | month | day: how much of end_date is known; null: no date.';
comment on column canonical.medications.event_at is 'Instant of the dispense, administration or intake; null: not one, or not known.';
comment on column canonical.medications.quantity is 'Quantity in quantity_unit; null: not sent.';
comment on column canonical.medications.quantity_unit is 'Unit of the quantity; null: not sent.';
comment on column canonical.medications.refills is 'Refills allowed; null: not sent.';
comment on column canonical.medications.days_supply is 'Days that the quantity lasts; null: not sent.';
comment on column canonical.medications.prescriber is 'Who prescribed it; null: not sent.';
comment on column canonical.medications.pharmacy is 'Who dispensed it; null: not sent.';
comment on column canonical.medications.note is 'Comment; null: none.';

create table canonical.encounters (
  user_id               bigint not null,
  encounter_id          uuid not null,
  class                 text check (class in ('ambulatory','emergency','inpatient','observation','virtual','home','other','unknown')),
  class_raw             text,
  type_text             text,
  codings               jsonb,
  status                text,
  start_at              timestamptz,
  end_at                timestamptz,
  local_date            date,
  reason                text,
  diagnoses             jsonb,
  provider              text,
  facility              text,
  discharge_disposition text,
  part_of_source_id     text,
  utc_offset_s          integer check (utc_offset_s between -64800 and 64800),
  tz_name               text,
  tz_basis              text not null default 'none' check (tz_basis in ('record','device','account','home','none')),
  time_precision        text not null default 'second' check (time_precision in ('year','month','day','minute','second','ms')),
  source_system         text not null,
  account_id            bigint not null,
  raw_table             text not null,
  raw_source_id         text not null,
  raw_path              text not null default '',
  raw_hash              bytea not null,
  run_id                bigint not null,
  mapping_version       text not null,
  quality               real not null default 1 check (quality between 0 and 1),
  flags                 text[] not null default '{}',
  created_at            timestamptz not null default now(),
  updated_at            timestamptz not null default now(),
  retired_at            timestamptz,
  retired_reason        text check (retired_reason in ('entered_in_error','deleted_upstream','missing_upstream','superseded','user')),
  primary key (user_id, encounter_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.encounters is 'One contact with care.';
comment on column canonical.encounters.encounter_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.encounters.class is 'ambulatory | emergency | inpatient | observation | virtual | home | other | unknown; null: not sent.';
comment on column canonical.encounters.class_raw is 'Class as sent; null: not sent.';
comment on column canonical.encounters.type_text is 'Kind of visit, as sent; null: not sent.';
comment on column canonical.encounters.codings is 'All codes as sent; null: none.';
comment on column canonical.encounters.status is 'Status as sent; null: not sent.';
comment on column canonical.encounters.start_at is 'Start; null: not known.';
comment on column canonical.encounters.end_at is 'End; null: not known, or not ended.';
comment on column canonical.encounters.local_date is 'Date at the start; null: not known.';
comment on column canonical.encounters.reason is 'Reason, as sent; null: not sent.';
comment on column canonical.encounters.diagnoses is 'Diagnoses as sent; null: none.';
comment on column canonical.encounters.provider is 'Who was seen; null: not sent.';
comment on column canonical.encounters.facility is 'Where; null: not sent.';
comment on column canonical.encounters.discharge_disposition is 'Where to after discharge, as sent; null: not sent.';
comment on column canonical.encounters.part_of_source_id is 'Raw id of the larger encounter it is part of; null: none.';

create table canonical.allergies (
  user_id             bigint not null,
  allergy_id          uuid not null,
  substance           text not null,
  codings             jsonb,
  kind                text check (kind in ('allergy','intolerance','unknown')),
  category            text,
  criticality         text,
  clinical_status     text,
  verification_status text,
  is_negated          boolean not null default false,
  reactions           jsonb,
  onset_date          date,
  onset_precision     text check (onset_precision in ('year','month','day')),
  recorded_at         timestamptz,
  note                text,
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
  primary key (user_id, allergy_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.allergies is 'One allergy or intolerance entry, "no known allergies" included.';
comment on column canonical.allergies.allergy_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.allergies.substance is 'What to, as sent.';
comment on column canonical.allergies.codings is 'All codes as sent; null: none.';
comment on column canonical.allergies.kind is 'allergy | intolerance | unknown; null: not sent.';
comment on column canonical.allergies.category is 'food, medication ..., as sent; null: not sent.';
comment on column canonical.allergies.criticality is 'Criticality as sent; null: not sent.';
comment on column canonical.allergies.clinical_status is 'Clinical status as sent; null: not sent.';
comment on column canonical.allergies.verification_status is 'Certainty, as sent; null: not sent.';
comment on column canonical.allergies.is_negated is 'The entry denies it: "no known allergies".';
comment on column canonical.allergies.reactions is 'Reactions as sent; null: none.';
comment on column canonical.allergies.onset_date is 'First day of the period of onset that is known; null: not known.';
comment on column canonical.allergies.onset_precision is 'year | month | day: how much of onset_date is known; null: no date.';
comment on column canonical.allergies.recorded_at is 'When it was recorded; null: not known.';
comment on column canonical.allergies.note is 'Comment; null: none.';

create table canonical.immunizations (
  user_id          bigint not null,
  immunization_id  uuid not null,
  vaccine          text not null,
  cvx              text,
  codings          jsonb,
  status           text not null,
  not_given_reason text,
  given_date       date,
  given_precision  text check (given_precision in ('year','month','day')),
  given_at         timestamptz,
  lot              text,
  maker            text,
  dose_number      text,
  site             text,
  performer        text,
  is_historical    boolean,
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
  primary key (user_id, immunization_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.immunizations is 'One dose of a vaccine, given or refused.';
comment on column canonical.immunizations.immunization_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.immunizations.vaccine is 'Name of the vaccine, as sent.';
comment on column canonical.immunizations.cvx is 'CVX code as sent; null: none.';
comment on column canonical.immunizations.codings is 'All codes as sent; null: none.';
comment on column canonical.immunizations.status is 'Status as sent: completed, not-done ...';
comment on column canonical.immunizations.not_given_reason is 'Why it was not given; null: given, or no reason sent.';
comment on column canonical.immunizations.given_date is 'First day of the period it was given in that is known; null: not known.';
comment on column canonical.immunizations.given_precision is 'year | month | day: how much of given_date is known; null: no date.';
comment on column canonical.immunizations.given_at is 'Instant it was given; null: only the date is known.';
comment on column canonical.immunizations.lot is 'Lot number; null: not sent.';
comment on column canonical.immunizations.maker is 'Manufacturer; null: not sent.';
comment on column canonical.immunizations.dose_number is 'Which dose of a series, as sent; null: not sent.';
comment on column canonical.immunizations.site is 'Where on the body; null: not sent.';
comment on column canonical.immunizations.performer is 'Who gave it; null: not sent.';
comment on column canonical.immunizations.is_historical is 'Reported from earlier records and not by who gave it; null: not said.';

create table canonical.procedures (
  user_id             bigint not null,
  procedure_id        uuid not null,
  name                text not null,
  codings             jsonb,
  status              text,
  is_negated          boolean not null default false,
  performed_date      date,
  performed_precision text check (performed_precision in ('year','month','day')),
  start_at            timestamptz,
  end_at              timestamptz,
  performer           text,
  facility            text,
  outcome             text,
  note                text,
  encounter_source_id text,
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
  primary key (user_id, procedure_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.procedures is 'One procedure.';
comment on column canonical.procedures.procedure_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.procedures.name is 'Name of the procedure, as sent.';
comment on column canonical.procedures.codings is 'All codes as sent; null: none.';
comment on column canonical.procedures.status is 'Status as sent; null: not sent.';
comment on column canonical.procedures.is_negated is 'The entry says it was not done.';
comment on column canonical.procedures.performed_date is 'First day of the period it was done in that is known; null: not known.';
comment on column canonical.procedures.performed_precision is 'year | month | day: how much of performed_date is known; null: no date.';
comment on column canonical.procedures.start_at is 'Start; null: only the date is known.';
comment on column canonical.procedures.end_at is 'End; null: not known.';
comment on column canonical.procedures.performer is 'Who did it; null: not sent.';
comment on column canonical.procedures.facility is 'Where; null: not sent.';
comment on column canonical.procedures.outcome is 'Outcome, as sent; null: not sent.';
comment on column canonical.procedures.note is 'Comment; null: none.';
