-- Strava: lists by record, what is read activity by activity as one row for each, keyed by the activity.
create schema strava_raw;
comment on schema strava_raw is 'Strava as received: one table for each resource, earlier versions in history.';
select meta.create_raw_table('strava_raw', resource)
  from unnest(array['athlete','athlete_zones','athlete_stats','activities','activity_details','activity_laps','activity_zones','activity_streams',
                    'gear']) resource;
comment on table strava_raw.athlete is 'The athlete: names, weight and threshold power as they are now, gear, clubs. Key: id.';
comment on table strava_raw.athlete_zones is 'The athlete''s heart rate and power zones. A snapshot, stored when it differs from the last one.';
comment on table strava_raw.athlete_stats is 'Totals of the athlete''s activities that everyone may see. Key: id of the athlete.';
comment on table strava_raw.activities is 'One activity as the list has it. Key: id.';
comment on table strava_raw.activity_details is 'One activity whole: description, energy, laps, splits, best and segment efforts. Key: id of the activity.';
comment on table strava_raw.activity_laps is 'All laps of one activity whose details have none. Key: id of the activity.';
comment on table strava_raw.activity_zones is 'Time in zones of one activity: heart rate, power, pace. Key: id of the activity.';
comment on table strava_raw.activity_streams is 'The series of one activity, parallel arrays by name. Key: id of the activity.';
comment on table strava_raw.gear is 'One bike or pair of shoes. Key: id, b… or g….';
