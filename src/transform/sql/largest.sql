-- the places of the tables $1 in the list, the largest first. What has no size of its own (a view, a table in parts) may be any: it goes before them.
select t.place - 1
  from unnest($1::text[]) with ordinality t (name, place)
  left join pg_class c on c.oid = to_regclass(t.name) and c.relkind = 'r'
 order by pg_total_relation_size(c.oid) desc nulls first, t.place
