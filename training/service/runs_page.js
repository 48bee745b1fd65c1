// Sends the requests of the buttons, says why one was refused, and reloads while a run has not ended.
"use strict";

const says = document.getElementById("says");

async function ask(button) {
  button.disabled = true;
  const { verb, path, body } = button.dataset;
  const headers = body ? { "content-type": "application/json", "idempotency-key": crypto.randomUUID() } : {};
  try {
    const answer = await fetch(path, { method: verb, headers, body });
    if (answer.ok) {
      location.reload();
      return;
    }
    says.textContent = (await answer.json()).detail;
  } catch (error) {
    says.textContent = `The service does not answer: ${error}`;
  }
  button.disabled = false;
}

for (const button of document.querySelectorAll("button[data-verb]")) {
  button.addEventListener("click", () => ask(button));
}
if (document.body.dataset.moving === "true") {
  setTimeout(() => location.reload(), 3000);
}
