 cross join lateral jsonb_array_elements(coalesce(n.children, '[]')) e(part)
 cross join lateral jsonb_populate_record(null::{child}, e.part || jsonb_build_object('user_id', n.user_id, {id_name}, n.{id})) p
