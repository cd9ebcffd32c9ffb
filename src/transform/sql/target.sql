-- the columns that a model gives, in its order, with their types in the target
select a.attname::text, format_type(a.atttypid, a.atttypmod)
  from unnest($2::text[]) with ordinality as said(name, place)
  join pg_attribute a on a.attname = said.name and a.attnum > 0 and not a.attisdropped
 where a.attrelid = to_regclass('canonical.' || quote_ident($1))
 order by said.place
