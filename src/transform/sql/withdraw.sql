-- What an earlier version of a record said is not what its source says now, even where the newer version cannot be used.
update {table} t
   set retired_at = $6, retired_reason = 'superseded', run_id = $5, updated_at = $6
 where t.user_id = $1 and t.source_system = {source} and t.account_id = $2 and t.raw_table = $3 and t.raw_source_id = $4
   and t.mapping_version ^@ {name_prefix}
   and t.retired_at is null
