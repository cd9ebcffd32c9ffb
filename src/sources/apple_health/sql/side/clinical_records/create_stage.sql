-- The order of the columns is that of side/rows.rs. Of a file that is held all but the first three are null.
create temp table apple_health_clinical_records (
  id            uuid not null,
  path          text not null,
  bytes         integer not null,
  resource_type text,
  resource_id   text,
  payload       json
)
