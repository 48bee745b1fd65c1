// Sends the requests of buttons and forms, says why one was refused, and replaces the live parts by their newest state.
"use strict";

const PAUSE_MS = 2000;
const says = document.getElementById("says");

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-verb]");
  if (button) ask(button, button, undefined);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.verb) return;
  event.preventDefault();
  const file = form.querySelector("input[type=file]");
  ask(form, form.querySelector("button"), file ? file.files[0] : bodyOf(form));
});

async function ask(what, button, body) {
  button.disabled = true;
  let path = what.dataset.path;
  if (body && path.includes("{name}")) {
    path = path.replace("{name}", encodeURIComponent(body.name));
    delete body.name;
  }
  const isFile = body instanceof File;
  const headers = isFile ? { "content-type": "application/gzip" } : body ? { "content-type": "application/json" } : {};
  if (body && !isFile && what.dataset.verb === "POST") headers["idempotency-key"] = newKey();
  try {
    const sent = isFile ? body : body && JSON.stringify(body);
    const answer = await fetch(path, { method: what.dataset.verb, headers, body: sent });
    const said = answer.status === 204 ? {} : await answer.json();
    if (answer.ok && "follows" in what.dataset) {
      location.href = `/runs/${encodeURIComponent(said.id)}`;
    } else if (answer.ok) {
      say("");
      what.closest("details")?.removeAttribute("open");
      await refresh();
    } else {
      say(said.detail);
    }
  } catch (error) {
    say(`The service does not answer: ${error}`);
  }
  button.disabled = false;
}

// crypto.randomUUID exists on https and on loopback only.
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (each) => each.toString(16)).join("-");
}

function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.value === "") continue;
    const kind = field.dataset.as;
    body[field.name] = kind === "pairs" ? pairsOf(field.value) : kind === "number" ? Number(field.value) : field.value;
  }
  return body;
}

// As the command line reads them: a value that is not JSON is a text.
function pairsOf(text) {
  const found = {};
  for (const line of text.split("\n").filter((each) => each.trim())) {
    const at = line.indexOf("=");
    const [name, value] = at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    try {
      found[name] = JSON.parse(value);
    } catch {
      found[name] = value;
    }
  }
  return found;
}

function say(text) {
  says.textContent = text;
  if (text) says.scrollIntoView({ block: "nearest" });
}

// Keeps what is ticked and opened, and the focus.
async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.body.dataset.moving = fresh.body.dataset.moving;
  for (const part of document.querySelectorAll(".live")) {
    const newer = fresh.getElementById(part.id);
    if (!newer || newer.innerHTML === part.dataset.was) continue;
    const focus = part.contains(document.activeElement) ? document.activeElement.dataset.path : undefined;
    const opened = [...part.querySelectorAll("details[open] > summary")].map((each) => each.textContent);
    const ticked = [...part.querySelectorAll("input:checked")].map((each) => each.value);
    const was = newer.innerHTML;
    for (const each of newer.querySelectorAll("details > summary")) {
      each.parentElement.open = opened.includes(each.textContent);
    }
    for (const each of newer.querySelectorAll("input[type=checkbox]")) {
      if (ticked.includes(each.value)) each.setAttribute("checked", "");
    }
    part.replaceChildren(...newer.childNodes);
    part.dataset.was = was;
    if (focus) part.querySelector(`[data-path="${CSS.escape(focus)}"]`)?.focus();
  }
}

async function watch() {
  if (document.body.dataset.moving === "true" && !document.hidden) {
    try {
      await refresh();
    } catch {
      say("The service does not answer. What is shown may be old.");
    }
  }
  setTimeout(watch, PAUSE_MS);
}

setTimeout(watch, PAUSE_MS);
