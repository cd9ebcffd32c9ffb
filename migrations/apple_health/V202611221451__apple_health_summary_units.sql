-- Apple's own total of a day may come in a unit that is not known, as a record may.

alter view apple_health_raw.published_unconvertible rename to unconvertible_records;
comment on view apple_health_raw.unconvertible_records is 'One record whose unit, or category value, cannot be converted.';

create view apple_health_raw.published_unconvertible with (security_invoker = true) as
select * from apple_health_raw.unconvertible_records
union all
select d.user_id, d.account_id, d.source_id, d.record_at, d.hash, d.run_id, d.missing_since_run_id, 'ActivitySummary', d.unit, false
  from (select a.*, a.payload->'attributes'->>'activeEnergyBurned' as burned, a.payload->'attributes'->>'activeEnergyBurnedUnit' as unit
          from apple_health_raw.published_activity_days a) d
 where d.burned <> '' and d.unit <> ''
   and not exists (select from apple_health_raw.mapping m where m.type = 'HKQuantityTypeIdentifierActiveEnergyBurned' and m.unit = d.unit);
comment on view apple_health_raw.published_unconvertible is 'One record, or day that the phone summed up, whose unit or category value cannot be converted: what stands behind the rejects unit_unknown and value_unknown.';
comment on column apple_health_raw.published_unconvertible.source_id is 'As in published_records, or the day.';
comment on column apple_health_raw.published_unconvertible.record_at is 'Start of the record; null: a day.';
comment on column apple_health_raw.published_unconvertible.hash is 'Digest of the content.';
comment on column apple_health_raw.published_unconvertible.type is 'Type as exported, or ActivitySummary.';
comment on column apple_health_raw.published_unconvertible.unit is 'Unit as exported; null: not given.';
comment on column apple_health_raw.published_unconvertible.is_category is 'true: its category value is not known; false: its unit.';
comment on column apple_health_raw.published_unconvertible.user_id is 'The person (meta.users).';
comment on column apple_health_raw.published_unconvertible.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.published_unconvertible.run_id is 'Run that last changed it (meta.import_runs).';
comment on column apple_health_raw.published_unconvertible.missing_since_run_id is 'Run whose export no longer held it; null: held.';
