-- grain: one row per record that cannot be converted: its unit, or its category value, is not in the mapping
select c.source_id as raw_source_id
     , case when c.is_category then 'value_unknown' else 'unit_unknown' end as code
     , case
         when c.is_category    then c.type || ': a value that is not known'
         when c.unit is null   then c.type || ': a value without a unit'
         else c.type || ': the unit "' || left(c.unit, 40) || '" cannot be converted'
       end as detail
  from changed c
