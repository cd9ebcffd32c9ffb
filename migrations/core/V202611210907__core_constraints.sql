-- Foreign keys, apart from the tables: on Citus, tables are distributed before they refer to each other.
-- encounter_source_id and scores.sleep_id are no foreign keys: what they name may be missing, filtered out, or arrive later.
alter table meta.source_accounts add constraint source_accounts_user_id_fkey
  foreign key (user_id) references meta.users;
alter table meta.source_accounts add constraint source_accounts_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table meta.devices add constraint devices_account_id_fkey
  foreign key (user_id, account_id) references meta.source_accounts;
alter table meta.coverage add constraint coverage_account_id_fkey
  foreign key (user_id, account_id) references meta.source_accounts;
alter table meta.import_file add constraint import_file_account_id_fkey
  foreign key (user_id, account_id) references meta.source_accounts;
alter table meta.rejects add constraint rejects_account_id_fkey
  foreign key (user_id, account_id) references meta.source_accounts;
alter table canonical.user_identity add constraint user_identity_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.sample_values add constraint sample_values_metric_code_fkey
  foreign key (metric_code) references meta.metrics;
alter table canonical.sample_values add constraint sample_values_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.sample_origins add constraint sample_origins_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.sample_points add constraint sample_points_metric_code_fkey
  foreign key (metric_code) references meta.metrics;
alter table canonical.sample_points add constraint sample_points_origin_id_fkey
  foreign key (user_id, origin_id) references canonical.sample_origins on delete cascade;
alter table canonical.daily_summaries add constraint daily_summaries_metric_code_fkey
  foreign key (metric_code) references meta.metrics;
alter table canonical.daily_summaries add constraint daily_summaries_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.biometrics_vitals add constraint biometrics_vitals_metric_code_fkey
  foreign key (metric_code) references meta.metrics;
alter table canonical.biometrics_vitals add constraint biometrics_vitals_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.sleep_sessions add constraint sleep_sessions_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.sleep_stages add constraint sleep_stages_sleep_id_fkey
  foreign key (user_id, sleep_id) references canonical.sleep_sessions on delete cascade;
alter table canonical.workouts add constraint workouts_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.scores add constraint scores_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.nutrition_entries add constraint nutrition_entries_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.mood_entries add constraint mood_entries_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.lab_results add constraint lab_results_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.diagnostic_reports add constraint diagnostic_reports_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.conditions add constraint conditions_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.medications add constraint medications_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.encounters add constraint encounters_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.allergies add constraint allergies_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.immunizations add constraint immunizations_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.procedures add constraint procedures_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.observations add constraint observations_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table canonical.documents add constraint documents_source_system_fkey
  foreign key (source_system) references meta.source_systems;
alter table meta.preferences add constraint preferences_source_system_fkey
  foreign key (source_system) references meta.source_systems;
