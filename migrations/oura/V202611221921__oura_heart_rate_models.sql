-- Heart rates have two models of other names, which refuse what is no number themselves: nobody else would close what these had refused.
update meta.rejects set resolved_run_id = run_id
 where resource in ('oura.series_heartrate', 'oura.unusable_heartrate') and resolved_run_id is null;
delete from meta.model_state where model in ('oura.series_heartrate', 'oura.unusable_heartrate');
