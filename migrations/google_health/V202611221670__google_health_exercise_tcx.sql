-- Tracks of exercises, read one by one.
select meta.create_raw_table('google_health_raw', 'exercise_tcx');
comment on table google_health_raw.exercise_tcx is 'The track of one exercise, as text in the form TCX: {"tcxData": "…"}. Key: the last part of the exercise''s name.';
