-- grain: one row per Strava athlete
-- Weight and threshold power are what they are now: they are vitals, dated by when they were first seen.
select c.source_id                                as raw_source_id
     , c.source_id                                as external_user_id
     , nullif(c.payload->>'firstname', '')        as given_name
     , nullif(c.payload->>'lastname', '')         as family_name
     , nullif(c.payload->>'email', '')            as email
     , nullif(c.payload->>'sex', '')              as sex
     , jsonb_strip_nulls(jsonb_build_object(
         'username',               c.payload->'username',
         'city',                   c.payload->'city',
         'state',                  c.payload->'state',
         'country',                c.payload->'country',
         'measurement_preference', c.payload->'measurement_preference',
         'athlete_type',           c.payload->'athlete_type',
         'created_at',             c.payload->'created_at')) as detail
  from changed c
