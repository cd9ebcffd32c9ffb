-- The days whose records are compared, with what the document holds of each.
create temp table apple_health_digests (
  type_id    integer not null,
  day        date    not null,
  records    integer not null,
  id_sum     uuid    not null,
  nested     integer not null,
  nested_sum uuid    not null
)
