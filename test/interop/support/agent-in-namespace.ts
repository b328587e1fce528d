import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentOptions, Harness, RemoteAgent } from "../../../src/index.ts";
import { compiledModule, startProcess } from "../../../src/platform/index.ts";
import type { Namespace } from "./namespaces.ts";

const WATCHER = fileURLToPath(new URL("watch-resources.mjs", import.meta.url));

/** What keeps a process's event loop busy. */
export interface Resources {
  readonly udpSockets: number;
  readonly tcpSockets: number;
  readonly timers: number;
}

/** One of our agents in a process of its own, inside a network namespace. */
export interface AgentInNamespace {
  readonly agent: RemoteAgent;
  /** As of at most a second ago. */
  resources(): Promise<Resources>;
  close(): Promise<void>;
}

/** Starts an agent process there; its SIP and RTP use the namespace's address. */
export async function startAgentInNamespace(
  harness: Harness,
  namespace: Namespace,
  options: Omit<AgentOptions, "local">,
): Promise<AgentInNamespace> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-agent-"));
  const file = join(folder, "resources.json");
  const { program, args } = namespace.command("env", [
    `SIDETONE_RESOURCES_FILE=${file}`,
    process.execPath,
    "--import",
    WATCHER,
  ]);
  const channel = startProcess(compiledModule("bench/agent-process.js"), {
    command: [program, ...args],
  });
  const local = { address: namespace.address, port: 0 };
  const agent = await harness.switchboard.addAgent(channel, {
    ...options,
    local,
    // The other end of the cable.
    dialling: { allow: ["10.77.0.0/24"] },
  });
  return {
    agent,
    resources: async () => counted(JSON.parse(await readFile(file, "utf8")) as string[]),
    close: async () => {
      await agent.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Counts the kinds of `process.getActiveResourcesInfo()`. */
function counted(kinds: readonly string[]): Resources {
  const count = (wanted: string): number => kinds.filter((kind) => kind === wanted).length;
  return {
    udpSockets: count("UDPWrap"),
    tcpSockets: count("TCPSocketWrap"),
    timers: count("Timeout"),
  };
}
