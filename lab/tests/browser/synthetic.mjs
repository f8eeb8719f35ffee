// Writes a recording that resembles a run of Raft, without a run: `node synthetic.mjs EVENTS`.
// So the browser test can measure a page of any size, and every mark occurs in it.

let state = 12345;
const random = () => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return state / 2 ** 32;
};
const below = (n) => Math.floor(random() * n);

const wanted = Number(process.argv[2] ?? 3000);
const nodes = ["S0", "S1", "S2", "S3", "S4"];
const clients = ["C0", "C1", "C2"];
const events = [];
let call = 0;
let task = 100;
let term = 0;
let leader = 0;
let index = 0;
let operation = 0;

const push = (at, kind, node, fields, by = 0) => events.push({ kind, at: Math.round(at), task: by, node, ...fields });

/** A call with all its events; `acts` writes what the handler does. */
function rpc(at, from, to, method, args, reply, { fate = "ok", acts, reacts } = {}) {
  const [id, caller, handler] = [++call, ++task, ++task];
  push(at, "request", from, { call: id, end: `${from}>${to}`, from, to, method, bytes: 40 + below(100), args }, caller);
  if (fate === "request" || fate === "unreachable") {
    push(at + (fate === "request" ? 300 : 7e5), "lost", from, { call: id, why: fate });
    return;
  }
  const arrived = at + 120 + below(700);
  push(arrived, "arrive", to, { call: id }, handler);
  acts?.(arrived + 5, handler);
  push(arrived + 20, "return", to, { call: id, reply, bytes: 20 }, handler);
  if (fate === "reply") {
    push(arrived + 300, "lost", to, { call: id, why: "reply" });
    return;
  }
  const answered = arrived + 150 + below(700);
  push(answered, "reply", from, { call: id }, caller);
  reacts?.(answered + 10, caller);
}

const log = (node, topic, text) => (at, by) => push(at, "log", node, { topic, text: `${node}@${term} ${text}` }, by);

function election(at, winner) {
  term++;
  leader = winner;
  const me = nodes[winner];
  log(me, "VOTE", `stands for election, log ends at ${index}@${term - 1}`)(at, 1);
  let granted = 0;
  for (const peer of nodes.filter((node) => node !== me)) {
    rpc(at + 20, me, peer, "RequestVote", `RequestVoteArgs { term: ${term}, candidate_id: ${winner}, last_log: ${index}@${term - 1} }`,
      `RequestVoteReply { term: ${term}, vote_granted: true }`, {
        acts: (when, by) => {
          push(when, "save", peer, { what: "persister", state: 100, snapshot: 0 }, by);
          log(peer, "VOTE", `granted to ${me}`)(when, by);
        },
        reacts: (when, by) => {
          if (++granted === 2) log(me, "LEAD", `leads, log ends at ${index}@${term - 1}`)(when, by);
        },
      });
  }
}

function heartbeat(at, alive) {
  const me = nodes[leader];
  for (const peer of nodes.filter((node) => node !== me)) {
    const fate = !alive.has(peer) || !alive.has(me) ? "unreachable" : ["request", "reply"][below(40)] ?? "ok";
    rpc(at + below(50), me, peer, "AppendEntries", `AppendEntriesArgs { term: ${term}, leader_id: ${leader}, prev_log: ${index}@${term}, entries: [], leader_commit: ${index} }`,
      `AppendEntriesReply { term: ${term}, success: true, conflict: None }`, { fate });
  }
}

function command(at, alive) {
  const me = nodes[leader];
  const client = below(clients.length);
  const id = ++operation;
  index++;
  const text = `Append("k${below(4)}", "x ${client} ${index} <b>&</script>\u2028")`;
  push(at, "begin", "test", { operation: id, client: clients[client], text });
  rpc(at + 10, clients[client], me, "Execute", `ExecuteArgs { client: ${client}, sequence: ${index}, command: ${text} }`, "Ok(\"\")", {
    acts: (when, by) => push(when, "save", me, { what: "persister", state: 200, snapshot: 0 }, by),
  });
  for (const peer of nodes.filter((node) => node !== me && alive.has(node))) {
    rpc(at + 900 + below(50), me, peer, "AppendEntries", `AppendEntriesArgs { term: ${term}, leader_id: ${leader}, prev_log: ${index - 1}@${term}, entries: [Entry { term: ${term}, command: b"${text.slice(0, 40)}" }], leader_commit: ${index - 1} }`,
      `AppendEntriesReply { term: ${term}, success: true, conflict: None }`, {
        acts: (when, by) => {
          push(when, "save", peer, { what: "persister", state: 200, snapshot: 0 }, by);
          log(peer, "LOG1", `appends ${index}@${term}`)(when, by);
        },
        reacts: log(me, "CMIT", `commits up to ${index}`),
      });
  }
  push(at + 4000, "complete", "test", { operation: id, text: '"x"' });
}

let at = 300_000;
const alive = new Set(nodes);
push(0, "network", "test", { text: "unreliable" });
election(at, 2);
at += 10_000;
for (let round = 1; events.length < wanted * 0.97; round++) {
  if (round % 60 === 20) {
    const victim = nodes[below(5)];
    alive.delete(victim);
    push(at, "fault", "test", { verb: "disconnect", servers: [victim] });
    push(at, "state", "test", { server: victim, term, up: true, connected: false });
  } else if (round % 60 === 45) {
    nodes.filter((node) => !alive.has(node)).forEach((node) => {
      push(at, "fault", "test", { verb: "connect", servers: [node] });
      alive.add(node);
    });
    election(at + 2000, below(5));
  } else if (round % 60 === 55) {
    push(at, "fault", "test", { verb: "crash", servers: ["S1"] });
    push(at + 60_000, "fault", "test", { verb: "start", servers: ["S1"] });
  } else if (round % 3 === 0) {
    heartbeat(at, alive);
  } else {
    command(at, alive);
  }
  at += round % 60 === 19 ? 900_000 : 8000 + below(8000);
}
push(at - 2000, "accident", "", { id: "6273d91b", what: "request-lost", call: 7, text: "the request <b>AppendEntries</b> from S2 to S4 is lost" });
push(at - 1000, "accident", "S3", { id: "ebb88e4c", what: "stall", text: "a task of S3 stands still for 12 ms in send at src/raft.rs:7" });
push(at - 1000, "fault", "S3", { verb: "stall", servers: ["S3"], micros: 12_000 });
push(at, "accident", "test", { id: "0273d91b", what: "coin", text: "the test's coin at tests/x.rs:12 falls: the servers are split" });
push(at, "fault", "test", { verb: "partition", servers: nodes, sides: [["S0", "S1"], ["S2", "S3", "S4"]] });
election(at + 30_000, 3);
command(at + 35_000, alive);
at += 60_000;
const actual = `commit index=${index} server=3 "<img src=x onerror=alert(1)>" != server=1 "y"`;
push(at + 3e6, "violation", "test", { property: "servers apply the same command at each index", actual, culprit: { server: "S3", at: Math.round(at), index } });

events.sort((a, b) => a.at - b.at);
const lines = [{ kind: "run", version: 1, test: "raft synthetic", lab: "raft", seed: 7, policy: "stall", only: "6273d91b,ebb88e4c,0273d91b" }];
lines.push(...events);
lines.push({ kind: "end", at: Math.round(at + 3e6), result: "failed", report: `failed\n  actual ${actual}`, hash: "0".repeat(16), left_out: { "ends of long arguments": 3 } });
process.stdout.write(lines.map((line) => JSON.stringify(line)).join("\n") + "\n");
