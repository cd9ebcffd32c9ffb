-- The order of the columns is that of side/rows.rs. Of a file that is held all but the first three are null.
create temp table apple_health_ecgs (
  id               uuid not null,
  path             text not null,
  bytes            integer not null,
  recorded_at      timestamptz,
  utc_offset_s     integer,
  tz_name          text,
  tz_basis         text,
  classification   text,
  symptoms         text,
  software_version text,
  device           text,
  sample_rate_hz   double precision,
  lead             text,
  unit             text,
  voltages         double precision[],
  header           text
)
