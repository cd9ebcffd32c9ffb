with changed as (
  select r.* from {raw} r where r.user_id = $1 and r.account_id = $2
)
select * from (
{model}
) m;
