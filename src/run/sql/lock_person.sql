select user_id from meta.users where user_id = $1 for update
