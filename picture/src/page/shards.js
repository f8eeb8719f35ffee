// Which group serves which shard when, below the lanes of the overview.

const SHARD_ROW = 11;

/**
 * For each shard: `{shard, spans: [{owner, from, to}]}`. A test sees an owner only when it probes, so
 * a span reaches from the first of several sightings of the same owner to the last.
 */
function ownership(model) {
  const shards = new Map();
  for (const { at, shard, owner } of model.shards) {
    const spans = shards.get(shard) ?? [];
    shards.set(shard, spans);
    const last = spans[spans.length - 1];
    if (last?.owner === owner) last.to = at;
    else spans.push({ owner, from: at, to: at, shard });
  }
  const rows = [...shards].map(([shard, spans]) => ({ shard, spans }));
  return rows.sort((a, b) => a.shard - b.shard);
}

function drawShards(o) {
  const { g, ink } = o;
  const owners = new Map();
  for (const row of o.owned) for (const span of row.spans) owners.set(span.owner, 0);
  [...owners.keys()].sort().forEach((owner, i) => owners.set(owner, i));
  g.font = ink.small;
  g.textAlign = "left";
  o.owned.forEach(({ spans }, i) => {
    const y = o.shardTop + i * SHARD_ROW;
    for (const span of spans) {
      if (span.to < o.from || span.from > o.to) continue;
      const [x1, x2] = [Math.max(o.left, o.x(span.from)), Math.min(o.right + 12, o.x(span.to))];
      g.fillStyle = ink.owner(owners.get(span.owner));
      g.fillRect(x1, y, Math.max(3, x2 - x1), SHARD_ROW - 1);
      if (x2 - x1 > span.owner.length * 7 + 6) {
        g.fillStyle = ink.ink;
        g.fillText(span.owner, x1 + 3, y + SHARD_ROW / 2);
      }
    }
  });
}

function drawShardNames(o) {
  if (o.owned.length === 0) return;
  const { g, ink } = o;
  g.font = ink.small;
  g.fillStyle = ink.ink;
  g.fillText("shards, by the group that was seen serving them", 8, o.shardTop - 9);
  o.owned.forEach(({ shard }, i) => {
    g.fillText(String(shard), o.left - 22, o.shardTop + (i + 0.5) * SHARD_ROW);
  });
}
