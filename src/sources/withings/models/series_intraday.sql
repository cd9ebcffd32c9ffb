-- grain: one row per hour of Withings activity that has values: counts for their stretch of time, readings for their instant
-- A heart rate, a saturation or a variability of 0 means that there is none, and a saturation up to 1 is a share of one. An entry with nothing but its
-- length says that nobody moved. The day is that of the home zone.
with fields (field, metric_code, is_total) as (values
    ('steps', 'steps', true), ('elevation', 'floors', true), ('calories', 'energy_active', true), ('distance', 'distance_total', true),
    ('stroke', 'swim_strokes', true), ('heart_rate', 'heart_rate', false), ('spo2_auto', 'spo2', false), ('rmssd', 'hrv_rmssd', false),
    ('sdnn1', 'hrv_sdnn', false), ('rr', 'respiratory_rate', false), ('core_body_temperature', 'body_temperature', false)),
