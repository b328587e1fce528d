import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { type CliProcess, resultOf, startCli } from "../cli-process.ts";

const ADDRESS = "127.0.0.1";
const folders: string[] = [];
const sockets: Socket[] = [];

afterAll(async () => {
  for (const socket of sockets) socket.close();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

/** A peer that is not ours: a plain socket that keeps what it gets, and perhaps sends it back. */
async function peer(echoes: boolean): Promise<{ readonly socket: Socket; readonly got: string[] }> {
  const socket = createSocket("udp4");
  const got: string[] = [];
  socket.on("message", (data, from) => {
    got.push(data.toString());
    if (echoes) socket.send(data, from.port, from.address);
  });
  socket.bind(0, ADDRESS);
  await once(socket, "listening");
  sockets.push(socket);
  return { socket, got };
}

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "sidetone-relay-"));
  folders.push(path);
  return path;
}

/** The port that the relay says it listens on. */
async function nearPort(cli: CliProcess): Promise<number> {
  await cli.said("Ctrl-C ends it");
  return Number(/^ {2}127\.0\.0\.1:(\d+) →/mu.exec(cli.output())?.[1]);
}

/** Sends all of them, and asks the relay for its counts until it has seen them. */
async function send(from: Socket, cli: CliProcess, texts: readonly string[]): Promise<void> {
  const port = await nearPort(cli);
  for (const text of texts) from.send(text, port, ADDRESS);
  while (!cli.output().includes(`: ${texts.length} towards`)) {
    cli.child.kill("SIGUSR2");
    // oxlint-disable-next-line no-await-in-loop -- each turn waits for the relay.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const hundred = Array.from({ length: 100 }, (_value, index) => String(index + 1));

interface Counts {
  readonly sent: Readonly<Record<string, number>>;
  readonly received: Readonly<Record<string, number>>;
  readonly ports: readonly { readonly received: { readonly packets: number } }[];
}

describe.concurrent("sidetone relay", { timeout: 120_000 }, () => {
  it("passes on between two foreign peers, injures each way, and counts", async ({ expect }) => {
    const [near, far] = await Promise.all([peer(false), peer(true)]);
    const reports = await newFolder();
    const plan = join(reports, "plan.yaml");
    await writeFile(plan, "sent: { loss: { kind: scripted, lost: [[11, 30]] } }\n");
    const counts = join(reports, "counts.json");
    const target = `0=${ADDRESS}:${far.socket.address().port}`;
    const network = ["--plan", plan, "--back", "twice=100%", "--counts", counts];
    const cli = startCli(["relay", target, ...network, "--reports", reports]);
    await send(near.socket, cli, hundred);
    expect(cli.output()).toContain("20 lost");
    cli.child.kill("SIGINT");
    expect(await resultOf(cli)).toMatchObject({ exitCode: 0 });
    const passed = hundred.filter((text) => Number(text) <= 10 || Number(text) > 30);
    expect(far.got).toEqual(passed);
    expect(near.got).toEqual(passed.flatMap((text) => [text, text]));
    const { sent, received, ports } = JSON.parse(await readFile(counts, "utf8")) as Counts;
    expect(sent).toMatchObject({ offered: 100, lost: 20, delivered: 80, underWay: 0 });
    expect(received).toMatchObject({ offered: 80, duplicated: 80, delivered: 160 });
    expect(ports[0]?.received.packets).toBe(160);
  });

  it("gives packets the same fates again with the same seed", async ({ expect }) => {
    const lost = async (seed: string): Promise<readonly string[]> => {
      const [near, far] = await Promise.all([peer(false), peer(false)]);
      const target = `0=${ADDRESS}:${far.socket.address().port}`;
      const cli = startCli(["relay", target, "--out", "loss=30%,burst=2", "--seed", seed]);
      await send(near.socket, cli, hundred);
      cli.child.kill("SIGTERM");
      expect((await resultOf(cli)).exitCode).toBe(0);
      return far.got;
    };
    const [one, again, other] = await Promise.all([lost("a"), lost("a"), lost("b")]);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it.for([
    ["an impossible figure", ["0=127.0.0.1:9", "--out", "loss=120%"], "ERR_IMPAIRMENT", 2],
    ["a port without a target", ["5000"], "ERR_RELAY_PORTS", 2],
    ["a host that is not permitted", ["0=192.0.2.7:9"], "ERR_TARGET_NOT_ALLOWED", 2],
    ["no interval", ["0=127.0.0.1:9", "--every", "0"], "ERR_LIMIT_MALFORMED", 2],
    [
      "an address elsewhere",
      ["0=127.0.0.1:9", "--address", "192.0.2.1"],
      "ERR_ADDRESS_NOT_LOCAL",
      3,
    ],
  ] as const)("refuses %s", async ([_name, args, code, exitCode], { expect }) => {
    const result = await resultOf(startCli(["relay", ...args]));
    expect(result.output).toContain(code);
    expect(result.exitCode).toBe(exitCode);
  });
});
