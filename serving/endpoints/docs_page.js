// Starts Swagger UI with the address under which this browser reached the page. A proxy may have added a path prefix
// that the service does not know: "Execute" and the curl lines must name it.
"use strict";

const base = new URL(".", window.location.href).href.replace(/\/$/, "");

function curl(path, method, operation) {
  const example = operation.requestBody?.content["application/json"]?.example;
  if (!example) {
    return `curl -s '${base}${path}'`;
  }
  const body = JSON.stringify(example).replaceAll("'", "'\\''");
  return `curl -s -X ${method.toUpperCase()} '${base}${path}' \\\n  -H 'content-type: application/json' \\\n  -d '${body}'`;
}

// A link to a problem type, such as /docs#no-model, leads to a row that moves down while Swagger UI fills the page.
function keepInView(row) {
  if (!row) {
    return;
  }
  const watch = new ResizeObserver(() => row.scrollIntoView());
  watch.observe(document.getElementById("swagger-ui"));
  setTimeout(() => watch.disconnect(), 3000);
}

function show(spec) {
  spec.servers = [{ url: base, description: "This service" }];
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      operation.description += `\n\n\`\`\`sh\n${curl(path, method, operation)}\n\`\`\``;
    }
  }
  keepInView(document.getElementById(window.location.hash.slice(1)));
  SwaggerUIBundle({
    spec,
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null, // the default asks a server on the internet
  });
}

fetch("openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => {
    document.getElementById("swagger-ui").textContent = `The page could not be shown: ${error}. Reload it.`;
  });
