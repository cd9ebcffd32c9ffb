select (open_slice ->> 'from')::timestamptz, (open_slice ->> 'to')::timestamptz, open_slice ->> 'page_token'
  from meta.coverage
 where user_id = $1 and account_id = $2 and resource = $3 and open_slice is not null
