import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Environment, SocketAddress } from "../../../src/environment/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";
import {
  type CallEndedEvent,
  type InboundCall,
  type SipCall,
  SipEndpoint,
  type SipTrace,
} from "../../../src/sip/index.ts";
import { FakeNegotiator } from "../../unit/sip/sip-lab.ts";

const ANYWHERE: SocketAddress = { address: "127.0.0.1", port: 0 };

let environment: Environment;
const endpoints: SipEndpoint[] = [];

async function open(
  user: string,
  local = ANYWHERE,
  onTrace: (trace: SipTrace) => void = () => {},
): Promise<SipEndpoint> {
  const endpoint = await SipEndpoint.open({
    ...environment,
    local,
    user,
    userAgent: "Sidetone-Test",
    allow: ["*"],
    onTrace,
  });
  endpoints.push(endpoint);
  return endpoint;
}

/** Resolves with the event that ends the call; calls `onUp` when it is up. */
function outcomeOf(call: SipCall, onUp: () => void = () => {}): Promise<CallEndedEvent> {
  return new Promise((resolve) => {
    call.onEvent = (event) => {
      if (event.type === "confirmed") onUp();
      if (event.type === "ended") resolve(event);
    };
  });
}

/**
 * UDP sockets that keep the process alive, once closed ones are gone. Timers cannot be told from
 * Vitest's own here; closing.test.ts counts them, under fake timers.
 */
async function openSockets(): Promise<number> {
  for (let turn = 0; turn < 3; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => void globalThis.setImmediate(resolve));
  }
  return process.getActiveResourcesInfo().filter((name) => name === "UDPWrap").length;
}

beforeEach(() => {
  environment = createEnvironment({ seed: "loopback" });
});

afterEach(async () => {
  await Promise.all(endpoints.splice(0).map((endpoint) => endpoint.close()));
});

describe("over real UDP sockets", () => {
  it("a call is set up and hung up, either way", async () => {
    const caller = await open("caller");
    const bot = await open("bot");
    bot.onInvite = (call) => {
      call.ring();
      call.answer(new FakeNegotiator());
    };

    const first = caller.call(bot.uri, { negotiator: new FakeNegotiator() });
    const firstEnd = await outcomeOf(first, () => void first.hangUp());
    bot.onInvite = (call) => {
      call.answer(new FakeNegotiator());
      call.onEvent = (event) => {
        if (event.type === "confirmed") void call.hangUp();
      };
    };
    const second = caller.call(bot.uri, { negotiator: new FakeNegotiator(), offer: "late" });
    const secondEnd = await outcomeOf(second);

    expect(firstEnd).toMatchObject({ endedBy: "local", reason: "bye" });
    expect(secondEnd).toMatchObject({ endedBy: "remote", reason: "bye" });
    expect({ ...caller.counts, ...bot.counts }).toEqual({ malformed: 0, exceptions: 0 });
  });

  it("a host name is resolved, and an unknown one ends the call", async () => {
    const caller = await open("caller");
    const bot = await open("bot");
    bot.onInvite = (call) => call.reject(486);
    const callTo = (target: string): Promise<CallEndedEvent> =>
      outcomeOf(caller.call(target, { negotiator: new FakeNegotiator() }));

    expect(await callTo(`sip:bot@localhost:${bot.local.port}`)).toMatchObject({
      reason: "rejected",
      statusCode: 486,
    });
    expect(await callTo("sip:bot@nowhere.invalid")).toMatchObject({
      reason: "unreachable",
      error: { code: "ERR_HOST_UNRESOLVED", fault: "environment" },
    });
  });

  it("an address that the host cannot send to ends the call at once", async () => {
    const caller = await open("caller");
    const call = caller.call("sip:bot@240.0.0.1", { negotiator: new FakeNegotiator() });

    expect(await outcomeOf(call)).toMatchObject({
      endedBy: "network",
      reason: "unreachable",
      error: { code: "ERR_NETWORK_UNREACHABLE", fault: "environment" },
    });
  });

  it("traces both ends of each message with instants in their order", async () => {
    const traces: SipTrace[] = [];
    const caller = await open("caller", ANYWHERE, (trace) => traces.push(trace));
    const bot = await open("bot", ANYWHERE, (trace) => traces.push(trace));
    bot.onInvite = () => undefined; // else it is unavailable, and OPTIONS says so
    expect(await caller.queryOptions(bot.uri, 2000)).toMatchObject({ statusCode: 200 });

    expect(traces.map((trace) => `${trace.direction} ${trace.statusCode ?? trace.method}`)).toEqual(
      ["sent OPTIONS", "received OPTIONS", "sent 200", "received 200"],
    );
    const instants = traces.map((trace) => trace.at);
    expect(instants).toEqual(instants.toSorted((left, right) => left - right));
    expect(traces[0]?.bytes).toEqual(traces[1]?.bytes);
    expect(traces[0]?.remote).toBe(traces[1]?.local);
  });

  it("a port in use is refused with its code", async () => {
    const first = await open("first");
    await expect(open("second", first.local)).rejects.toMatchObject({ code: "ERR_PORT_IN_USE" });
  });

  it("no socket keeps the process alive after close", async () => {
    expect(await openSockets()).toBe(0);
    const caller = await open("caller");
    const bot = await open("bot");
    const incoming: InboundCall[] = [];
    bot.onInvite = (call) => {
      incoming.push(call);
      if (incoming.length === 1) call.answer(new FakeNegotiator());
      else call.ring();
    };
    const up = caller.call(bot.uri, { negotiator: new FakeNegotiator() });
    await new Promise<void>((resolve) => void outcomeOf(up, resolve));
    const ringing = caller.call(bot.uri, { negotiator: new FakeNegotiator() });
    await new Promise<void>((resolve) => {
      ringing.onEvent = (event) => {
        if (event.type === "ringing") resolve();
      };
    });
    caller.call("sip:silent@127.0.0.1:9", { negotiator: new FakeNegotiator() });
    expect(await openSockets()).toBe(2);

    await Promise.all([caller.close(), bot.close()]);

    expect(await openSockets()).toBe(0);
    expect([up.state, ringing.state, ...incoming.map((call) => call.state)]).toEqual([
      "ended",
      "ended",
      "ended",
      "ended",
    ]);
  });
});
