update meta.import_file set status = $3, run_id = $4 where user_id = $1 and file_id = $2
