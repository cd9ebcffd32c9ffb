,
-- The parts of the rows that say something new: those that are no longer so go, then the new ones come. A row that is new has none yet, and then
-- nothing is compared.
held as materialized (
  select s.*
    from {child} s
    join news n on s.user_id = n.user_id and s.{id} = n.{id}
),
parts_gone as (
  delete from {child} s
   using held h
   where s.user_id = h.user_id and s.{id} = h.{id} and {held_key}
     and not exists (select
                       from news n
{each}
                      where p.user_id = h.user_id and p.{id} = h.{id} and {p_key}
                        and row(p.*) is not distinct from row(h.*))
  returning 1
),
parts_new as (
  insert into {child}
  select p.*
    from news n
{each}
   where (select count(*) from parts_gone) >= 0  -- not before they are gone
     and not exists (select from held s
                      where s.user_id = p.user_id and s.{id} = p.{id} and {same_key}
                        and row(p.*) is not distinct from row(s.*))
)