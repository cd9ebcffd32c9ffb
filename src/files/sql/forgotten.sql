update meta.import_file set loaded = 0 where user_id = $1 and file_id = $2
