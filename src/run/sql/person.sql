select user_id, label from meta.users where $1::text is null or label = $1 order by user_id limit 1
