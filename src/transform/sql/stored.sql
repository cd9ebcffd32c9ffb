-- whether rows of the model stand in its table
select exists (select from {table} t
                where t.user_id = $1 and t.source_system = {source} and t.account_id = $2 and t.mapping_version ^@ {name_prefix})
