select payload, locator from meta.rejects where user_id = $1 and reject_id = $2
