-- Small functions that models and the engine share: one definition of each rule. No function reads a table or a setting.

create function meta.row_id(source_system text, account_id bigint, raw_source_id text, raw_path text) returns uuid
  language sql immutable parallel safe
  return md5(source_system || '|' || account_id::text || '|' || raw_source_id || '|' || raw_path)::uuid;
comment on function meta.row_id(text, bigint, text, text) is
  'Id of the canonical row made from one place of one raw record: the same record always makes the same row. raw_path is empty for a whole record.';

-- The next ones run for every field of every record. As an expression the usual case is worked out in place, and only the rest pays for a call:
-- an argument is read once for each use, so give a column or a field of a jsonb, never something to be parsed.
create function meta.instant_checked(said text) returns timestamptz
  language plpgsql stable strict parallel safe
as $$
begin
  -- Without this guard 'now', 'infinity' and times without a zone would be taken.
  if said !~ '^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d(:?\d\d)?)$' then
    raise exception using errcode = 'invalid_datetime_format', message = 'not an ISO 8601 instant with a zone';
  end if;
  return said::timestamptz;
end $$;
comment on function meta.instant_checked(text) is
  'What meta.instant calls for a text that is not in the usual form; call that one.';

create function meta.instant(said text) returns timestamptz
  language sql stable parallel safe
  return case
    -- digits in all places but these; a comparison of characters costs less than a regular expression
    when said like '____-__-__T__:__:__.___Z' and translate(said, '0123456789', '') = '--T::.Z' then said::timestamptz
    else meta.instant_checked(said)
  end;
comment on function meta.instant(text) is
  'ISO 8601 text with a zone as an instant. Anything else is a data error, so that the record is rejected and not guessed at. Null for null.';

create function meta.instant_guarded(said text) returns timestamptz
  language plpgsql stable strict parallel safe
as $$
begin
  return meta.instant_checked(said);
exception when data_exception then
  return null;
end $$;
comment on function meta.instant_guarded(text) is
  'What meta.instant_or_null calls for a text that may be no instant; call that one.';

create function meta.instant_or_null(said text) returns timestamptz
  language sql stable parallel safe
  return case
    -- What is surely an instant needs no net under it, which costs a subtransaction.
    when said like '____-__-__T__:__:__.___Z' and translate(said, '0123456789', '') = '--T::.Z' and said not like '0000%'
     and substr(said, 6, 2) collate "C" between '01' and '12' and substr(said, 9, 2) collate "C" between '01' and '30'
     and (substr(said, 9, 2) collate "C" < '29' or substr(said, 6, 2) collate "C" <> '02')
     and substr(said, 12, 2) collate "C" < '24' and substr(said, 15, 2) collate "C" < '60' and substr(said, 18, 2) collate "C" < '60'
      then said::timestamptz
    else meta.instant_guarded(said)
  end;
comment on function meta.instant_or_null(text) is
  'Like meta.instant, but null for what is no instant: for rows that a model only looks up, whose faults must not reject the row it is making.';

create function meta.number(said text) returns double precision
  language plpgsql immutable strict parallel safe
as $$
begin
  if said::double precision in ('NaN', 'Infinity', '-Infinity') then
    raise exception using errcode = 'invalid_text_representation', message = 'not a number';
  end if;
  return said::double precision;
end $$;
comment on function meta.number(text) is
  'Text of a JSON number as a number. Anything else is a data error, so that the record is rejected and not guessed at. Null for null.';

create function meta.number(field jsonb) returns double precision
  language sql immutable parallel safe
  return case when jsonb_typeof(field) = 'number' then field::double precision else meta.number(field #>> '{}') end;
comment on function meta.number(jsonb) is
  'A JSON number, or a string that spells one, as a number. Anything else is a data error, so that the record is rejected and not guessed at. Null for null.';

create function meta.number_guarded(said text) returns double precision
  language plpgsql immutable strict parallel safe
as $$
begin
  return meta.number(said);
exception when data_exception then
  return null;
end $$;
comment on function meta.number_guarded(text) is
  'What meta.number_or_null calls for a text that may be no number; call that one.';

create function meta.number_or_null(said text) returns double precision
  language sql immutable parallel safe
  return case when length(said) < 100 and said ~ '^-?\d+(\.\d+)?$' then said::double precision else meta.number_guarded(said) end;
comment on function meta.number_or_null(text) is
  'Like meta.number, but null for what is no number: for rows that a model only looks up, whose faults must not reject the row it is making.';

create function meta.offset_seconds(said text) returns integer
  language sql immutable parallel safe
  return case
    when said in ('Z', 'z') then 0
    when said ~ '^[+-](?:(?:0\d|1[0-7]):?[0-5]\d|18:?00)$'
      then (substr(said, 1, 1) || '1')::integer * (substr(said, 2, 2)::integer * 3600 + right(said, 2)::integer * 60)
  end;
comment on function meta.offset_seconds(text) is
  'UTC offset "+hh:mm", "-hh:mm", without the colon, or "Z" in seconds east of Greenwich; null for anything else and beyond 18 hours.';

create function meta.local_date(instant timestamptz, offset_s integer) returns date
  language sql immutable parallel safe
  return ((instant at time zone 'UTC') + make_interval(secs => coalesce(offset_s, 0)))::date;
comment on function meta.local_date(timestamptz, integer) is
  'Date on the wall at an instant where the clock is offset_s seconds ahead of UTC; the UTC date where the offset is null.';

create function meta.implausible(value double precision, lowest double precision, highest double precision) returns boolean
  language sql immutable parallel safe
  return coalesce(value < lowest or value > highest, false);
comment on function meta.implausible(double precision, double precision, double precision) is
  'Whether a value lies outside the plausible range of its metric (meta.metrics); a null bound does not bound, a null value is never implausible.';

create function meta.quality(flags text[]) returns real
  language sql immutable parallel safe
  return case when flags = '{}' then 1 else
      case when 'implausible'        = any (flags) then 0.1  else 1 end
    * case when 'unit_unknown'       = any (flags) then 0.3  else 1 end
    * case when 'modifier_unknown'   = any (flags) then 0.3  else 1 end
    * case when 'ocr'                = any (flags) then 0.6  else 1 end
    * case when 'ambiguous_user'     = any (flags) then 0.6  else 1 end
    * case when 'unit_assumed'       = any (flags) then 0.7  else 1 end
    * case when 'partial_day'        = any (flags) then 0.7  else 1 end
    * case when 'pdf_text'           = any (flags) then 0.8  else 1 end
    * case when 'manual'             = any (flags) then 0.8  else 1 end
    * case when 'tentative'          = any (flags) then 0.8  else 1 end
    * case when 'unverified'         = any (flags) then 0.8  else 1 end
    * case when 'tz_unknown'         = any (flags) then 0.9  else 1 end
    * case when 'day_inferred'       = any (flags) then 0.9  else 1 end
    * case when 'name_mapped'        = any (flags) then 0.9  else 1 end
    * case when 'stage_sum_mismatch' = any (flags) then 0.9  else 1 end
    * case when 'tz_ambiguous'       = any (flags) then 0.95 else 1 end
    * case when 'date_only'          = any (flags) then 0.95 else 1 end
    * case when 'computed_totals'    = any (flags) then 0.95 else 1 end
  end::real;
comment on function meta.quality(text[]) is
  'Quality of a row from its flags: the product of one factor for each. It orders candidates and is never a medical statement. Flags without a factor only inform.';

-- The shape of a raw table with one JSON payload per record, written once. A source's migration calls it for each resource; it also makes the
-- source's history table. Bulk samples have typed tables of their own. The statements it runs are DDL on names that migrations give.
create function meta.create_raw_table(raw_schema text, resource text) returns void
  language plpgsql
as $$
declare
  source_name text := coalesce(
    (select s.label from meta.source_systems s where raw_schema = s.source_system || '_raw'), raw_schema);
begin
  execute format($ddl$
    create table %1$I.%2$I (
      user_id              bigint not null,
      account_id           bigint not null,
      source_id            text   not null,
      record_at            timestamptz,
      payload              json   not null,
      hash                 bytea  not null,
      first_run_id         bigint not null,
      run_id               bigint not null,
      missing_since_run_id bigint,
      primary key (user_id, account_id, source_id)
    );
    create index %3$I on %1$I.%2$I (user_id, account_id, run_id);
    comment on table %1$I.%2$I is %4$L;
    comment on column %1$I.%2$I.user_id is 'The person (meta.users).';
    comment on column %1$I.%2$I.account_id is 'The account of the person (meta.source_accounts).';
    comment on column %1$I.%2$I.source_id is 'The provider''s id of the record as text, or a digest of its identity where it has none.';
    comment on column %1$I.%2$I.record_at is 'Place of the record in the time of its resource; null: it has none and is never retired for being absent.';
    comment on column %1$I.%2$I.payload is 'The record exactly as it was received.';
    comment on column %1$I.%2$I.hash is 'SHA-256 of the payload''s text.';
    comment on column %1$I.%2$I.first_run_id is 'Run that first stored the record (meta.import_runs).';
    comment on column %1$I.%2$I.run_id is 'Run that last changed the row (meta.import_runs).';
    comment on column %1$I.%2$I.missing_since_run_id is 'Run that read the record''s slice to the end and no longer found it; null: not missing.';
  $ddl$, raw_schema, resource, resource || '_run_idx',
    format('One record of the resource %s of %s, newest version, as it was received.', resource, source_name));

  if to_regclass(format('%I.history', raw_schema)) is null then
    execute format($ddl$
      create table %1$I.history (
        user_id         bigint  not null,
        account_id      bigint  not null,
        resource        text    not null,
        source_id       text    not null,
        version         integer not null,
        payload         json    not null,
        hash            bytea   not null,
        run_id          bigint  not null,
        replaced_run_id bigint  not null,
        primary key (user_id, account_id, resource, source_id, version)
      );
      comment on table %1$I.history is %2$L;
      comment on column %1$I.history.user_id is 'The person (meta.users).';
      comment on column %1$I.history.account_id is 'The account of the person (meta.source_accounts).';
      comment on column %1$I.history.resource is 'Raw table that the version was in.';
      comment on column %1$I.history.source_id is 'The provider''s id of the record as text, or a digest of its identity where it has none.';
      comment on column %1$I.history.version is '1, 2, 3 ...: oldest first.';
      comment on column %1$I.history.payload is 'The record exactly as it was received.';
      comment on column %1$I.history.hash is 'SHA-256 of the payload''s text.';
      comment on column %1$I.history.run_id is 'Run that stored this version (meta.import_runs).';
      comment on column %1$I.history.replaced_run_id is 'Run that replaced it (meta.import_runs).';
    $ddl$, raw_schema, format('One earlier version of one record of %s: what it said before it changed.', source_name));
  end if;
end $$;
comment on function meta.create_raw_table(text, text) is
  'Makes the raw table of one resource in schema <source>_raw, and the source''s history table with the first; for migrations.';
