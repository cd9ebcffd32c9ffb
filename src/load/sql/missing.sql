-- Records that lie wholly in the window, and those of them that it does not list.
select count(*), count(*) filter (where t.source_id <> all ($5::text[]))
  from {raw} t
 where t.user_id = $1 and t.account_id = $2
   and t.record_at >= $3 and t.record_at < $4 and {last} < $4
   and t.missing_since_run_id is null
