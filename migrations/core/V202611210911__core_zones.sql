-- Where a person was when. Records of many sources name no zone; their local day follows from this list, else from the home zone.
create table meta.zones (
  user_id  bigint      not null,
  from_at  timestamptz not null,
  until_at timestamptz,
  tz_name  text        not null,
  primary key (user_id, from_at),
  check (until_at > from_at)
);
alter table meta.zones add constraint zones_user_id_fkey foreign key (user_id) references meta.users;
comment on table meta.zones is 'One stay of a person in a zone, a move or a trip, set by `health zones`. Of several that hold at an instant the one that began last counts.';
comment on column meta.zones.user_id is 'The person (meta.users).';
comment on column meta.zones.from_at is 'First instant of the stay.';
comment on column meta.zones.until_at is 'First instant after the stay; null: it has no end.';
comment on column meta.zones.tz_name is 'IANA zone that the person was in.';
