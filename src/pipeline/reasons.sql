-- why records could not be used in one run: all of them without a code, then the most frequent reason first
select j.code, count(distinct j.record)
  from (select code
             , coalesce((locator ->> 'raw_table') || ' ' || (locator ->> 'raw_source_id'), reject_id::text) as record
          from meta.rejects
         where user_id = $1 and run_id = $2
           and (payload is not null or first_seen = $3)  -- a row that canonical refused before was told of then
       ) j
 group by grouping sets ((), (j.code))
 order by j.code is not null, count(distinct j.record) desc, j.code
