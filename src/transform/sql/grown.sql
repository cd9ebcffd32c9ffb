-- the tables of $1 that have no statistics, or twice the size they had when statistics were taken
select format('analyze %s', c.oid::regclass)
  from unnest($1::text[]) as asked(name)
  join pg_class c on c.oid = to_regclass(asked.name)
 where pg_relation_size(c.oid) > 2 * c.relpages::bigint * current_setting('block_size')::bigint
    or c.reltuples < 0 and pg_relation_size(c.oid) > 0
