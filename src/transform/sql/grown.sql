-- the tables of $1, and those that views among them read, which have no statistics, or twice the size they had when statistics were taken
with recursive asked (oid) as (
  select to_regclass(name)::oid from unnest($1::text[]) as asked(name) where to_regclass(name) is not null
  union
  select d.refobjid
    from asked a
    join pg_rewrite w on w.ev_class = a.oid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
), sized as (   -- a partitioned table has the size of its parts
  select c.oid, c.reltuples, sum(pg_relation_size(p.oid)) as bytes, sum(p.relpages::bigint) as pages
    from asked
    join pg_class c on c.oid = asked.oid
   cross join lateral (select c.oid union select t.relid from pg_partition_tree(c.oid) t) part (oid)
    join pg_class p on p.oid = part.oid and p.relkind = 'r'
   where c.relkind in ('r', 'p')
   group by c.oid, c.reltuples
)
select format('analyze %s', oid::regclass)
  from sized
 where bytes > 2 * pages * current_setting('block_size')::bigint
    or reltuples < 0 and bytes > 0
