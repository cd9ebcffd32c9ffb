insert into meta.users (user_id, label, home_tz)
select 1, $1, $2
 where not exists (select from meta.users)
