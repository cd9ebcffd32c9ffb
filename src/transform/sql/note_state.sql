insert into meta.model_state (user_id, account_id, model, text_hash, watermark, run_id)
values ($1, $2, $3, $4, $5, $5)
on conflict (user_id, account_id, model) do update
   set text_hash = excluded.text_hash, watermark = excluded.watermark, run_id = excluded.run_id
