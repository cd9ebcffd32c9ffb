select to_regclass(format('apple_health_raw.records_%s_%s', $1::bigint, $2::bigint)) is not null
