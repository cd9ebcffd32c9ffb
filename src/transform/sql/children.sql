,
-- The parts of the rows that say something new: those that are no longer so go, then the new ones come.
parts as materialized (
  select p.*
    from news n
   cross join lateral jsonb_array_elements(coalesce(n.children, '[]')) e(part)
   cross join lateral jsonb_populate_record(null::{child}, e.part || jsonb_build_object('user_id', n.user_id, {id_name}, n.{id})) p
),
parts_gone as (
  delete from {child} s
   using news n
   where s.user_id = n.user_id and s.{id} = n.{id}
     and not exists (select from parts p
                      where p.user_id = s.user_id and p.{id} = s.{id} and p.{child_key} = s.{child_key}
                        and row(p.*) is not distinct from row(s.*))
  returning 1
),
parts_new as (
  insert into {child}
  select p.*
    from parts p
   where (select count(*) from parts_gone) >= 0  -- not before they are gone
     and not exists (select from {child} s
                      where s.user_id = p.user_id and s.{id} = p.{id} and s.{child_key} = p.{child_key}
                        and row(p.*) is not distinct from row(s.*))
)