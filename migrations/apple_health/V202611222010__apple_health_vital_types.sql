-- Of an unknown list of types the planner expects ten in fifty, and reads millions of records for thousands. A stable function it asks beforehand: it
-- knows the types then, and how many records each has.
create function apple_health_raw.vital_types() returns integer[]
  language sql stable parallel safe
as $$
  select array(select t.type_id
                 from apple_health_raw.types t
                where t.type in (select m.type from apple_health_raw.mapping m where m.place = 'vitals'))
$$;
comment on function apple_health_raw.vital_types() is 'Numbers that types of deliberate measurements have, of all accounts.';

create or replace view apple_health_raw.published_vitals with (security_invoker = true) as
select v.*
     , (select n.source_name from apple_health_raw.source_names n
         where n.user_id = v.user_id and n.account_id = v.account_id and n.source_name_id = v.source_name_id) as source_name
  from apple_health_raw.mapped_records v
 where v.place = 'vitals'
   and v.type_id = any (apple_health_raw.vital_types());
