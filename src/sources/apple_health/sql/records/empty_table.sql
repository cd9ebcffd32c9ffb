select format('apple_health_raw.%I', format('records_%s_%s', $1::bigint, $2::bigint))
 where to_regclass(format('apple_health_raw.records_%s_%s', $1::bigint, $2::bigint)) is not null
   and not exists (select from apple_health_raw.records where user_id = $1 and account_id = $2)
