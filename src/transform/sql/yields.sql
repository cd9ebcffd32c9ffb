
     -- what a later record says stays, as long as that one has not changed
     and (t.raw_source_id is null or t.retired_at is not null or t.mapping_version <> m.mapping_version
          or t.raw_source_id <= m.raw_source_id collate "C" or t.raw_source_id in (select source_id from changed))
