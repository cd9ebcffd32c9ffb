-- A record of many readings is refused for one that is no number, and then made once more without it: what is good in it stays, and the refusal is
-- on record. To look for such readings beforehand would be one more look at each of millions.
create function meta.unread(said text) returns double precision
  language plpgsql stable parallel safe
as $$
begin
  if current_setting('health.unread', true) = 'left out' then
    return null;
  end if;
  raise exception using errcode = 'invalid_text_representation', message = 'a reading is not a number';
end $$;
comment on function meta.unread(text) is
  'What meta.reading calls for a reading that is no number: a data error, or null where the record was refused for it and health.unread says to leave it out.';

create function meta.reading(field jsonb) returns double precision
  language sql stable parallel safe
  return case jsonb_typeof(field)
    when 'number' then field::double precision
    when 'string' then case when translate(field #>> '{}', '0123456789', '') = '' then nullif(field #>> '{}', '')::double precision
                            else coalesce(meta.number_or_null(field #>> '{}'), meta.unread(field #>> '{}')) end
    when 'null' then null
    when 'boolean' then meta.unread(field #>> '{}')
    when 'array' then meta.unread('')
    when 'object' then meta.unread('')
  end;
comment on function meta.reading(jsonb) is
  'One reading of many as a number: a JSON number, or a string that spells one. Null for null and for an empty string. Anything else is a data error, which costs the record that reading alone.';
