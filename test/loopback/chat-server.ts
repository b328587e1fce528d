import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ChatDouble } from "../unit/judge/chat-double.ts";

/** The double of a chat endpoint behind a real socket. */
export interface ChatServer {
  readonly double: ChatDouble;
  readonly url: string;
  close(): Promise<void>;
}

/** Starts one on 127.0.0.1. */
export async function startChatServer(
  behaviour: ConstructorParameters<typeof ChatDouble>[0],
): Promise<ChatServer> {
  const double = new ChatDouble(behaviour);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      );
      const { method = "", url: path = "" } = request;
      const body = Buffer.concat(chunks).toString("utf8");
      const answer = double.answer({ method, path, headers, body });
      if (answer === "resets") request.socket.destroy();
      else if (answer !== "hangs")
        response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    double,
    url: `http://127.0.0.1:${port}/v1`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
