-- grain: one row per stretch of a Withings sleep that has values by the minute: heart rate, breaths, RMSSD and SDNN apart
-- Zeros mean that there is none. The day is that of the home zone.
with fields (field, metric_code, is_total) as (values
    ('hr', 'heart_rate', false), ('rr', 'respiratory_rate', false), ('rmssd', 'hrv_rmssd', false), ('sdnn_1', 'hrv_sdnn', false)),
