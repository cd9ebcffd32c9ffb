create temporary table if not exists raw_stage (
  source_id text not null,
  record_at timestamptz,
  payload   json not null,
  hash      bytea not null
) on commit delete rows
