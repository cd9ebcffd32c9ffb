analyze apple_health_raw.records (user_id, account_id, type_id, start_at, end_at, ordinal, unit_id, source_name_id, device_id, zone_id, utc_offset_s,
                                  value, value_text, file_id, run_id, missing_since_run_id)
