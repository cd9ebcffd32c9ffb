-- A series by the second has its readings in lists of thousands: to look at each one whether it is a number takes half as long as all the rest.
create function strava_raw.readings(list json) returns double precision[]
  language sql stable parallel safe
  return case
    -- a list of numbers and nulls alone reads the same in other brackets
    when list::text ~ '^\[[-+0-9.eE, nul]*\]$' then translate(list::text, '[]', '{}')::double precision[]
    else array(select meta.reading(e.item) from jsonb_array_elements(list::jsonb) with ordinality e (item, place) order by e.place)
  end;
comment on function strava_raw.readings(json) is
  'A list of readings as numbers, each in its place: see meta.reading. Empty for null.';
