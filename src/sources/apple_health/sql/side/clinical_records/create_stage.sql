-- The order of the columns is that of side/rows.rs.
create temp table apple_health_clinical_records (
  id            uuid not null,
  path          text not null,
  bytes         integer not null,
  resource_type text not null,
  resource_id   text,
  payload       json not null
)
