-- The order of the columns is that of rows.rs.
create temp table apple_health_elements (
  element      text    not null,
  id           uuid    not null,
  start_at     timestamptz,
  end_at       timestamptz,
  created_at   timestamptz,
  source_name  text,
  utc_offset_s integer,
  tz_name      text    not null,
  tz_basis     text    not null,
  payload      json    not null
)
