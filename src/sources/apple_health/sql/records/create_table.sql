select apple_health_raw.create_records($1, $2, $3, $4)
