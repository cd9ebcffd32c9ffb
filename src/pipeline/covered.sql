select resource, upper(covered)
  from meta.coverage
 where user_id = $1 and account_id = $2 and not isempty(covered)
