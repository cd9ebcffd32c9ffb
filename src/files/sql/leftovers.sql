update meta.import_file set status = 'failed'
 where user_id = $1 and account_id = $2 and status in ('scanning', 'loading')
