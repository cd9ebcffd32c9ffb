-- Keys and what rows are chosen by: texts and documents are dear to sort, and nobody asks for their distribution.
analyze (skip_locked) apple_health_raw.records (user_id, account_id, type_id, start_at, ordinal, unit_id, zone_from_record, utc_offset_s, file_id, run_id,
                                                missing_since_run_id)
