-- whether anything of the account stands in the table
select exists (select from {table} t where t.user_id = $1 and t.source_system = $2 and t.account_id = $3)
