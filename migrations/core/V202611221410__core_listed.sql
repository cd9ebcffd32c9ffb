-- A provider that lists what changed says nothing of what was deleted: all times are listed anew once in a while, and here stands when.
alter table meta.coverage add column listed_at timestamptz;
comment on column meta.coverage.listed_at is 'When all that is covered was last listed at once, by its times; null: never.';

create function meta.epoch(field jsonb) returns timestamptz
  language sql immutable parallel safe
  return to_timestamp(meta.number(field));
comment on function meta.epoch(jsonb) is
  'Seconds since 1970 as an instant. What is no number is a data error, so that the record is rejected and not guessed at. Null for null.';

create function meta.epoch_or_null(said text) returns timestamptz
  language sql immutable parallel safe
  return case when said ~ '^\d{1,11}$' then to_timestamp(said::double precision) end;
comment on function meta.epoch_or_null(text) is
  'Whole seconds since 1970 as an instant, null for anything else: for rows that a model only looks up, whose faults must not reject the row it is making.';
