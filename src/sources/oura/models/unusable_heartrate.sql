-- grain: one row per hour of Oura heart rates with one that is no number, null is a reading without a value
select c.source_id                                                   as raw_source_id
     , 'not_a_number'                                                as code
     , 'data[' || min(e.place) - 1 || '].bpm: not a number'          as detail
  from (
    select source_id, payload::jsonb as p
      from changed
    offset 0
  ) c
 cross join lateral jsonb_array_elements(c.p->'data') with ordinality e (item, place)
 where jsonb_typeof(e.item->'bpm') not in ('number', 'null')
   and meta.number_or_null(e.item->>'bpm') is null
 group by c.source_id
