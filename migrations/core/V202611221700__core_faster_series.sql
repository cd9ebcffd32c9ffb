-- What models of records with series and stages spend their time on.

-- The usual shapes of an instant, digits in all places but these, are read where they stand. Anything else goes to the function that says why not.
create or replace function meta.instant(said text) returns timestamptz
  language sql stable parallel safe
  return case
    when said like '____-__-__T__:__:__.___Z' and translate(said, '0123456789', '') = '--T::.Z' then said::timestamptz
    when said like '____-__-__T__:__:__Z' and translate(said, '0123456789', '') = '--T::Z' then said::timestamptz
    when said like '____-__-__T__:__:_____:__' and substr(said, 20, 1) in ('+', '-')
     and translate(said, '0123456789', '') in ('--T::+:', '--T::-:') then said::timestamptz
    else meta.instant_checked(said)
  end;

-- A night has nearly six hundred digits and forty stretches: they are found as stretches, and not digit by digit.
create or replace function meta.runs_of_digits(digits text, start_at timestamptz, end_at timestamptz, step_s integer, words jsonb)
  returns table (seq integer, stage text, digit text, start_at timestamptz, end_at timestamptz)
  language sql immutable parallel safe
as $$
  select (r.place - 1)::integer
       , coalesce($5->>r.digit, 'unknown')
       , r.digit
       , $2 + make_interval(secs => (r.until - r.length) * $4)
       , least($2 + make_interval(secs => r.until * $4), $3)
    from (
      select left(m.run[1], 1)                                       as digit
           , length(m.run[1])                                        as length
           , sum(length(m.run[1])) over (order by m.place)           as until
           , m.place
        -- to refer back takes forty times as long: only for what is no digit
        from regexp_matches($1, case when $1 ~ '^\d*$' then '(0+|1+|2+|3+|4+|5+|6+|7+|8+|9+)' else '((.)\2*)' end, 'g') with ordinality m (run, place)
    ) r
   where $2 + make_interval(secs => (r.until - r.length) * $4) < $3
$$;
