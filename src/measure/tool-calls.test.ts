import { describe, expect, it } from "vitest";
import { by } from "../../test/unit/report/synthetic-call.ts";
import { type Instant, instant } from "../environment/index.ts";
import type { Fact, Party, ToolCallFact } from "../timeline/index.ts";
import { measureToolCalls } from "./tool-calls.ts";

describe("measureToolCalls", () => {
  it("ties hangup_call to the BYE that the caller received", () => {
    const metrics = measureToolCalls([
      tool("hangup_call", "called", 1000),
      tool("hangup_call", "started", 2500),
      sip("BYE", "bot", "sent", 2510),
      sip("BYE", "caller", "received", 2512),
    ]);

    expect(metrics).toMatchObject([
      {
        outcome: "effect",
        waitMs: 1500,
        effectSentAt: 2510,
        effectReceivedAt: 2512,
        effectLatencyMs: 1512,
        effectSeenBy: "caller",
      },
    ]);
  });

  it("says that hangup_call had no effect where no BYE follows", () => {
    const metrics = measureToolCalls([
      sip("BYE", "caller", "received", 900),
      tool("hangup_call", "called", 1000),
      sip("BYE", "caller", "sent", 3000),
    ]);

    expect(metrics[0]?.outcome).toBe("noEffect");
    expect(metrics[0]?.effectLatencyMs).toBeUndefined();
  });

  it("takes the BYE as sent where the caller's facts are missing", () => {
    const metrics = measureToolCalls([
      tool("hangup_call", "called", 1000),
      sip("BYE", "bot", "sent", 1100),
    ]);

    expect(metrics[0]).toMatchObject({ effectLatencyMs: 100, effectSeenBy: "bot" });
  });

  it("ties each send_dtmf to the digits that arrived before the next", () => {
    const metrics = measureToolCalls([
      tool("send_dtmf", "called", 1000, "a"),
      digit("4", "caller", "received", 1080),
      digit("2", "caller", "received", 1280),
      tool("send_dtmf", "called", 3000, "b"),
      digit("#", "caller", "received", 3090),
    ]);

    expect(metrics.map(({ digits }) => digits)).toEqual(["42", "#"]);
    expect(metrics.map(({ effectLatencyMs }) => effectLatencyMs)).toEqual([80, 90]);
  });

  it("tells a tool that failed from one without effect", () => {
    const metrics = measureToolCalls([
      tool("transfer_call", "called", 1000),
      tool("transfer_call", "failed", 1010),
    ]);

    expect(metrics[0]).toMatchObject({ outcome: "failed", expectedEffect: "refer" });
  });
});

function tool(name: string, event: ToolCallFact["event"], ms: number, toolCallId = name): Fact {
  return by("bot", { kind: "toolCall", event, toolCallId, name, arguments: {}, at: at(ms) });
}

function sip(method: string, party: Party, direction: "sent" | "received", ms: number): Fact {
  return by(party, {
    kind: "sipMessage",
    direction,
    method,
    transport: "UDP",
    local: "",
    remote: "",
    startLine: `${method} sip:x`,
    cseq: 2,
    text: "",
    at: at(ms),
  });
}

function digit(which: string, party: Party, direction: "sent" | "received", ms: number): Fact {
  return by(party, {
    kind: "digit",
    method: "telephone-event",
    direction,
    digit: which,
    durationMs: 100,
    endedAt: at(ms + 100),
    at: at(ms),
  });
}

function at(ms: number): Instant {
  return instant(ms);
}
