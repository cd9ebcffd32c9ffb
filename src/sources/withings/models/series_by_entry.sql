                    -- an entry for each time, and in it the fields
                    select q.*
                         , q.metric_code = 'spo2' and q.said > 0 and q.said <= 1 as is_share
                         , case when q.metric_code = 'spo2' and q.said > 0 and q.said <= 1 then (q.said::text::numeric * 100)::double precision
                                when q.is_total then q.said else nullif(q.said, 0) end as value
                      from (
                        select k.metric_code, k.plausible_lo, k.plausible_hi, k.is_total, e.at, e.seq, e.is_copy
                             , case when k.is_total then meta.reading(e.entry->'duration') end as length_s
                             , meta.reading(e.entry->k.field)           as said
                          from (
                            select to_timestamp(j.at::bigint) as at, j.entry, j.place::integer - 1 as seq
                                 , coalesce(bool_or(meta.number_or_null(j.entry->>'model_id') >= 1051) over (), false) as is_copy
                              from jsonb_each(t.p) with ordinality j (at, entry, place)
                             where jsonb_typeof(j.entry) = 'object'
                            offset 0
                          ) e
                          join known k on e.entry->k.field <> 'null'
                        offset 0
                      ) q
                    offset 0
