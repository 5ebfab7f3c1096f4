// What the workspace is doing, once a second. The token comes in the address's fragment, which no server ever sees, or is
// typed in; it lives in this variable alone and is sent in a header alone.
"use strict";

let token = new URLSearchParams(location.hash.slice(1)).get("token") || "";
if (location.hash) history.replaceState(null, "", location.pathname);

const byId = (id) => document.getElementById(id);
const rows = [];
let lastRequest = 0;
let root = "workspace";
let folder = "/";
let filesSeen = "";

async function ask(path) {
  const answer = await fetch(path, {
    headers: { Authorization: "Bearer " + token },
    cache: "no-store",
    credentials: "omit",
    referrerPolicy: "no-referrer",
  });
  if (answer.status === 401 || answer.status === 403) throw new Error("refused");
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

// Every value is text: nothing that a command printed or a file is called can become markup.
function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = String(text);
  if (className) made.className = className;
  return made;
}

function row(...cells) {
  const made = element("tr");
  for (const cell of cells) {
    if (cell instanceof Node) {
      const box = element("td");
      box.append(cell);
      made.append(box);
    } else made.append(element("td", cell));
  }
  return made;
}

function state(text) {
  return element("span", text, "state " + text);
}

function fill(id, made, nothing) {
  byId(id).replaceChildren(...(made.length ? made : [row(element("span", nothing, "empty"))]));
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString();
}

function showCluster(cluster) {
  const box = element("div");
  const line = element("p");
  line.append(element("strong", cluster.cluster_name + " "), element("code", cluster.cluster_id + " "), state(cluster.state));
  line.append(" " + (cluster.state_message || ""));
  if (cluster.termination_reason) line.append(" " + cluster.termination_reason.code);
  const table = element("table");
  const head = element("tr");
  for (const name of ["Context", "Status", "Process", "Runs", "Waits"]) head.append(element("th", name));
  table.append(head);
  for (const context of cluster.contexts) {
    const running = context.running ? context.running.slice(0, 8) : "";
    table.append(row(element("code", context.id), state(context.status), context.pid, running, context.waiting.length || ""));
  }
  box.append(line);
  if (cluster.contexts.length) box.append(table);
  else box.append(element("p", "No contexts.", "empty"));
  return box;
}

function showCommand(command, now) {
  const end = command.ended_s || (command.started_s ? now : null);
  const took = command.started_s && end ? (end - command.started_s).toFixed(1) : "";
  const text = element("code", command.text.length > 300 ? command.text.slice(0, 300) + " ..." : command.text);
  return row(element("code", command.context_id.slice(-6)), state(command.status), command.result || "", took, text);
}

function showStatus(status) {
  byId("about").textContent = `${status.host} \u2013 ${status.user_name} \u2013 version ${status.version}`;
  byId("clusters").replaceChildren(...status.clusters.map(showCluster));
  const commands = status.clusters.flatMap((cluster) => cluster.commands).sort((a, b) => b.created_s - a.created_s);
  fill("commands", commands.slice(0, 30).map((command) => showCommand(command, status.now_ms / 1000)), "No commands yet.");
  const options = Object.entries(status.options).map(([name, value]) => row(element("code", name), String(value)));
  const faults = status.faults.map((rule) => {
    const made = row(element("code", rule.kind), `${rule.route} \u2013 seen ${rule.seen}, hit ${rule.hits} of ${rule.times ?? "all"}`);
    made.className = "hit";
    return made;
  });
  byId("options").replaceChildren(...faults, ...options);
}

function showRequests() {
  const shown = byId("polls").checked ? rows : rows.filter((request) => !request.path.endsWith("/status"));
  const made = shown.slice(-100).reverse().map((request) => {
    const kind = request.status >= 500 || request.status === 0 ? "bad" : request.status >= 400 ? "warn" : "ok";
    const status = element("span", request.status || "dropped", "state " + kind);
    const what = element("code", `${request.method} ${request.path}`);
    if (request.faults.length) what.append(element("span", "  fault: " + request.faults.join(", "), "hit"));
    const ms = ((request.ended_s - request.started_s) * 1000).toFixed(1);
    return row(request.n, clock(request.started_s), status, what, request.bytes_in, request.bytes_out, ms);
  });
  fill("requests", made, "No requests yet.");
}

function link(text, action) {
  const made = element("button", text, "link");
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

function go(newRoot, newFolder) {
  root = newRoot;
  folder = newFolder;
  showFiles().catch(failed);
}

async function showFiles() {
  const found = await ask(`/_local/files?${new URLSearchParams({ root, path: folder })}`);
  const seen = JSON.stringify([root, found]);
  if (seen === filesSeen) return; // a link that is being clicked must not be replaced under the pointer
  filesSeen = seen;
  const crumbs = [];
  for (const [name, title] of [["workspace", "/Workspace"], ["dbfs", "dbfs:/"], ["volumes", "/Volumes"]]) {
    crumbs.push(name === root ? element("strong", title) : link(title, () => go(name, "/")), " ");
  }
  const parts = found.path.split("/").filter(Boolean);
  parts.forEach((part, n) => crumbs.push("/", link(part, () => go(root, "/" + parts.slice(0, n + 1).join("/")))));
  byId("crumbs").replaceChildren(...crumbs);
  const made = found.entries.map((entry) => {
    const name = entry.is_dir ? link(entry.name + "/", () => go(root, found.path.replace(/\/$/, "") + "/" + entry.name)) : element("code", entry.name);
    return row(name, entry.is_dir ? "" : entry.size, new Date(entry.modified_ms).toLocaleString());
  });
  fill("files", made, "Nothing here.");
}

function failed(error) {
  if (error.message === "refused") {
    token = "";
    byId("live").hidden = true;
    byId("login").hidden = false;
    byId("refused").textContent = "That is not the token of this workspace.";
  } else byId("about").textContent = "The workspace does not answer.";
}

async function look() {
  if (token && !document.hidden) {
    try {
      const [status, log] = await Promise.all([ask("/_local/status"), ask(`/_local/requests?after=${lastRequest}&limit=500`), showFiles()]);
      for (const request of log.requests) lastRequest = Math.max(lastRequest, request.n);
      rows.push(...log.requests);
      rows.splice(0, rows.length - 1000);
      byId("login").hidden = true;
      byId("live").hidden = false;
      showStatus(status);
      showRequests();
    } catch (error) {
      failed(error);
    }
  }
  setTimeout(look, 1000);
}

byId("login").hidden = Boolean(token);
byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value.trim();
  byId("token").value = "";
  byId("refused").textContent = "";
});
byId("polls").addEventListener("change", showRequests);
look();
