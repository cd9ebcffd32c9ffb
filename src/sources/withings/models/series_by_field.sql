                    -- an object for each field, and in it a value for each time
                    select k.metric_code, k.plausible_lo, k.plausible_hi, to_timestamp(j.at::bigint) as at, j.place::integer - 1 as seq
                         , null::double precision as length_s, false as is_share, nullif(meta.reading(j.value), 0) as value
                         , coalesce(meta.number_or_null(t.p->>'model_id') >= 1051, false) as is_copy
                      from known k
                     cross join lateral jsonb_each(case when jsonb_typeof(t.p->k.field) = 'object' then t.p->k.field end) with ordinality j (at, value, place)
                     where j.value <> 'null'
                    offset 0
