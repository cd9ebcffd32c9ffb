-- the tables of $1, and those that views among them read, which have no statistics, or twice the size they had when statistics were taken
with recursive asked (oid) as (
  select to_regclass(name)::oid from unnest($1::text[]) as asked(name) where to_regclass(name) is not null
  union
  select d.refobjid
    from asked a
    join pg_rewrite w on w.ev_class = a.oid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
)
select format('analyze %s', c.oid::regclass)
  from asked
  join pg_class c on c.oid = asked.oid
 where c.relkind = 'r'
   and (pg_relation_size(c.oid) > 2 * c.relpages::bigint * current_setting('block_size')::bigint
        or c.reltuples < 0 and pg_relation_size(c.oid) > 0)
