select current_setting('server_version'), current_user::text
