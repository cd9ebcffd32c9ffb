-- What models of records with series, and with times that carry their offset, share.

create function meta.said_offset(said text) returns integer
  language sql immutable parallel safe
  return meta.offset_seconds(case when right(said, 1) in ('Z', 'z') then 'Z' else substring(said from '[+-]\d\d:?\d\d$') end);
comment on function meta.said_offset(text) is
  'Seconds east of UTC that an ISO 8601 instant names at its end; null where it names none.';

create function meta.runs_of_digits(digits text, start_at timestamptz, end_at timestamptz, step_s integer, words jsonb)
  returns table (seq integer, stage text, digit text, start_at timestamptz, end_at timestamptz)
  language sql immutable parallel safe
as $$
  select (row_number() over (order by r.first))::integer - 1
       , coalesce($5->>r.digit, 'unknown')
       , r.digit
       , $2 + make_interval(secs => (r.first - 1) * $4)
       , least($2 + make_interval(secs => r.last * $4), $3)
    from (
      select d.digit, min(d.place) as first, max(d.place) as last
        from (
          select c.digit, c.place, c.place - row_number() over (partition by c.digit order by c.place) as island
            from string_to_table($1, null) with ordinality c (digit, place)
           where $2 + make_interval(secs => (c.place - 1) * $4) < $3
        ) d
       group by d.digit, d.island
    ) r
$$;
comment on function meta.runs_of_digits(text, timestamptz, timestamptz, integer, jsonb) is
  'Stretches of equal digits in a text that has one for each step_s seconds from start_at on, cut off at end_at; words names the digits.';

-- The parts of a record are replaced as a whole, and looked for by their record.
create index sample_points_origin_idx on canonical.sample_points (user_id, origin_id);
