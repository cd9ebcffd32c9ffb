select exists (select from meta.import_file where user_id = $1 and account_id = $2 and status = 'withdrawn' and loaded > 0)
