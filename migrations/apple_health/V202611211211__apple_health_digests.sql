-- The short ways of records (docs/adr/28): a digest of each day, so that an export that says nothing new touches no row; and a part of the table for
-- each account, so that its first import can be loaded without an index and without being seen, and become part of the whole in one step.
create table apple_health_raw.digests (
  user_id    bigint  not null,
  account_id bigint  not null,
  type_id    integer not null,
  day        date    not null,
  records    integer,
  id_sum     uuid,
  nested     integer,
  nested_sum uuid,
  primary key (user_id, account_id, type_id, day),
  check (num_nulls(records, id_sum, nested, nested_sum) in (0, 4))
);
comment on table apple_health_raw.digests is 'What the newest export held of one type on one day, and records holds. Deleting rows here is safe: the next export is then compared row by row.';
comment on column apple_health_raw.digests.user_id is 'The person (meta.users).';
comment on column apple_health_raw.digests.account_id is 'The account of the person (meta.source_accounts).';
comment on column apple_health_raw.digests.type_id is 'Type of the records (types).';
comment on column apple_health_raw.digests.day is 'Day of UTC in which they start.';
comment on column apple_health_raw.digests.records is 'How many stand at the top of the export, 0 where there were some once; null: records may hold something else than an export did, so its rows are compared the next time.';
comment on column apple_health_raw.digests.id_sum is 'Sum of their ids modulo 2^128; null like records.';
comment on column apple_health_raw.digests.nested is 'How many stand inside correlations, where most of them are repeated at the top; null like records.';
comment on column apple_health_raw.digests.nested_sum is 'Sum of the ids of those modulo 2^128; null like records.';

-- Rows that are there move into parts; the views over them stay what they are. Keys and indexes of the old table are renamed out of the way.
create temp table moved_views on commit drop as
select distinct n.nspname, v.relname, v.reloptions, pg_get_viewdef(v.oid) as definition
  from pg_depend d
  join pg_rewrite w on w.oid = d.objid
  join pg_class v on v.oid = w.ev_class and v.relkind = 'v'
  join pg_namespace n on n.oid = v.relnamespace
 where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = 'apple_health_raw.records'::regclass;

alter table apple_health_raw.records rename to records_before;
alter index apple_health_raw.records_pkey rename to records_before_pkey;
alter index apple_health_raw.records_run_idx rename to records_before_run_idx;
alter index apple_health_raw.records_missing_idx rename to records_before_missing_idx;

create table apple_health_raw.records (
  like apple_health_raw.records_before including defaults including constraints including comments including storage including compression
) partition by range (user_id, account_id);
alter table apple_health_raw.records add primary key (user_id, account_id, type_id, start_at, id, ordinal);
-- Rows lie in the order of their runs, so a summary of pages finds those of a run, and those that are missing, and costs next to nothing.
create index records_run_idx on apple_health_raw.records using brin (run_id, missing_since_run_id);
comment on table apple_health_raw.records is 'One Record element at the top of an export: one sample of one type. Each account has a part of its own, records_<user_id>_<account_id>.';

-- Makes the part of an account, without indexes. It belongs to nothing yet; what a COPY does not send is filled in here.
create function apple_health_raw.create_records(person bigint, account bigint, file bigint, run bigint) returns text
  language plpgsql
as $$
declare
  own constant text := format('records_%s_%s', person, account);
begin
  execute format('create table apple_health_raw.%I (like apple_health_raw.records including defaults including constraints including comments
                    including storage including compression)', own);
  execute format('alter table apple_health_raw.%I
                    alter user_id set default %s, alter account_id set default %s, alter file_id set default %s, alter run_id set default %s,
                    alter ordinal set default 1,
                    add constraint own_account check (user_id is not null and user_id = %2$s and account_id is not null and account_id = %3$s)',
                 own, person, account, file, run);
  return format('apple_health_raw.%I', own);
end $$;
comment on function apple_health_raw.create_records(bigint, bigint, bigint, bigint) is
  'Makes the table that takes the first rows of an account in an import of its own; says its name.';

-- Builds the key and the other indexes over the rows, and makes them part of the whole.
create function apple_health_raw.attach_records(person bigint, account bigint) returns void
  language plpgsql
as $$
declare
  own constant text := format('records_%s_%s', person, account);
begin
  execute format('alter table apple_health_raw.%I alter user_id drop default, alter account_id drop default, alter file_id drop default,
                    alter run_id drop default, alter ordinal drop default', own);
  execute format('alter table apple_health_raw.records attach partition apple_health_raw.%I for values from (%s, %s) to (%s, %s)',
                 own, person, account, person, account + 1);
  execute format('alter table apple_health_raw.%I drop constraint own_account', own);
  -- All rows are of this account. A planner that does not know expects next to none, whatever it is asked for.
  execute format('alter table apple_health_raw.%I alter user_id set statistics 1, alter account_id set statistics 1', own);
  execute format('analyze apple_health_raw.%I (user_id, account_id)', own);
end $$;
comment on function apple_health_raw.attach_records(bigint, bigint) is 'Makes the table of an account part of records.';

do $$
declare
  old constant oid := 'apple_health_raw.records_before'::regclass;
  one record;
begin
  for one in select distinct user_id, account_id from apple_health_raw.records_before loop
    execute format('insert into %s select * from apple_health_raw.records_before where user_id = $1 and account_id = $2',
                   apple_health_raw.create_records(one.user_id, one.account_id, 0, 0))
      using one.user_id, one.account_id;
    perform apple_health_raw.attach_records(one.user_id, one.account_id);
  end loop;
  -- The owner stays, and so does whoever was let in.
  execute format('alter table apple_health_raw.records owner to %I', (select pg_get_userbyid(relowner) from pg_class where oid = old));
  for one in
    select a.privilege_type, a.is_grantable, case when a.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
      from pg_class c, aclexplode(c.relacl) a
     where c.oid = old and a.grantee <> c.relowner
  loop
    execute format('grant %s on apple_health_raw.records to %s %s', one.privilege_type, one.grantee,
                   case when one.is_grantable then 'with grant option' end);
  end loop;
  for one in select * from moved_views loop
    execute format('create or replace view %I.%I %s as %s', one.nspname, one.relname,
                   coalesce('with (' || array_to_string(one.reloptions, ', ') || ')', ''), one.definition);
  end loop;
end $$;
drop table apple_health_raw.records_before;
analyze apple_health_raw.records;
