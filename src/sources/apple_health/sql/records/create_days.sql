-- Local days of which the document holds records.
create temp table apple_health_days (
  type_id    integer not null,
  local_date date    not null
)
