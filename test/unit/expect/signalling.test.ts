import { describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import {
  expectByeFrom,
  expectEndAt,
  expectHeader,
  expectInjected,
  expectRepeated,
  requireInjected,
} from "../../../src/expect/index.ts";
import type { Fact, Party } from "../../../src/timeline/index.ts";
import { recordedCall } from "./recorded-call.ts";

interface Crossing {
  readonly party: Party;
  readonly direction: "sent" | "received";
  readonly startLine: string;
  readonly method: string;
  readonly again?: boolean;
  readonly headers?: string;
}

function crossed({ party, direction, startLine, method, again, headers = "" }: Crossing): Fact {
  const status = /^SIP\/2\.0 (\d{3})/u.exec(startLine)?.[1];
  return {
    kind: "sipMessage",
    at: instant(1000),
    party,
    direction,
    transport: "UDP",
    local: "192.0.2.1:5060",
    remote: "192.0.2.2:5060",
    startLine,
    method,
    cseq: 1,
    ...(status === undefined ? {} : { statusCode: Number(status) }),
    ...(again === undefined ? {} : { retransmission: again }),
    text: `${startLine}\r\n${headers}\r\n`,
  };
}

const INVITE = { startLine: "INVITE sip:b@c SIP/2.0", method: "INVITE" };
const OK = { startLine: "SIP/2.0 200 OK", method: "INVITE" };
const NO_ACK: Fact = {
  kind: "sipFault",
  at: instant(1100),
  party: "caller",
  name: "no ACK",
  effect: "dropped",
  direction: "sent",
  startLine: "ACK sip:b@c SIP/2.0",
};

describe("expectations of signalling, where the bot is not ours", () => {
  const call = recordedCall(
    [
      crossed({
        party: "caller",
        direction: "sent",
        ...INVITE,
        headers: 'Diversion: <sip:x@y>;reason=busy, "Z" <tel:+1>\r\n',
      }),
      crossed({ party: "caller", direction: "received", ...OK }),
      crossed({ party: "caller", direction: "received", ...OK, again: true }),
      crossed({
        party: "caller",
        direction: "received",
        startLine: "SIP/2.0 200 OK",
        method: "BYE",
        again: true,
      }),
      NO_ACK,
      crossed({
        party: "caller",
        direction: "received",
        startLine: "BYE sip:a@b SIP/2.0",
        method: "BYE",
      }),
    ],
    ["caller"],
  );

  it("count what the caller received of it, and only of the message that is meant", async () => {
    const repeats = { party: "bot", message: 200, limitMs: 0 } as const;
    await expect(expectRepeated(call, { ...repeats, atLeast: 1 })).resolves.toContain("once");
    const failure = expectRepeated(call, { ...repeats, atLeast: 2 });
    await expect(failure).rejects.toMatchObject({ code: "ERR_NOT_REPEATED" });
    await expect(failure).rejects.toThrow("Done on purpose: no ACK (once).");
  });

  it("look for headers in what the caller sent to it", async () => {
    const header = { party: "bot", message: "INVITE", header: "diversion", limitMs: 0 } as const;
    const of = (wanted: Parameters<typeof expectHeader>[1]["wanted"]): Promise<string> =>
      expectHeader(call, { ...header, wanted });
    await expect(of({ kind: "URI", text: "tel:+1" })).resolves.toContain("as expected");
    await expect(of({ kind: "display name", text: "Z" })).resolves.toContain("as expected");
    await expect(of({ kind: "pattern", pattern: /=busy$/u })).resolves.toContain("as expected");
    const differs = { code: "ERR_HEADER_DIFFERS" };
    await expect(of({ kind: "absent" })).rejects.toMatchObject(differs);
    await expect(of({ kind: "value", text: "<sip:x@y>" })).rejects.toMatchObject(differs);
    // A header may hold a telephone number.
    await expect(of({ kind: "URI", text: "tel:+2" })).rejects.not.toThrow(/tel:/u);
  });

  it("know who hung up", async () => {
    await expect(expectByeFrom(call, "bot", 0)).resolves.toBe("BYE from the bot");
    await expect(expectByeFrom(call, "caller", 0)).rejects.toMatchObject({ code: "ERR_BYE_SIDE" });
  });

  it("do not see how the call ended there", async () => {
    const end = { party: "bot", reason: "bye", limitMs: 0 } as const;
    await expect(expectEndAt(call, end)).rejects.toMatchObject({ code: "ERR_BOT_NOT_OURS" });
  });

  it("tell what was done on purpose from what was not", async () => {
    const done = { name: "no ACK", limitMs: 0 } as const;
    await expect(expectInjected(call, { ...done, atLeast: 1 })).resolves.toBe("no ACK: once");
    await expect(expectInjected(call, { ...done, atLeast: 2 })).rejects.toMatchObject({
      code: "ERR_FAULT_COUNT",
    });
    expect(() => requireInjected([call], new Set(["no ACK"]))).not.toThrow();
    expect(() => requireInjected([call], new Set(["no ACK", "lost BYE"]))).toThrow(/"lost BYE"/u);
  });
});
