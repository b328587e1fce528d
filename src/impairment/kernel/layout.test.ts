import { describe, expect, it } from "vitest";
import { endAddress, endCommands, middleCommands, underlayAddress } from "./layout.ts";

/** All commands as one would type them, batches line by line. */
function lines(commands: ReturnType<typeof middleCommands>): string[] {
  return commands.flatMap(({ program, args, input }) =>
    input === undefined
      ? [`${program} ${args.join(" ")}`]
      : input
          .trim()
          .split("\n")
          .map((line) => `${program} ${line}`),
  );
}

describe("layout of kernel namespaces", () => {
  it("joins the middle to each end by a cable whose other plug lies in the end's namespace", () => {
    const plan = lines(middleCommands({ near: 11, far: 12 }));

    expect(plan).toContain("ip link add near mtu 1550 type veth peer name under mtu 1550 netns 11");
    expect(plan).toContain("ip link add far mtu 1550 type veth peer name under mtu 1550 netns 12");
  });

  it("lets a packet of 1500 bytes through the cable with VXLAN's 50 bytes around it", () => {
    const plan = lines(endCommands("near", "hub", "cubic"));

    expect(plan.join("\n")).toMatch(/link add path .* mtu 1500 type vxlan .* remote 10\.77\.1\.1/);
    expect(lines(middleCommands({ near: 1, far: 2 })).join("\n")).toContain("mtu 1550");
  });

  it("turns offloads off on every device before anything goes over it", () => {
    for (const plan of [
      lines(middleCommands({ near: 1, far: 2 })),
      lines(endCommands("far", "hub", "cubic")),
      lines(endCommands("far", "nft", "cubic")),
    ]) {
      const devices = plan.flatMap((line) => /^ip link add (\S+)/.exec(line)?.[1] ?? []);
      const off = plan.flatMap(
        (line) => /^ethtool -K (\S+) tx off tso off gso off gro off$/.exec(line)?.[1] ?? [],
      );
      expect(devices.filter((device) => !off.includes(device))).toEqual([]);
      expect(off.length).toBeGreaterThan(0);
    }
  });

  it("gives the route to the other end its congestion control, whatever the middle is", () => {
    for (const backend of ["hub", "nft", "netem"] as const) {
      for (const [end, other] of [
        ["near", "far"],
        ["far", "near"],
      ] as const) {
        const routes = lines(endCommands(end, backend, "bbr")).filter((line) =>
          line.startsWith("ip route add"),
        );
        expect(routes).toHaveLength(1);
        expect(routes[0]).toMatch(/ congctl bbr$/);
        const [subnet] = endAddress(other, backend).split(/\.\d+$/);
        expect(routes[0]).toContain(`ip route add ${subnet}.`);
      }
    }
  });

  it("addresses sockets on the VXLAN where there is one, else on the cable", () => {
    expect(endAddress("far", "hub")).not.toBe(underlayAddress("far"));
    expect(endAddress("far", "nft")).toBe(underlayAddress("far"));
  });
});
