import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type StreamConnection, seededRandom } from "../../src/environment/index.ts";
import {
  type AiPath,
  type AiStall,
  KernelNetwork,
  type KernelNetworkOptions,
  openKernelPath,
  type TcpState,
} from "../../src/impairment/index.ts";
import { compiledModule, createEnvironment, NodeNamespaceHost } from "../../src/platform/index.ts";
import { because, missingReason, netemMissing } from "./support/tools.ts";

// The kernel's own TCP through our link. Nobody but us may notice that it was there.

const CHILD = join(import.meta.dirname, "support", "kernel-network-child.mjs");
const TOOLS = ["unshare", "nsenter", "ip", "ethtool", "ss"];
const missing = missingReason(TOOLS, { root: true });
const missingNetem = missing ?? missingReason(["tc"]) ?? netemMissing();
/** Another user, as whom the sources may not be readable. */
const AS_NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups"];
const missingUser =
  missing ??
  (spawnSync("setpriv", [...AS_NOBODY, "test", "-r", CHILD]).status === 0
    ? undefined
    : "another user cannot read this folder");

const environment = createEnvironment({ seed: "kernel network" });
const host = new NodeNamespaceHost(
  environment.clock,
  compiledModule("src/cli/processes/namespace-process.js"),
);
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function openNetwork(
  options: Partial<KernelNetworkOptions>,
): Promise<{ network: KernelNetwork; near: StreamConnection; far: StreamConnection }> {
  const network = await KernelNetwork.open(host, { seed: "test", ...options });
  closers.push(() => network.close());
  const remote = { address: network.address("far"), port: 8080 };
  const accepted: StreamConnection[] = [];
  await network.far.listenStream(remote, {
    onConnection: (connection) => accepted.push(connection),
  });
  const near = await network.near.connectStream(remote, 10_000);
  await expect.poll(() => accepted.length).toBe(1);
  return { network, near, far: accepted[0] as StreamConnection };
}

describe.skipIf(missing !== undefined)(`the kernel's TCP${because(missing)}`, () => {
  it("takes the link's delay, loses what it loses, and makes it good by itself", async () => {
    const { network, near, far } = await openNetwork({
      congestionControl: "reno",
      plan: { sent: { delay: { delayMs: 30 } }, received: { delay: { delayMs: 30 } } },
    });
    let received = 0;
    far.onData = (data) => {
      received += data.length;
    };
    // The next packets but one: of 20, so that acknowledgements tell of the gap.
    await network.change({
      sent: { delay: { delayMs: 30 }, loss: { kind: "scripted", lost: [[2, 2]] } },
    });

    near.send(new Uint8Array(20 * 1448));

    await expect.poll(() => received, { timeout: 10_000 }).toBe(20 * 1448);
    const [socket] = await network.sockets("near");
    expect(socket).toMatchObject({ congestionControl: "reno", mssBytes: 1448 });
    expect(socket?.rttMs).toBeGreaterThanOrEqual(60);
    const report = await network.report();
    expect(report).toMatchObject({ counts: { sent: { lost: 1 } }, ignored: 0 });
    // Each segment is a packet of its own: no offload has joined them.
    expect(report?.counts.sent.offered).toBeGreaterThanOrEqual(21);
    expect(report?.lateness.packets).toBeGreaterThanOrEqual(21);
    await expect
      .poll(() => network.samples.near.at(-1)?.counters.retransmissions)
      .toBeGreaterThanOrEqual(1);
    expect((await network.facts()).sysctls).toMatchObject({ tcp_sack: expect.any(String) });
  });

  it("carries a WebSocket to its AI, and says why its bytes were late", async () => {
    const server = await environment.network.listenHttp(
      { address: "127.0.0.1", port: 0 },
      {
        onRequest: () => Promise.resolve({ status: 404 }),
        onUpgrade: () => ({
          accept: true,
          onConnection: (socket) => {
            socket.onMessage = (text) => socket.send(text.repeat(10));
          },
        }),
      },
    );
    closers.push(() => server.close());
    const delayed = { delay: { delayMs: 20 } };
    const path: AiPath = await openKernelPath({
      ...environment,
      namespaces: host,
      seed: "path",
      remote: server.local,
      plan: { sent: delayed, received: delayed },
    });
    closers.push(() => path.close());
    const stalls: AiStall[] = [];
    path.onStall = (stall) => stalls.push(stall);
    const states: TcpState[] = [];
    path.onTcpState = (state) => states.push(state);
    const socket = path.network.connectMessages(`ws://127.0.0.1:${server.local.port}/`);
    const texts: string[] = [];
    socket.onMessage = (text) => texts.push(text);
    await expect.poll(() => socket.state, { timeout: 10_000 }).toBe("open");
    expect(socket.addresses?.local.address).toBe("10.78.0.1");

    // The answer is one segment, and lost: nothing but a probe or a timeout brings it back. An
    // acknowledgement may go before it, or a probe after it.
    path.change({ received: { ...delayed, loss: { kind: "scripted", lost: [[1, 2]] } } });
    await delay(50);
    socket.send("0123456789".repeat(5));

    await expect.poll(() => texts, { timeout: 5000 }).toEqual(["0123456789".repeat(50)]);
    await expect.poll(() => stalls.length, { timeout: 5000 }).toBe(1);
    expect(stalls[0]).toMatchObject({ direction: "received" });
    expect(stalls[0]?.causes.join()).toMatch(/tailLossProbe|retransmissionTimeout/);
    await expect.poll(() => path.counts.received.lost).toBe(2);
    expect(path.counts.tcp?.received.retransmissions).toBeGreaterThanOrEqual(1);
    const ofSender = (): TcpState | undefined =>
      states.findLast(({ direction }) => direction === "received");
    await expect.poll(ofSender, { timeout: 5000 }).toBeDefined();
    expect(ofSender()?.retransmissions).toBeGreaterThanOrEqual(1);
    expect(ofSender()?.socket).toMatchObject({ mssBytes: 1448, congestionControl: "cubic" });
    expect(ofSender()?.socket?.rttMs).toBeGreaterThanOrEqual(40);

    // No acknowledgement comes: what has no room in the window waits in the sender, unseen by the hub.
    stalls.length = 0;
    path.change({ received: { ...delayed, loss: { kind: "bernoulli", lossRatio: 1 } } });
    await delay(200);
    socket.send("0123456789".repeat(10_000));
    await delay(600);
    path.change({ received: delayed });

    await expect.poll(() => texts.length, { timeout: 20_000 }).toBe(2);
    const waitedMs = (): number =>
      Math.max(
        0,
        ...stalls
          .filter(
            ({ direction, causes }) => direction === "sent" && causes.includes("congestionWindow"),
          )
          .map(({ overdueMs }) => overdueMs),
      );
    await expect.poll(waitedMs, { timeout: 5000 }).toBeGreaterThanOrEqual(100);
    socket.terminate();
  });

  it.skipIf(missingReason(["nft"]) !== undefined)("loses by the packet filter, too", async () => {
    const loss = { kind: "bernoulli", lossRatio: 0.2 } as const;
    const { network, near, far } = await openNetwork({ backend: "nft", plan: { sent: { loss } } });
    let received = 0;
    far.onData = (data) => {
      received += data.length;
    };

    near.send(new Uint8Array(200_000));

    await expect.poll(() => received, { timeout: 20_000 }).toBe(200_000);
    await expect
      .poll(() => network.samples.near.at(-1)?.counters.retransmissions)
      .toBeGreaterThanOrEqual(5);
    await network.readCounts();
    expect(network.counts.sent.lost).toBeGreaterThanOrEqual(5);
    expect(network.counts.received).toMatchObject({
      lost: 0,
      offered: network.counts.received.delivered,
    });
    await expect(network.change({ sent: { delay: { delayMs: 5 } } })).rejects.toThrow(
      /nft can only/,
    );
  });

  it.skipIf(missingNetem !== undefined)(`delays by netem${because(missingNetem)}`, async () => {
    const delayed = { delay: { delayMs: 25 } };
    const { network } = await openNetwork({
      backend: "netem",
      plan: { sent: delayed, received: delayed },
    });

    expect((await network.sockets("near"))[0]?.rttMs).toBeGreaterThanOrEqual(50);
    await network.readCounts();
    expect(network.counts.sent.delivered).toBeGreaterThanOrEqual(2);
  });

  it.skipIf(missingReason(["tc"]) !== undefined || missingNetem === undefined)(
    "says what is missing where the kernel has no netem",
    async () => {
      await expect(openNetwork({ backend: "netem" })).rejects.toMatchObject({
        code: "ERR_KERNEL_LACKS",
        message: expect.stringMatching(/sch_netem.*the hub.*tcp-modelled/),
      });
    },
  );

  it("says which congestion controls there are where one is not", async () => {
    await expect(KernelNetwork.open(host, { seed: "", congestionControl: "none" })).rejects.toThrow(
      expect.objectContaining({
        code: "ERR_CONGESTION_CONTROL",
        message: expect.stringMatching(/reno/),
      }),
    );
  });

  it("says which program is missing", () => {
    // A folder that has all but ethtool.
    const link = "for tool in unshare ip ss; do ln -s $(command -v $tool) $0; done";
    const folder = mkdtempSync(join(tmpdir(), "sidetone-tools-"));
    spawnSync("sh", ["-c", link, folder]);
    const { stdout } = spawnSync(process.execPath, [CHILD, "try"], {
      encoding: "utf8",
      env: { PATH: folder },
    });
    rmSync(folder, { recursive: true });
    expect(stdout).toMatch(/^ERR_NAMESPACE_TOOL: There is no "ethtool".*tcp-modelled/);
  });

  it("says what was tried where the host allows no namespace", () => {
    const forbid = "echo 0 > /proc/sys/user/max_net_namespaces && exec";
    const { stdout } = spawnSync(
      "unshare",
      ["--user", "--map-root-user", "sh", "-c", `${forbid} "${process.execPath}" "${CHILD}" try`],
      { encoding: "utf8" },
    );
    expect(stdout).toMatch(/^ERR_NAMESPACES: .*unshare --net.*tcp-modelled/);
  });

  it("leaves nothing behind in 20 runs that are killed at random moments", async () => {
    const before = traces();
    const random = seededRandom("kills");
    const outputs: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const limits = [random() * 1500, random() * 1500, random() * -300, random() * -300];
      outputs.push(...(await Promise.all(limits.map(killed))));
    }

    expect(outputs.filter((output) => output === "up\n").length).toBeGreaterThanOrEqual(10);
    expect(outputs.filter((output) => output.includes("ERR_"))).toEqual([]);
    await expect.poll(traces, { timeout: 10_000, interval: 200 }).toEqual(before);
  });
});

describe.skipIf(missingUser !== undefined)(`without root${because(missingUser)}`, () => {
  it("carries the kernel's TCP in a user namespace, or says what the host forbids", () => {
    const { stdout } = asNobody(process.execPath, CHILD, "try");
    const isAllowed = asNobody("unshare", "--user", "--map-root-user", "--net", "true");
    expect(stdout).toMatch(isAllowed.status === 0 ? /^carried$/m : /^ERR_NAMESPACES: /);
  });
});

/** What a network of ours could leave on this host. */
function traces(): Record<string, string> {
  return {
    names: printed("ip", "netns", "list"),
    namespaces: printed("lsns", "--type", "net", "--noheadings", "--output", "NS")
      .split("\n")
      .toSorted()
      .join("\n"),
    links: printed("ip", "-brief", "link"),
    rules: printed("nft", "list", "ruleset"),
    processes: printed("pgrep", "--list-full", "--full", "namespace-process"),
  };
}

function printed(program: string, ...args: string[]): string {
  return spawnSync(program, args, { encoding: "utf8" }).stdout;
}

/** What a run said before it was killed. Below 0: so long after it was up; else, after its start. */
async function killed(limitMs: number): Promise<string> {
  const stdio = ["ignore", "pipe", "ignore"] as const;
  const child = spawn(process.execPath, [CHILD, "hold"], { stdio: [...stdio] });
  let output = "";
  const isUp = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      resolve();
    });
  });
  // Every other one in mid-traffic, the others wherever the moment finds them.
  if (limitMs < 0) await isUp;
  await delay(Math.abs(limitMs));
  child.kill("SIGKILL");
  return output;
}

function asNobody(...words: string[]): { readonly stdout: string; readonly status: number | null } {
  return spawnSync("setpriv", [...AS_NOBODY, ...words], { encoding: "utf8" });
}
