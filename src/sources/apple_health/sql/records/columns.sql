type_id, start_at, id, end_at, created_at, unit_id, source_name_id, source_version_id, device_id, zone_id, utc_offset_s,
  zone_from_record, value, value_text, metadata, beat_s, beat_bpm, ordinal
