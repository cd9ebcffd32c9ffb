                  ) u
                 where u.value is not null and u.at is not null
                offset 0
              ) r
             group by r.oddity
          ) v
        offset 0
      ) g
  ) f
