select model, text_hash, watermark from meta.model_state where user_id = $1 and account_id = $2
