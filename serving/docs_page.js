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

function show(spec) {
  spec.servers = [{ url: base, description: "This service" }];
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      operation.description += `\n\n\`\`\`sh\n${curl(path, method, operation)}\n\`\`\``;
    }
  }
  SwaggerUIBundle({
    spec,
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null, // the default asks a server on the internet
    onComplete() {
      // A link to a problem type, such as /docs#no-model: the page has grown since the browser looked for it.
      document.getElementById(window.location.hash.slice(1))?.scrollIntoView();
    },
  });
}

fetch("openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => {
    document.getElementById("swagger-ui").textContent = `The page could not be shown: ${error}. Reload it.`;
  });
