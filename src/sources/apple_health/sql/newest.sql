select max(e.exported_at), max(e.exported_at) filter (where f.mode = 'complete')
  from apple_health_raw.exports e
  join meta.import_file f on f.user_id = e.user_id and f.file_id = e.file_id
 where e.user_id = $1 and e.account_id = $2 and f.status = 'published'
