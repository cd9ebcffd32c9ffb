create function meta.day(said text) returns date
  language plpgsql stable strict parallel safe
as $$
begin
  -- Without this guard 'today' and 'infinity' would be taken.
  if said !~ '^\d{4}-\d\d-\d\d$' then
    raise exception using errcode = 'invalid_datetime_format', message = 'not a day as YYYY-MM-DD';
  end if;
  return said::date;
end $$;
comment on function meta.day(text) is
  'A day written as YYYY-MM-DD. Anything else is a data error, so that the record is rejected and not guessed at. Null for null.';
