select apple_health_raw.attach_records($1, $2)
