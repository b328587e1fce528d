import { spawnSync } from "node:child_process";
import { runProcess } from "./processes.ts";

const PREFIX = "sidetone";
const DEVICE = "eth0";
const LEFT_ADDRESS = "10.77.0.1";
const RIGHT_ADDRESS = "10.77.0.2";
const LOSS_STEPS = 10_000;

/** One network namespace: its own interfaces, addresses and packet filter. */
export interface Namespace {
  readonly name: string;
  readonly address: string;
  /** The command that runs a program inside. */
  command(program: string, args: readonly string[]): { program: string; args: readonly string[] };
}

/** UDP datagrams that reached a namespace, as its packet filter counted them. */
export interface LossCounts {
  readonly passed: number;
  readonly dropped: number;
}

/**
 * Two network namespaces joined by a cable, which loses UDP datagrams at random in both directions
 * when told to. Needs root. Nothing outside the two is touched.
 *
 * Names carry the process id. They go away with `close()`, with this process, and, should it be
 * killed, with the next `open()` on this machine.
 */
export class NamespacePair {
  readonly left: Namespace;
  readonly right: Namespace;

  static async open(): Promise<NamespacePair> {
    removeAbandoned();
    opened += 1;
    const pair = new NamespacePair(`${PREFIX}-${process.pid}-${opened}`);
    open.add(pair);
    try {
      await pair.#setUp();
    } catch (error) {
      pair.close();
      throw error;
    }
    return pair;
  }

  private constructor(name: string) {
    this.left = namespace(`${name}-left`, LEFT_ADDRESS);
    this.right = namespace(`${name}-right`, RIGHT_ADDRESS);
  }

  /** Loses this share of the UDP datagrams, 0 to 1, each way; starts counting anew. */
  async setLoss(lossRatio: number): Promise<void> {
    const threshold = Math.round(lossRatio * LOSS_STEPS);
    const drop =
      threshold === 0
        ? "counter name dropped"
        : `numgen random mod ${LOSS_STEPS} < ${threshold} counter name dropped drop`;
    const rules = `
      table inet ${PREFIX}
      delete table inet ${PREFIX}
      table inet ${PREFIX} {
        counter passed {}
        counter dropped {}
        chain input {
          type filter hook input priority 0; policy accept;
          iifname != "${DEVICE}" accept
          meta l4proto != udp accept
          ${threshold === 0 ? "" : drop}
          counter name passed
        }
      }`;
    for (const side of [this.left, this.right]) {
      await runProcess({ program: "nft", args: [rules], namespace: side });
    }
  }

  /** What arrived at and was lost on the way to one side since `setLoss`. */
  async lossCounts(side: Namespace): Promise<LossCounts> {
    const args = ["-j", "list", "counters", "table", "inet", PREFIX];
    const listing = await runProcess({ program: "nft", args, namespace: side });
    const { nftables } = JSON.parse(listing) as { nftables: NftObject[] };
    const packets = (name: string): number =>
      nftables.find(({ counter }) => counter?.name === name)?.counter?.packets ?? 0;
    return { passed: packets("passed"), dropped: packets("dropped") };
  }

  /** Kills what still runs in the namespaces and removes them. Safe to call again. */
  close(): void {
    remove(this.left.name);
    remove(this.right.name);
    open.delete(this);
  }

  async #setUp(): Promise<void> {
    const { left, right } = this;
    await ip("netns", "add", left.name);
    await ip("netns", "add", right.name);
    await ip(
      "link",
      "add",
      DEVICE,
      "netns",
      left.name,
      "type",
      "veth",
      "peer",
      "name",
      DEVICE,
      "netns",
      right.name,
    );
    for (const side of [left, right]) {
      await ip("-n", side.name, "address", "add", `${side.address}/24`, "dev", DEVICE);
      await ip("-n", side.name, "link", "set", "lo", "up");
      await ip("-n", side.name, "link", "set", DEVICE, "up");
    }
    await this.setLoss(0);
  }
}

interface NftObject {
  readonly counter?: { readonly name: string; readonly packets: number };
}

const open = new Set<NamespacePair>();
let opened = 0;

process.on("exit", () => {
  for (const pair of open) pair.close();
});

function namespace(name: string, address: string): Namespace {
  return {
    name,
    address,
    command: (program, args) => ({
      program: "ip",
      args: ["netns", "exec", name, program, ...args],
    }),
  };
}

/** Removes the namespaces of processes that are no more. */
function removeAbandoned(): void {
  const { stdout } = spawnSync("ip", ["netns", "list"], { encoding: "utf8" });
  for (const [name, pid] of stdout.matchAll(new RegExp(`^${PREFIX}-(\\d+)-\\S+`, "gm"))) {
    if (!isAlive(Number(pid))) remove(name);
  }
}

/** Synchronous, because it also runs while the process exits. */
function remove(name: string): void {
  const { stdout } = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
  for (const pid of stdout.split("\n").filter((line) => line !== "")) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  spawnSync("ip", ["netns", "delete", name]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function ip(...args: string[]): Promise<void> {
  await runProcess({ program: "ip", args });
}
