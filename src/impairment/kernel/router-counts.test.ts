import { describe, expect, it } from "vitest";
import { NO_PACKETS } from "../link.ts";
import { countsCommands, parseRouterCounts } from "./router-counts.ts";

const counter = (name: string, packets: number): object => ({
  counter: { family: "ip", name, table: "sidetone", handle: 2, packets, bytes: 60 },
});

function printed(packets: number, drops: number, qlen: number): string {
  return JSON.stringify([
    { kind: "noqueue", packets: 99, drops: 9, qlen: 9 },
    { kind: "netem", handle: "8001:", root: true, packets, drops, qlen },
  ]);
}

describe("counts of a router", () => {
  it("are nft's counters, of one command for both directions", () => {
    const counters = JSON.stringify({
      // What nft 1.0.6 prints before them.
      nftables: [
        { metainfo: { version: "1.0.6", json_schema_version: 1 } },
        counter("sent_offered", 40),
        counter("sent_lost", 3),
        counter("received_offered", 7),
        counter("received_lost", 0),
      ],
    });

    expect(countsCommands("nft")).toHaveLength(1);
    expect(parseRouterCounts("nft", [counters])).toEqual({
      sent: { ...NO_PACKETS, offered: 40, lost: 3, delivered: 37 },
      received: { ...NO_PACKETS, offered: 7, delivered: 7 },
    });
  });

  it("are those of netem at the device towards the receiver, whatever else stands there", () => {
    expect(countsCommands("netem").map(({ args }) => args.at(-1))).toEqual(["far", "near"]);
    expect(parseRouterCounts("netem", [printed(50, 4, 2), printed(9, 0, 0)])).toEqual({
      sent: { ...NO_PACKETS, offered: 56, lost: 4, underWay: 2, delivered: 50 },
      received: { ...NO_PACKETS, offered: 9, delivered: 9 },
    });
  });

  it("are none where netem is not there", () => {
    expect(parseRouterCounts("netem", ["[]", "[]"]).sent).toEqual(NO_PACKETS);
  });
});
