import type { HostCommand } from "../../environment/index.ts";
import type { PathCounts } from "../impaired-path.ts";
import { type LinkCounts, NO_PACKETS } from "../link.ts";
import type { KernelBackend } from "./layout.ts";

/** What the packet filter counts, by names of ours: of TCP alone. */
export const NFT_COUNTERS = [
  "sent_offered",
  "sent_lost",
  "received_offered",
  "received_lost",
] as const;

/** How a router's counts are asked for: one command of each direction, or one for both. */
export function countsCommands(backend: Exclude<KernelBackend, "hub">): HostCommand[] {
  if (backend === "nft") {
    return [{ program: "nft", args: ["-j", "list", "counters", "table", "ip", "sidetone"] }];
  }
  return ["far", "near"].map((device) => ({
    program: "tc",
    args: ["-s", "-j", "qdisc", "show", "dev", device],
  }));
}

/** Reads what these commands printed. What a router does not count is 0. */
export function parseRouterCounts(
  backend: Exclude<KernelBackend, "hub">,
  printed: readonly string[],
): PathCounts {
  if (backend === "nft") return nftCounts(printed[0] ?? "");
  const [sent = "", received = ""] = printed;
  return { sent: netemCounts(sent), received: netemCounts(received) };
}

function nftCounts(text: string): PathCounts {
  const { nftables } = JSON.parse(text) as {
    readonly nftables: readonly {
      readonly counter?: { readonly name: string; readonly packets: number };
    }[];
  };
  const packets = new Map(
    nftables.flatMap(({ counter }) =>
      counter === undefined ? [] : [[counter.name, counter.packets] as const],
    ),
  );
  const of = (way: "sent" | "received"): LinkCounts => {
    const offered = packets.get(`${way}_offered`) ?? 0;
    const lost = packets.get(`${way}_lost`) ?? 0;
    return { ...NO_PACKETS, offered, lost, delivered: offered - lost };
  };
  return { sent: of("sent"), received: of("received") };
}

/** netem tells a full queue's drops not from losses, and counts a packet that came twice as two. */
function netemCounts(text: string): LinkCounts {
  const disciplines = JSON.parse(text) as readonly {
    readonly kind: string;
    readonly packets?: number;
    readonly drops?: number;
    readonly qlen?: number;
  }[];
  const {
    packets: delivered = 0,
    drops: lost = 0,
    qlen: underWay = 0,
  } = disciplines.find(({ kind }) => kind === "netem") ?? {};
  return { ...NO_PACKETS, offered: delivered + lost + underWay, delivered, lost, underWay };
}
