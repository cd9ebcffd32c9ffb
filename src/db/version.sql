select coalesce(max(version), 0)::bigint from meta.refinery_schema_history
