import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server, Socket } from "node:net";
import type { HostCommand, SocketAddress } from "../environment/index.ts";
import type { HolderFailure, HolderMessage, HolderRequest } from "./namespace-messages.ts";

/** What else the program in a namespace can do: by verb. */
export type HolderVerbs = Readonly<Record<string, (argument: never) => unknown>>;

const OUTPUT_CHARS_MAX = 1_000_000;

class HostFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The body of a process that holds a network namespace: it makes sockets in it and hands them to
 * the process that started it, runs programs, and ends with that process, however that ends.
 *
 * @returns tells that process something by itself.
 */
export function serveNamespace(verbs: HolderVerbs = {}): (event: unknown) => void {
  const all: HolderVerbs = { ...verbs, run: runProgram, read: readFile };
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    const { id, verb, argument } = message as HolderRequest;
    if (id === undefined) all[verb]?.(argument as never);
    else void answer({ id, verb, argument }, all).then(({ reply, socket }) => post(reply, socket));
  });
  post({ kind: "ready" });
  return (event) => post({ kind: "event", event });
}

function post(message: HolderMessage, socket?: Socket | Server): void {
  if (!process.connected) return;
  if (socket === undefined) process.send?.(message);
  else process.send?.(message, socket, () => closeCopy(socket));
}

interface Answer {
  readonly reply: HolderMessage;
  readonly socket?: Socket | Server;
}

async function answer(
  { id, verb, argument }: Required<HolderRequest>,
  verbs: HolderVerbs,
): Promise<Answer> {
  try {
    if (verb === "connect") {
      return { reply: { kind: "result", id }, socket: await connect(argument as SocketAddress) };
    }
    if (verb === "listen") return await listening(id, argument as SocketAddress);
    const result = await verbs[verb]?.(argument as never);
    return { reply: { kind: "result", id, result } };
  } catch (error) {
    return { reply: { kind: "failure", id, failure: failureOf(error) } };
  }
}

function failureOf(error: unknown): HolderFailure {
  const { code = "", message } = error as Error & { readonly code?: string };
  return { code, message };
}

/** Nothing is read of it here: what comes is the other process's. */
function connect({ address, port }: SocketAddress): Promise<Socket> {
  const socket = new Socket();
  socket.pause();
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.connect(port, address, () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

async function listening(id: number, { address, port }: SocketAddress): Promise<Answer> {
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host: address }, resolve);
  });
  return { reply: { kind: "result", id, result: server.address() }, socket: server };
}

/** A socket that was handed over is closed here by Node itself; a server is not. */
function closeCopy(socket: Socket | Server): void {
  if (!(socket instanceof Socket)) socket.close();
}

function readFile(path: string): string {
  return readFileSync(path, "utf8");
}

function runProgram({ program, args, input = "" }: HostCommand): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (output.length < OUTPUT_CHARS_MAX) output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (complaint.length < OUTPUT_CHARS_MAX) complaint += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new HostFailure(String(code ?? signal), complaint.trim()));
    });
    // A program that does not read to the end has its own reasons.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}
