-- The values of a dense series come by the ten thousand. A foreign key is looked up for each, and two of them took most of the time: models write
-- values in the statement that writes their origin, with metrics that the program knows, and whoever removes an origin removes its values. A key that
-- begins with the origin is also the way to the values of a record, so that one index less is kept.
alter table canonical.sample_points drop constraint sample_points_metric_code_fkey, drop constraint sample_points_origin_id_fkey;
alter table canonical.sample_points drop constraint sample_points_pkey;
alter table canonical.sample_points add primary key (user_id, origin_id, metric_code, seq);
drop index canonical.sample_points_origin_idx;
