import { describe, expect, it } from "vitest";
import {
  EnvironmentError,
  type HostCommand,
  type NamespaceHost,
  type NetworkNamespace,
} from "../../environment/index.ts";
import { KernelNetwork, type KernelNetworkOptions } from "./kernel-network.ts";

function unused(): never {
  throw new Error("not in these tests");
}

/** A host whose commands fail as `refusal` says; counts the namespaces that are open. */
class FakeHost implements NamespaceHost {
  readonly commands: HostCommand[] = [];
  opened = 0;
  readonly #refusal: (command: HostCommand) => string | undefined;

  constructor(refusal: (command: HostCommand) => string | undefined) {
    this.#refusal = refusal;
  }

  open(): Promise<NetworkNamespace> {
    this.opened += 1;
    return Promise.resolve({
      pid: this.opened,
      onGone: undefined,
      onEvent: undefined,
      run: (command) => this.#run(command),
      read: () => Promise.resolve("reno cubic\n"),
      ask: () => Promise.resolve(undefined),
      tell: () => undefined,
      connectStream: unused,
      listenStream: unused,
      connectMessages: unused,
      close: () => {
        this.opened -= 1;
        return Promise.resolve();
      },
    });
  }

  #run(command: HostCommand): Promise<string> {
    this.commands.push(command);
    const refusal = this.#refusal(command);
    if (refusal === undefined) return Promise.resolve("");
    return Promise.reject(new EnvironmentError("ERR_NAMESPACE_COMMAND", refusal));
  }
}

async function failure(host: FakeHost, options: Partial<KernelNetworkOptions>): Promise<unknown> {
  return KernelNetwork.open(host, { seed: "1", ...options }).then(
    () => "opened",
    (error: unknown) => error,
  );
}

const loss = { kind: "bernoulli", lossRatio: 0.1 } as const;

describe("KernelNetwork on a host that lacks something", () => {
  it.each([
    ["hub", /vxlan/u, "Error: Unknown device type.", /no VXLAN.*modprobe vxlan.*tcp-modelled/su],
    ["hub", /type veth/u, "RTNETLINK answers: Operation not supported", /no veth/u],
    ["netem", /netem/u, "Error: Specified qdisc kind is unknown.", /sch_netem.*the hub/su],
    ["nft", /^nft/u, "netlink: Error: Operation not supported", /nf_tables.*the hub/su],
  ] as const)("names what: backend %s, %s", async (backend, asked, words, message) => {
    const host = new FakeHost(({ program, args, input = "" }) =>
      asked.test(`${program} ${args.join(" ")} ${input}`) ? words : undefined,
    );

    const error = await failure(host, { backend });

    expect(error).toMatchObject({
      code: "ERR_KERNEL_LACKS",
      message: expect.stringMatching(message),
      cause: { message: words },
    });
    expect(host.opened).toBe(0);
  });

  it("hands on any other failure as it is", async () => {
    const host = new FakeHost(() => "RTNETLINK answers: File exists");

    expect(await failure(host, {})).toMatchObject({
      code: "ERR_NAMESPACE_COMMAND",
      message: "RTNETLINK answers: File exists",
    });
    expect(host.opened).toBe(0);
  });

  it("refuses what a router cannot do before anything is made", async () => {
    const host = new FakeHost(() => undefined);

    expect(
      await failure(host, { backend: "nft", plan: { sent: { delay: { delayMs: 5 } } } }),
    ).toMatchObject({ code: "ERR_IMPAIRMENT" });
    expect(host.commands).toEqual([]);
  });
});

describe("KernelNetwork", () => {
  it("gives nothing a name by which two runs could clash", async () => {
    const host = new FakeHost(() => undefined);
    const one = await KernelNetwork.open(host, { seed: "1" });
    const words = (): string =>
      host.commands.map(({ args, input = "" }) => `${args.join(" ")} ${input}`).join("\n");
    const first = words();
    host.commands.length = 0;
    await one.close();
    await KernelNetwork.open(host, { seed: "2" });

    // Interfaces are named in namespaces of their own, by process id, and never in the host's.
    expect(first).not.toMatch(/netns add|netns (?!\d+\b)/u);
    expect(first.match(/type veth peer name under .* netns \d+$/gmu)).toHaveLength(2);
    // So the same commands serve every run, at the same time as well.
    expect(words()).toBe(first);
  });

  it("keeps the plan that stands where a router refuses another one", async () => {
    const host = new FakeHost(() => undefined);
    const network = await KernelNetwork.open(host, {
      seed: "1",
      backend: "nft",
      plan: { sent: { loss } },
    });
    host.commands.length = 0;

    await expect(network.change({ received: { delay: { delayMs: 1 } } })).rejects.toMatchObject({
      code: "ERR_IMPAIRMENT",
    });
    expect(host.commands).toEqual([]);
    await network.change({ received: { loss } });

    expect(host.commands[0]?.input).toContain("sent_lost drop");
    expect(host.commands[0]?.input).toContain("received_lost drop");
  });
});
