-- Records that were not read in the present version of what leads to them, newest first.
with named (source_id, version, at) as (
{named}
)
select n.source_id, n.version, n.at
  from named n
  left join meta.single_reads r on r.user_id = $1 and r.account_id = $2 and r.resource = $4 and r.source_id = n.source_id
  left join {raw} t on t.user_id = $1 and t.account_id = $2 and t.source_id = n.source_id
 where $3::timestamptz is not null
   and (r.version is distinct from n.version or t.missing_since_run_id is not null or $5 and r.run_id < $6)
   and ($7::timestamptz is null or n.at is null or n.at >= $7)
   and ($8::timestamptz is null or n.at is null or n.at < $8)
 order by n.at desc nulls first, n.source_id collate "C" desc
