with changed as (select r.* from {raw} r where false)
select * from (
{model}
) m
