// Which lanes are shown, and which clients share one.

/** More clients than this share a lane, unless the viewer asks otherwise. */
const CLIENTS = 6;

/**
 * The rows of lanes: those of clients whose operations are to blame, those of servers, and those of
 * the other clients. Each is a list of one lane, or of the clients that share it.
 */
function laneRows(model, view) {
  const shown = model.lanes.filter((lane) => lane.kind !== "test" && !view.hidden.lane.has(lane.name));
  const single = (lanes) => lanes.map((lane) => [lane]);
  const servers = single(shown.filter((lane) => lane.kind === "server"));
  const clients = shown.filter((lane) => lane.kind === "client");
  const toBlame = new Set((model.illegal?.operations ?? []).map((it) => it.lane));
  const blamed = single(clients.filter((lane) => toBlame.has(lane.index)));
  const others = clients.filter((lane) => !toBlame.has(lane.index));
  const isShared = clients.length > CLIENTS && !view.splitClients && others.length > 0;
  return { blamed, servers, others: isShared ? [others] : single(others) };
}

/** The name of a row. */
function rowName(lanes) {
  return lanes.length > 1 ? `${lanes.length} clients` : lanes[0].name;
}
