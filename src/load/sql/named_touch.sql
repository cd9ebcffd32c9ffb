-- It says what it said, but what leads to it says something else: models look at it again.
update {raw} set run_id = $4 where user_id = $1 and account_id = $2 and source_id = $3 and run_id <> $4
