-- Schema canonical, second part: what a person does: sleep, exercise, the vendors' scores of both, food and mood.

create table canonical.sleep_sessions (
  user_id           bigint not null,
  sleep_id          uuid not null,
  device_id         bigint,
  start_at          timestamptz not null,
  end_at            timestamptz not null,
  end_utc_offset_s  integer,
  local_date        date not null,
  kind              text not null default 'unknown' check (kind in ('main','nap','unknown')),
  in_bed_s          integer,
  asleep_s          integer,
  awake_s           integer,
  light_s           integer,
  deep_s            integer,
  rem_s             integer,
  asleep_unstaged_s integer,
  latency_s         integer,
  waso_s            integer,
  awakenings        integer,
  efficiency_pct    real,
  hr_avg            real,
  hr_min            real,
  hrv_rmssd_ms      real,
  hrv_sdnn_ms       real,
  resp_rate         real,
  spo2_avg_pct      real,
  temp_delta_c      real,
  score             real,
  stage_scheme      text check (stage_scheme in ('stages','classic','asleep_only','none')),
  is_final          boolean not null default true,
  detail            jsonb,
  utc_offset_s      integer check (utc_offset_s between -64800 and 64800),
  tz_name           text,
  tz_basis          text not null default 'none' check (tz_basis in ('record','device','account','home','none')),
  time_precision    text not null default 'second' check (time_precision in ('year','month','day','minute','second','ms')),
  source_system     text not null,
  account_id        bigint not null,
  raw_table         text not null,
  raw_source_id     text not null,
  raw_path          text not null default '',
  raw_hash          bytea not null,
  run_id            bigint not null,
  mapping_version   text not null,
  quality           real not null default 1 check (quality between 0 and 1),
  flags             text[] not null default '{}',
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now(),
  retired_at        timestamptz,
  retired_reason    text check (retired_reason in ('entered_in_error','deleted_upstream','missing_upstream','superseded','user')),
  primary key (user_id, sleep_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path),
  check (end_at > start_at)
);
create index sleep_night_idx on canonical.sleep_sessions (user_id, local_date) where retired_at is null;
comment on table canonical.sleep_sessions is 'One sleep period as the source reports it. Durations in seconds; totals are the source''s and are never re-summed silently.';
comment on column canonical.sleep_sessions.sleep_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.sleep_sessions.start_at is 'Start of the period; going to bed or falling asleep, as the source defines it.';
comment on column canonical.sleep_sessions.end_at is 'End of the period. Length is end minus start; it is not the time in bed.';
comment on column canonical.sleep_sessions.end_utc_offset_s is 'Seconds east of UTC on the clock of the person at the end; null: not known.';
comment on column canonical.sleep_sessions.local_date is 'The day of waking: the date at the end, at the end''s offset.';
comment on column canonical.sleep_sessions.kind is 'main | nap | unknown (the source does not say).';
comment on column canonical.sleep_sessions.in_bed_s is 'Seconds in bed, as the source counts them; null: not given.';
comment on column canonical.sleep_sessions.asleep_s is 'Seconds asleep; null: not known.';
comment on column canonical.sleep_sessions.awake_s is 'Seconds awake within the period; null: not given.';
comment on column canonical.sleep_sessions.light_s is 'Seconds of light sleep (N1, N2, Apple: core); null: not staged.';
comment on column canonical.sleep_sessions.deep_s is 'Seconds of deep sleep (N3, slow wave); null: not staged.';
comment on column canonical.sleep_sessions.rem_s is 'Seconds of REM sleep; null: not staged.';
comment on column canonical.sleep_sessions.asleep_unstaged_s is 'Seconds asleep without a stage; null: not given.';
comment on column canonical.sleep_sessions.latency_s is 'Seconds until asleep; null: not given.';
comment on column canonical.sleep_sessions.waso_s is 'Seconds awake after first falling asleep; null: not given.';
comment on column canonical.sleep_sessions.awakenings is 'Number of awakenings; null: not given.';
comment on column canonical.sleep_sessions.efficiency_pct is 'Share of the time in bed asleep, percent, as the source computes it; null: not given.';
comment on column canonical.sleep_sessions.hr_avg is 'Mean heart rate, per minute; null: not given.';
comment on column canonical.sleep_sessions.hr_min is 'Lowest heart rate, per minute; null: not given.';
comment on column canonical.sleep_sessions.hrv_rmssd_ms is 'Heart rate variability, RMSSD, ms; null: not given. Never comparable with SDNN.';
comment on column canonical.sleep_sessions.hrv_sdnn_ms is 'Heart rate variability, SDNN, ms; null: not given. Never comparable with RMSSD.';
comment on column canonical.sleep_sessions.resp_rate is 'Breaths per minute; null: not given.';
comment on column canonical.sleep_sessions.spo2_avg_pct is 'Mean oxygen saturation, percent; null: not given.';
comment on column canonical.sleep_sessions.temp_delta_c is 'Deviation of the skin temperature from the person''s own baseline, in degrees Celsius; null: not given.';
comment on column canonical.sleep_sessions.score is 'The vendor''s score of the sleep on its own scale (see scores); null: none. Never comparable between vendors.';
comment on column canonical.sleep_sessions.stage_scheme is 'stages (light, deep, REM) | classic (asleep, restless, awake) | asleep_only | none; null: not analysed.';
comment on column canonical.sleep_sessions.is_final is 'False while the source may still change it of itself (not scored yet).';
comment on column canonical.sleep_sessions.detail is 'What this source says besides, in its words; null: nothing.';

create table canonical.sleep_stages (
  user_id   bigint not null,
  sleep_id  uuid not null,
  seq       integer not null,
  stage     text not null check (stage in ('awake','light','deep','rem','asleep','in_bed','out_of_bed','restless','unknown')),
  stage_raw text,
  start_at  timestamptz not null,
  end_at    timestamptz not null,
  primary key (user_id, sleep_id, seq),
  check (end_at > start_at)
);
comment on table canonical.sleep_stages is 'One stretch of one stage of one sleep; source and lineage are those of the session.';
comment on column canonical.sleep_stages.sleep_id is 'The session (canonical.sleep_sessions).';
comment on column canonical.sleep_stages.seq is 'Place in the night, from 0.';
comment on column canonical.sleep_stages.stage is 'awake | light | deep | rem | asleep (not staged) | in_bed | out_of_bed | restless | unknown.';
comment on column canonical.sleep_stages.stage_raw is 'The source''s word or code; null: not sent.';
comment on column canonical.sleep_stages.start_at is 'Start of the stretch.';
comment on column canonical.sleep_stages.end_at is 'End of the stretch.';

create table canonical.workouts (
  user_id            bigint not null,
  workout_id         uuid not null,
  device_id          bigint,
  sport              text not null,
  sport_raw          text,
  title              text,
  start_at           timestamptz not null,
  end_at             timestamptz not null,
  local_date         date not null,
  elapsed_s          integer,
  moving_s           integer,
  distance_m         double precision,
  energy_active_kcal real,
  energy_total_kcal  real,
  steps              integer,
  elev_gain_m        real,
  elev_loss_m        real,
  hr_avg             real,
  hr_max             real,
  hr_zone_s          integer[],
  hr_zone_scheme     text,
  speed_avg_mps      real,
  speed_max_mps      real,
  power_avg_w        real,
  power_max_w        real,
  power_norm_w       real,
  cadence_avg        real,
  training_load      real,
  training_load_kind text,
  rpe                real,
  is_indoor          boolean,
  start_lat          double precision,
  start_lon          double precision,
  track_ref          text,
  upstream_hint      text,
  laps               jsonb,
  detail             jsonb,
  utc_offset_s       integer check (utc_offset_s between -64800 and 64800),
  tz_name            text,
  tz_basis           text not null default 'none' check (tz_basis in ('record','device','account','home','none')),
  time_precision     text not null default 'second' check (time_precision in ('year','month','day','minute','second','ms')),
  source_system      text not null,
  account_id         bigint not null,
  raw_table          text not null,
  raw_source_id      text not null,
  raw_path           text not null default '',
  raw_hash           bytea not null,
  run_id             bigint not null,
  mapping_version    text not null,
  quality            real not null default 1 check (quality between 0 and 1),
  flags              text[] not null default '{}',
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  retired_at         timestamptz,
  retired_reason     text check (retired_reason in ('entered_in_error','deleted_upstream','missing_upstream','superseded','user')),
  primary key (user_id, workout_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path),
  check (end_at >= start_at)
);
create index workouts_day_idx on canonical.workouts (user_id, local_date) where retired_at is null;
comment on table canonical.workouts is 'One recorded exercise, or other activity that the source lists with exercises.';
comment on column canonical.workouts.workout_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.workouts.sport is 'Sport in our vocabulary (running, cycling, strength_training ...); recovery for sauna, massage and the like, other when unknown.';
comment on column canonical.workouts.sport_raw is 'The source''s word or number for it; null: not sent.';
comment on column canonical.workouts.title is 'Name given to it; null: none.';
comment on column canonical.workouts.start_at is 'Start.';
comment on column canonical.workouts.end_at is 'End.';
comment on column canonical.workouts.local_date is 'Date at the start, at its offset.';
comment on column canonical.workouts.elapsed_s is 'Seconds from start to end, pauses included; null: not known.';
comment on column canonical.workouts.moving_s is 'Seconds in motion; null: not given.';
comment on column canonical.workouts.distance_m is 'Distance in metres; null: not given.';
comment on column canonical.workouts.energy_active_kcal is 'Energy burned above rest, kcal; null: not given.';
comment on column canonical.workouts.energy_total_kcal is 'Energy burned, rest included, kcal; null: not given.';
comment on column canonical.workouts.steps is 'Steps; null: not given.';
comment on column canonical.workouts.elev_gain_m is 'Metres climbed; null: not given.';
comment on column canonical.workouts.elev_loss_m is 'Metres descended; null: not given.';
comment on column canonical.workouts.hr_avg is 'Mean heart rate, per minute; null: not given.';
comment on column canonical.workouts.hr_max is 'Highest heart rate, per minute; null: not given.';
comment on column canonical.workouts.hr_zone_s is 'Seconds in each heart rate zone, lowest first; null: not given.';
comment on column canonical.workouts.hr_zone_scheme is 'Which zones these are; null: no zones.';
comment on column canonical.workouts.speed_avg_mps is 'Mean speed, metres per second; null: not given.';
comment on column canonical.workouts.speed_max_mps is 'Highest speed, metres per second; null: not given.';
comment on column canonical.workouts.power_avg_w is 'Mean power, watts; null: not given.';
comment on column canonical.workouts.power_max_w is 'Highest power, watts; null: not given.';
comment on column canonical.workouts.power_norm_w is 'Normalised or weighted power, watts; null: not given.';
comment on column canonical.workouts.cadence_avg is 'Mean cadence, steps or turns per minute; null: not given.';
comment on column canonical.workouts.training_load is 'The vendor''s load of the exercise, on the scale of training_load_kind; null: not given.';
comment on column canonical.workouts.training_load_kind is 'Which load: whoop_strain, tss, ...; null: no load.';
comment on column canonical.workouts.rpe is 'Perceived exertion, 0 to 10; null: not given.';
comment on column canonical.workouts.is_indoor is 'Done indoors; null: not known.';
comment on column canonical.workouts.start_lat is 'Latitude of the start, degrees; null: not given.';
comment on column canonical.workouts.start_lon is 'Longitude of the start, degrees; null: not given.';
comment on column canonical.workouts.track_ref is 'Where the second-by-second track is kept; null: none.';
comment on column canonical.workouts.upstream_hint is 'Id or app that names the original recorder, as sent; null: not sent. Settles duplicates between sources.';
comment on column canonical.workouts.laps is 'Laps or splits as sent; null: none.';
comment on column canonical.workouts.detail is 'What this source says besides, in its words; null: nothing.';

create table canonical.scores (
  user_id         bigint not null,
  score_id        uuid not null,
  kind            text not null check (kind in ('recovery','readiness','sleep','activity','strain','stress','resilience','body_battery','fitness_age','other')),
  local_date      date not null,
  observed_at     timestamptz,
  value_num       real,
  scale_lo        real,
  scale_hi        real,
  level           text,
  components      jsonb,
  sleep_id        uuid,
  is_final        boolean not null default true,
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
  primary key (user_id, score_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
create index scores_day_idx on canonical.scores (user_id, kind, local_date) where retired_at is null;
comment on table canonical.scores is 'One score of one vendor for one day, sleep or cycle. Never comparable between vendors, never turned into a metric.';
comment on column canonical.scores.score_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.scores.kind is 'recovery | readiness | sleep | activity | strain | stress | resilience | body_battery | fitness_age | other.';
comment on column canonical.scores.local_date is 'The day the vendor gives the score for; of a night, the day of waking.';
comment on column canonical.scores.observed_at is 'Instant the score is of (waking, end of the cycle); null: the day only, or not over yet.';
comment on column canonical.scores.value_num is 'The score on the vendor''s scale.';
comment on column canonical.scores.scale_lo is 'Lowest score of the scale; null: open.';
comment on column canonical.scores.scale_hi is 'Highest score of the scale; null: open.';
comment on column canonical.scores.level is 'The vendor''s word or colour for it; null: none.';
comment on column canonical.scores.components is 'What the vendor bases the score on, as sent; null: not given.';
comment on column canonical.scores.sleep_id is 'The sleep it belongs to (canonical.sleep_sessions); null: none, or not held.';
comment on column canonical.scores.is_final is 'False while the source may still change it of itself (the cycle is not over).';

create table canonical.nutrition_entries (
  user_id         bigint not null,
  entry_id        uuid not null,
  eaten_at        timestamptz,
  local_date      date not null,
  grain           text not null check (grain in ('item','meal')),
  meal            text not null default 'unknown' check (meal in ('breakfast','lunch','dinner','snack','other','unknown')),
  meal_raw        text,
  food_name       text,
  brand           text,
  amount          numeric,
  amount_unit     text,
  energy_kcal     double precision,
  protein_g       double precision,
  carbs_g         double precision,
  fiber_g         double precision,
  sugar_g         double precision,
  fat_g           double precision,
  sat_fat_g       double precision,
  sodium_mg       double precision,
  cholesterol_mg  double precision,
  alcohol_g       double precision,
  caffeine_mg     double precision,
  water_ml        double precision,
  nutrients       jsonb,
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
  primary key (user_id, entry_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
create index nutrition_day_idx on canonical.nutrition_entries (user_id, local_date) where retired_at is null;
comment on table canonical.nutrition_entries is 'One food eaten, or one meal where the source has no foods.';
comment on column canonical.nutrition_entries.entry_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.nutrition_entries.eaten_at is 'When it was eaten; null: only the day is known.';
comment on column canonical.nutrition_entries.grain is 'item (one food) | meal (the sum of several).';
comment on column canonical.nutrition_entries.meal is 'breakfast | lunch | dinner | snack | other | unknown.';
comment on column canonical.nutrition_entries.meal_raw is 'The source''s word for the meal; null: not sent.';
comment on column canonical.nutrition_entries.food_name is 'Name of the food; null: not sent.';
comment on column canonical.nutrition_entries.brand is 'Brand; null: not sent.';
comment on column canonical.nutrition_entries.amount is 'Amount in amount_unit; null: not sent.';
comment on column canonical.nutrition_entries.amount_unit is 'Unit of the amount as sent (g, cup, serving); null: not sent.';
comment on column canonical.nutrition_entries.energy_kcal is 'Energy, kcal; null: not given.';
comment on column canonical.nutrition_entries.protein_g is 'Protein, g; null: not given.';
comment on column canonical.nutrition_entries.carbs_g is 'Carbohydrate, g, fibre included where the source includes it; null: not given.';
comment on column canonical.nutrition_entries.fiber_g is 'Fibre, g; null: not given.';
comment on column canonical.nutrition_entries.sugar_g is 'Sugars, g; null: not given.';
comment on column canonical.nutrition_entries.fat_g is 'Fat, g; null: not given.';
comment on column canonical.nutrition_entries.sat_fat_g is 'Saturated fat, g; null: not given.';
comment on column canonical.nutrition_entries.sodium_mg is 'Sodium, mg (salt is 2.5 times as much); null: not given.';
comment on column canonical.nutrition_entries.cholesterol_mg is 'Cholesterol, mg; null: not given.';
comment on column canonical.nutrition_entries.alcohol_g is 'Alcohol, g; null: not given.';
comment on column canonical.nutrition_entries.caffeine_mg is 'Caffeine, mg; null: not given.';
comment on column canonical.nutrition_entries.water_ml is 'Water, mL; null: not given.';
comment on column canonical.nutrition_entries.nutrients is 'Every other nutrient, {metric_code: number in its unit}; null: none.';

create table canonical.mood_entries (
  user_id         bigint not null,
  entry_id        uuid not null,
  observed_at     timestamptz,
  local_date      date not null,
  kind            text not null check (kind in ('momentary','daily','journal')),
  valence         real check (valence between -1 and 1),
  value_raw       text,
  scale_lo        real,
  scale_hi        real,
  labels          text[] not null default '{}',
  associations    text[] not null default '{}',
  answers         jsonb,
  note            text,
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
  primary key (user_id, entry_id),
  unique (user_id, source_system, account_id, raw_source_id, raw_path)
);
comment on table canonical.mood_entries is 'One check-in on mood, or one journal entry.';
comment on column canonical.mood_entries.entry_id is 'Id of the row, digest of its lineage key.';
comment on column canonical.mood_entries.observed_at is 'When it was made; null: only the day is known.';
comment on column canonical.mood_entries.kind is 'momentary | daily | journal.';
comment on column canonical.mood_entries.valence is 'Mood from -1 (very unpleasant) to 1 (very pleasant), mapped linearly from the source''s scale; null: no scale.';
comment on column canonical.mood_entries.value_raw is 'The answer as sent; null: none.';
comment on column canonical.mood_entries.scale_lo is 'Lowest answer of the source''s scale; null: no scale.';
comment on column canonical.mood_entries.scale_hi is 'Highest answer of the source''s scale; null: no scale.';
comment on column canonical.mood_entries.labels is 'Feelings named.';
comment on column canonical.mood_entries.associations is 'What they were connected with.';
comment on column canonical.mood_entries.answers is 'Questions and answers, as sent; null: none.';
comment on column canonical.mood_entries.note is 'Free text of the person; null: none.';
