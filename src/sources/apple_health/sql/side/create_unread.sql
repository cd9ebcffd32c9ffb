-- Side files that were set aside, by kind.
create temp table apple_health_unread (kind text not null)
