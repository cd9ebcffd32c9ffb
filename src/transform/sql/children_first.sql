,
-- A row that is new has no parts yet: its own come as they are.
parts_first as (
  insert into {child}
  select p.*
    from {new_rows} n
{each}
)
