-- What a script wants to know about the demo's database, as one JSON object.
select json_build_object(
  'raw', json_build_object(
    'cycles', (select count(*) from whoop_raw.cycles),
    'sleeps', (select count(*) from whoop_raw.sleeps),
    'recoveries', (select count(*) from whoop_raw.recoveries),
    'workouts', (select count(*) from whoop_raw.workouts)),
  'canonical', json_build_object(
    'sleep_sessions', (select count(*) from canonical.sleep_sessions),
    'workouts', (select count(*) from canonical.workouts),
    'scores', (select count(*) from canonical.scores),
    'biometrics_vitals', (select count(*) from canonical.biometrics_vitals),
    'daily_summaries', (select count(*) from canonical.daily_summaries)),
  'retired_workouts', (select count(*) from canonical.workouts where retired_at is not null),
  'rejects', (select count(*) from meta.rejects)
)::text
