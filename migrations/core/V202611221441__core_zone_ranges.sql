-- What a reading says beside its value is said once for all that share it.
alter table canonical.sample_origins add column context jsonb;
comment on column canonical.sample_origins.context is 'Circumstances as sent that hold for all values of the series: posture, activity, sampling interval. Null: none sent.';
comment on table canonical.sample_origins is 'One raw record that carries a series, or raw records of one day that are a reading each and share their circumstances: the lineage of its sample_points, once.';

-- Where a person was, with the rules of time zones worked out: models of records without a zone look their offset up here.
create table meta.zone_ranges (
  user_id      bigint      not null,
  from_at      timestamptz not null,
  utc_offset_s integer     not null check (utc_offset_s between -64800 and 64800),
  tz_name      text        not null,
  primary key (user_id, from_at)
);
alter table meta.zone_ranges add constraint zone_ranges_user_id_fkey foreign key (user_id) references meta.users;
comment on table meta.zone_ranges is 'One stretch of time in which neither a person''s zone nor its offset changes, up to the next one: meta.zones and the home zone, expanded by the program before models run that follow them.';
comment on column meta.zone_ranges.user_id is 'The person (meta.users).';
comment on column meta.zone_ranges.from_at is 'First instant of the stretch.';
comment on column meta.zone_ranges.utc_offset_s is 'Seconds east of UTC in it.';
comment on column meta.zone_ranges.tz_name is 'IANA zone that the person was in.';
