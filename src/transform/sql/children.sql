,
-- Those of the others are compared: what is no longer so goes, then the new ones come.
held as materialized (
  select s.*
    from {child} s
    join news n on s.user_id = n.user_id and s.{id} = n.{id}
   where not n.is_new
),
parts as materialized (
  select p.*
    from news n
{each}
   where not n.is_new
),
parts_gone as (
  delete from {child} s
   using held h
   where s.user_id = h.user_id and s.{id} = h.{id} and {held_key}
     and not exists (select from parts p
                      where p.user_id = h.user_id and p.{id} = h.{id} and {p_key}
                        and row(p.*) is not distinct from row(h.*))
  returning 1
),
parts_new as (
  insert into {child}
  select p.*
    from parts p
   where (select count(*) from parts_gone) >= 0  -- not before they are gone
     and not exists (select from held s
                      where s.user_id = p.user_id and s.{id} = p.{id} and {same_key}
                        and row(p.*) is not distinct from row(s.*))
)
