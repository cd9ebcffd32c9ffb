select to_char(local_date, 'YYYY-MM') as month, count(*) as nights,
       round(avg(asleep_s) / 3600.0, 2) as hours_asleep, round(avg(in_bed_s) / 3600.0, 2) as hours_in_bed
  from api.sleep_day
 group by 1 order by 1 desc limit 6;
