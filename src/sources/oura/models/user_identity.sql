-- grain: one row per Oura member
-- Age, weight and height are what the person entered at some time, undated: they stay in raw and in detail.
select c.source_id                    as raw_source_id
     , c.source_id                    as external_user_id
     , c.payload->>'email'            as email
     , c.payload->>'biological_sex'   as sex
     , jsonb_strip_nulls(jsonb_build_object(
         'age_a',    c.payload->'age',
         'weight_kg', c.payload->'weight',
         'height_m', c.payload->'height')) as detail
  from changed c
