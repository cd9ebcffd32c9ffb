-- Comments on the columns that many tables share: the same words everywhere. A column that means something particular in its table has its own
-- comment already and keeps it.
do $$
declare
  shared constant text[][] := array[
    ['user_id',             'The person (meta.users).'],
    ['account_id',          'The account of the person (meta.source_accounts).'],
    ['device_id',           'The device (meta.devices); null: not known.'],
    ['metric_code',         'What was measured, and with it the unit (meta.metrics).'],
    ['local_date',          'Date on the person''s clock at the time of the row; the UTC date, flagged tz_unknown, where no offset is known.'],
    ['encounter_source_id', 'Raw id of the encounter it belongs to; null: none. The encounter may not be held.'],
    ['utc_offset_s',        'Seconds east of UTC on the clock of the person at that time; null: not known.'],
    ['tz_name',             'IANA zone, where the source names one or it follows from the account; null: not known.'],
    ['tz_basis',            'Where the offset comes from: record | device | account | home | none.'],
    ['time_precision',      'How exact the time is: year | month | day | minute | second | ms.'],
    ['source_system',       'The source (meta.source_systems).'],
    ['raw_table',           'Raw table of the record the row was made from, with its schema.'],
    ['raw_source_id',       'source_id of that record in its raw table.'],
    ['raw_path',            'Place inside the record; empty: the whole record.'],
    ['raw_hash',            'SHA-256 of the version of the record the row was made from: the raw row''s hash, or one in the source''s history.'],
    ['run_id',              'Run that last changed the row (meta.import_runs).'],
    ['mapping_version',     'Model that made the row, and its revision.'],
    ['quality',             '0 to 1, the product of the factors of its flags (meta.quality); orders candidates, never a medical statement.'],
    ['flags',               'What is odd about the row: implausible, tentative, tz_unknown ...; empty: nothing.'],
    ['created_at',          'When the row was first made.'],
    ['updated_at',          'When the row was last changed.'],
    ['retired_at',          'When it stopped being true at the source; null: it holds. Retired rows are in no api view.'],
    ['retired_reason',      'entered_in_error | deleted_upstream | missing_upstream | superseded (the newest version of its record no longer says so, or cannot be used: meta.rejects) | user; null: not retired.']
  ];
  bare record;
begin
  for bare in
    select n.nspname, c.relname, a.attname, s.said
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join (select shared[i][1] as attname, shared[i][2] as said from generate_subscripts(shared, 1) i) s on s.attname = a.attname
     where n.nspname in ('meta', 'canonical') and c.relkind in ('r', 'p')
       and col_description(c.oid, a.attnum) is null
  loop
    execute format('comment on column %I.%I.%I is %L', bare.nspname, bare.relname, bare.attname, bare.said);
  end loop;
end $$;

-- The columns of canonical.samples say what those of canonical.sample_values say.
do $$
declare
  said record;
begin
  for said in
    select v.attname, col_description(t.attrelid, t.attnum) as words
      from pg_attribute v
      join pg_attribute t on t.attrelid = 'canonical.sample_values'::regclass and t.attname = v.attname
     where v.attrelid = 'canonical.samples'::regclass and v.attnum > 0
  loop
    execute format('comment on column canonical.samples.%I is %L', said.attname, said.words);
  end loop;
end $$;
