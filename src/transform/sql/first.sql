{made}-- Nothing of the model is stored, so nothing is compared with what is.
inserted as (
  insert into {table} (user_id, {id_column}{columns}, {default_columns}source_system, account_id, raw_table, raw_hash, mapping_version,
                       retired_at, retired_reason, run_id, created_at, updated_at)
  select m.user_id, {id_column}{m_columns}, {default_columns}source_system, account_id, raw_table, raw_hash, mapping_version,
         retired_at, retired_reason, $6, $8, $8
    from made m
   order by {key}
  returning 1
){parts}
select (select count(*) from inserted), 0::bigint, 0::bigint
