-- An application is asked by all accounts at the source: what was counted last counts.
select quotas
  from meta.source_accounts
 where user_id = $1 and source_system = $2 and quotas is not null
 order by (select max(q ->> 'until') from jsonb_array_elements(quotas) q) desc
        , (select max((q ->> 'used')::bigint) from jsonb_array_elements(quotas) q) desc
 limit 1
