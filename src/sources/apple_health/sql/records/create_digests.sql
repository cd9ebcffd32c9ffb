-- The days whose records are compared, with what the document holds of each.
create temp table apple_health_digests (
  type_id    integer not null,
  day        date    not null,
  records    integer not null,
  id_sum     uuid    not null,
  nested     integer not null,
  nested_sum uuid    not null
);
-- Three thousand rows tell the planner enough, and are read ten times as fast as its thirty.
alter table pg_temp.apple_health_digests alter type_id set statistics 10, alter day set statistics 10
