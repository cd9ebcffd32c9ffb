-- grain: one row per WHOOP member
select c.source_id               as raw_source_id
     , c.payload->>'user_id'     as external_user_id
     , c.payload->>'first_name'  as given_name
     , c.payload->>'last_name'   as family_name
     , c.payload->>'email'       as email
  from changed c
