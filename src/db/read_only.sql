select current_setting('transaction_read_only')::boolean or pg_is_in_recovery()
