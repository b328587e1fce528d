import type { HostCommand } from "../../environment/index.ts";
import { VXLAN_PATH_BYTES, VXLAN_PORT } from "./vxlan.ts";

/**
 * Three namespaces in a row: near (a bridge's end), middle, far (its AI's end). Nobody else sees
 * their addresses, so that they are the same in every run.
 *
 *     near ── under ═══ near ── middle ── far ═══ under ── far
 *     10.77.1.2      10.77.1.1         10.77.2.1      10.77.2.2
 *
 * With the hub as middle, each end has a VXLAN device on top (`path`, 10.78.0.1 and 10.78.0.2);
 * otherwise the middle is a router.
 */
export type EndName = "near" | "far";

/** What the middle can be: a hub of ours, or a router with the packet filter's or netem's losses. */
export const KERNEL_BACKENDS = ["hub", "nft", "netem"] as const;

/** One of them. */
export type KernelBackend = (typeof KERNEL_BACKENDS)[number];

const ENDS = {
  near: { subnet: "10.77.1", overlay: "10.78.0.1", mac: "02:00:00:00:00:01" },
  far: { subnet: "10.77.2", overlay: "10.78.0.2", mac: "02:00:00:00:00:02" },
} as const;
const PREFIX_BITS = 24;
const VXLAN_ID = 77;
const MTU = 1500;
const OTHER = { near: "far", far: "near" } as const;

/** The address of an end below a VXLAN. */
export function underlayAddress(end: EndName): string {
  return `${ENDS[end].subnet}.2`;
}

/** The address at which one end's sockets are found by the other. */
export function endAddress(end: EndName, backend: KernelBackend): string {
  return backend === "hub" ? ENDS[end].overlay : underlayAddress(end);
}

/** The middle's interface to an end. */
const MIDDLE_DEVICES: readonly EndName[] = ["near", "far"];

/** What makes the middle of a new namespace: one virtual cable to each end. */
export function middleCommands(pids: Readonly<Record<EndName, number>>): HostCommand[] {
  // A VXLAN's packets are larger than the ones that they carry.
  const mtu = MTU + VXLAN_PATH_BYTES;
  const lines = MIDDLE_DEVICES.flatMap((end) => [
    `link add ${end} mtu ${mtu} type veth peer name under mtu ${mtu} netns ${pids[end]}`,
    `address add ${ENDS[end].subnet}.1/${PREFIX_BITS} dev ${end}`,
    `link set ${end} up`,
  ]);
  return [ipBatch(["link set lo up", ...lines]), ...MIDDLE_DEVICES.map(withoutOffloads)];
}

/** What makes an end of a new namespace that has its cable. */
export function endCommands(
  end: EndName,
  backend: KernelBackend,
  congestionControl: string,
): HostCommand[] {
  const { subnet } = ENDS[end];
  const base = ipBatch([
    "link set lo up",
    `address add ${underlayAddress(end)}/${PREFIX_BITS} dev under`,
    "link set under up",
  ]);
  if (backend === "hub") {
    return [base, withoutOffloads("under"), ...overlayCommands(end, congestionControl)];
  }
  const beyond = `${ENDS[OTHER[end]].subnet}.0/${PREFIX_BITS}`;
  const route = `route add ${beyond} via ${subnet}.1 mtu ${MTU} congctl ${congestionControl}`;
  return [base, withoutOffloads("under"), ipBatch([route])];
}

function overlayCommands(end: EndName, congestionControl: string): HostCommand[] {
  const { subnet, overlay, mac } = ENDS[end];
  const other = ENDS[OTHER[end]];
  const device =
    `link add path address ${mac} mtu ${MTU} type vxlan id ${VXLAN_ID} remote ${subnet}.1 ` +
    `dstport ${VXLAN_PORT} dev under nolearning`;
  return [
    ipBatch([device, "link set path addrgenmode none"]),
    withoutOffloads("path"),
    ipBatch([
      `address add ${overlay}/32 dev path`,
      "link set path up",
      // No ARP: a lost request would delay the first packet by a second.
      `neighbour add ${other.overlay} lladdr ${other.mac} dev path nud permanent`,
      `route add ${other.overlay}/32 dev path src ${overlay} congctl ${congestionControl}`,
    ]),
  ];
}

/**
 * The kernel is to send what goes over a real line: packets of at most the MTU, each with its own
 * checksum. With offloads, one "packet" would be up to 64 KB, and a lost one lose all of it.
 */
function withoutOffloads(device: string): HostCommand {
  const off = ["tx", "tso", "gso", "gro"].flatMap((feature) => [feature, "off"]);
  return { program: "ethtool", args: ["-K", device, ...off] };
}

function ipBatch(lines: readonly string[]): HostCommand {
  return { program: "ip", args: ["-batch", "-"], input: `${lines.join("\n")}\n` };
}
