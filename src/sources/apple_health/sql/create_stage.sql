-- The order of the columns is that of rows.rs.
create temp table apple_health_records (
  type_id           integer          not null,
  start_at          timestamptz      not null,
  id                uuid             not null,
  end_at            timestamptz,
  created_at        timestamptz,
  unit_id           integer,
  source_name_id    integer,
  source_version_id integer,
  device_id         integer,
  zone_id           integer          not null,
  utc_offset_s      integer          not null,
  zone_from_record  boolean          not null,
  value             double precision,
  value_text        text,
  metadata          jsonb,
  beat_s            double precision[],
  beat_bpm          double precision[]
);
-- Three thousand rows tell the planner enough, and are read ten times as fast as its thirty.
alter table pg_temp.apple_health_records alter type_id set statistics 10, alter start_at set statistics 10, alter id set statistics 10
