-- Records that nothing leads to any more.
with named (source_id, version, at) as (
{named}
)
update {raw} t
   set missing_since_run_id = $4
 where t.user_id = $1 and t.account_id = $2 and $3::timestamptz is not null
   and t.missing_since_run_id is null
   and t.source_id not in (select n.source_id from named n)
