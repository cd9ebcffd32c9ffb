-- What a source has announced is part of the program; when a recurring job showed it last is part of the books.
create table meta.notices_shown (
  user_id       bigint      not null,
  source_system text        not null,
  kind          text        not null,
  on_date       date        not null,
  shown_at      timestamptz not null,
  primary key (user_id, source_system, kind, on_date)
);
alter table meta.notices_shown add constraint notices_shown_user_id_fkey foreign key (user_id) references meta.users;
comment on table meta.notices_shown is 'One dated notice of a source (its interface ends, moves, must be paid for) that `daily-refresh` has shown; it repeats one no sooner than after a week.';
comment on column meta.notices_shown.user_id is 'The person (meta.users).';
comment on column meta.notices_shown.source_system is 'The source that the notice is of.';
comment on column meta.notices_shown.kind is 'retirement | subscription | successor | addresses: what it announces.';
comment on column meta.notices_shown.on_date is 'The day that it announces.';
comment on column meta.notices_shown.shown_at is 'When it was shown last.';
