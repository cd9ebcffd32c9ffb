-- The same document failed under another number, and came by standard input this time: only the published row is known by it.
update meta.import_file set inner_digest = null
 where user_id = $1 and account_id = $2 and inner_digest = $4 and side_sha256 = $5 and file_id <> $3 and status = 'failed'
