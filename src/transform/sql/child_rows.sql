 cross join lateral unnest(n.children) p
