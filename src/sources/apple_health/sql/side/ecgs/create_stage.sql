-- The order of the columns is that of side/rows.rs.
create temp table apple_health_ecgs (
  id               uuid not null,
  path             text not null,
  bytes            integer not null,
  recorded_at      timestamptz not null,
  utc_offset_s     integer not null,
  tz_name          text not null,
  tz_basis         text not null,
  classification   text,
  symptoms         text,
  software_version text,
  device           text,
  sample_rate_hz   double precision not null,
  lead             text,
  unit             text,
  voltages         double precision[] not null,
  header           text not null
)
