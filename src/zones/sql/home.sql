select home_tz from meta.users where user_id = $1
