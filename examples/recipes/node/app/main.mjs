// Answers every request on port 8000, until SIGTERM.
import { createServer } from "node:http";

const server = createServer((_request, response) => {
  response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(`Hello from Node.js, as ${process.getuid()}.\n`);
});

server.listen(8000);

// The first process of a container has no default for a signal: it needs a handler.
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
