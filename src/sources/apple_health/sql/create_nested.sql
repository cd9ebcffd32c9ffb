-- Records inside correlations, in the form of the stage of records; most are repeated at the top of the document.
create temp table apple_health_nested (like pg_temp.apple_health_records)
