-- The generated part of docs/data-model.md, from the catalogue of a migrated database, one line of Markdown per row. No result depends on the
-- server's version, locale or search path. Write it anew with
--   psql -XAtq -f tests/it/data_model.sql "$(health db url)"
-- and put the output below the line `<!-- generated from the database -->`.
with schemas as (
  select n.oid, n.nspname as name
       , row_number() over (order by n.nspname like '%\_raw'
                                   , coalesce(array_position(array['meta', 'canonical', 'api'], n.nspname::text), 9)
                                   , n.nspname::text collate "C") as place
    from pg_namespace n
   where n.nspname in ('meta', 'canonical', 'api') or n.nspname like '%\_raw'
), relations as (
  select c.oid, s.place as schema_place, s.name || '.' || c.relname as name, c.relname::text collate "C" as sort_name
       , c.relkind in ('v', 'm') as is_view
    from pg_class c
    join schemas s on s.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
     and c.relname <> 'refinery_schema_history'  -- the migration runner's own
), functions as (
  select p.oid, s.place as schema_place, p.proname::text collate "C" as sort_name
       , s.name || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name
       , pg_get_function_result(p.oid) as result
    from pg_proc p
    join schemas s on s.oid = p.pronamespace
), lines (schema_place, part, sort_name, line_no, line) as (
  select s.place, 0, '', 0, '' from schemas s
  union all select s.place, 0, '', 1, '## ' || s.name from schemas s
  union all select s.place, 0, '', 2, '' from schemas s
  union all select s.place, 0, '', 3, obj_description(s.oid, 'pg_namespace') from schemas s

  union all select r.schema_place, 1, r.sort_name, -1, '' from relations r
  union all select r.schema_place, 1, r.sort_name, 0, '### ' || r.name from relations r
  union all select r.schema_place, 1, r.sort_name, 1, '' from relations r
  union all select r.schema_place, 1, r.sort_name, 2, obj_description(r.oid, 'pg_class') from relations r
  union all select r.schema_place, 1, r.sort_name, 3, '' from relations r
  union all
  select r.schema_place, 1, r.sort_name, 4
       , 'Key: ' || (select string_agg('`' || a.attname || '`', ', ' order by k.place)
                       from unnest(i.indkey) with ordinality k (attnum, place)
                       join pg_attribute a on a.attrelid = r.oid and a.attnum = k.attnum) || '.'
    from relations r
    join pg_index i on i.indrelid = r.oid and i.indisprimary
  union all
  select r.schema_place, 1, r.sort_name, 5, '' from relations r join pg_index i on i.indrelid = r.oid and i.indisprimary
  union all
  select r.schema_place, 1, r.sort_name, 6
       , case when r.is_view then '| column | type | meaning |' else '| column | type | null | meaning |' end
    from relations r
  union all
  select r.schema_place, 1, r.sort_name, 7, case when r.is_view then '|---|---|---|' else '|---|---|---|---|' end from relations r
  union all
  select r.schema_place, 1, r.sort_name, 100 + a.attnum
       , '| `' || a.attname || '` | ' || format_type(a.atttypid, a.atttypmod)
         || case when r.is_view then '' when a.attnotnull then ' | no' else ' | yes' end
         || ' | ' || coalesce(replace(col_description(r.oid, a.attnum), '|', '\|'), '') || ' |'
    from relations r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped

  union all
  select distinct f.schema_place, 2, '', -1, '' from functions f
  union all select distinct f.schema_place, 2, '', 0, '### Functions' from functions f
  union all select distinct f.schema_place, 2, '', 1, '' from functions f
  union all select distinct f.schema_place, 2, '', 2, '| function | returns | meaning |' from functions f
  union all select distinct f.schema_place, 2, '', 3, '|---|---|---|' from functions f
  union all
  select f.schema_place, 3, f.sort_name, 0
       , '| `' || f.name || '` | ' || f.result || ' | ' || coalesce(replace(obj_description(f.oid, 'pg_proc'), '|', '\|'), '') || ' |'
    from functions f
)
select regexp_replace(line, '<([a-z])', '&lt;\1', 'g')  -- "<source>_raw" is no HTML
  from lines
 order by schema_place, part, sort_name collate "C", line_no, line collate "C"
