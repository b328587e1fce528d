import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instant, seededRandom } from "../../../src/environment/index.ts";
import type { RegistrationEvent, SipEndpoint } from "../../../src/sip/index.ts";
import { type RegisterReply, RegistrationEngine } from "../../../src/sip/registration-engine.ts";
import {
  FakeNegotiator,
  headerIn,
  LIVE_NOTHING,
  type RawPeer,
  responseTo,
  SipLab,
} from "./sip-lab.ts";

const ACCOUNT = { user: "bot", password: "s3cret-for-registrar" };
const REGISTRAR = "sip:192.0.2.5";
const AOR = "sip:bot@192.0.2.5";

let lab: SipLab;

beforeEach(() => {
  vi.useFakeTimers();
  lab = new SipLab();
});

afterEach(async () => {
  await lab.close();
  if (vi.getTimerCount() !== 0) throw new Error("A timer outlived the endpoints.");
  vi.useRealTimers();
});

function registrar(options: Parameters<SipLab["endpoint"]>[2] = {}): Promise<SipEndpoint> {
  return lab.endpoint(5, "registrar", { registrar: {}, ...options });
}

function bot(password = ACCOUNT.password): Promise<SipEndpoint> {
  return lab.endpoint(2, "bot", { credentials: [{ ...ACCOUNT, password }] });
}

/** Registers and collects what happens. */
function register(
  endpoint: SipEndpoint,
  options: Partial<Parameters<SipEndpoint["register"]>[0]> = {},
): { registration: ReturnType<SipEndpoint["register"]>; events: RegistrationEvent[] } {
  const registration = endpoint.register({ registrar: REGISTRAR, ...options });
  const events: RegistrationEvent[] = [];
  registration.onEvent = (event) => events.push(event);
  return { registration, events };
}

function briefly(events: readonly RegistrationEvent[]): string[] {
  return events.map(({ state, statusCode, error }) =>
    [state, statusCode, error?.code].filter((each) => each !== undefined).join(" "),
  );
}

/** The REGISTERs that the bot sent. */
function sent(): string[] {
  return lab.traces
    .filter(({ direction, local }) => direction === "sent" && local === "192.0.2.2:5060")
    .map(({ text }) => text)
    .filter((text) => text.startsWith("REGISTER "));
}

/** A raw registrar at 192.0.2.5 that answers as told; the last answer is repeated. */
async function rawRegistrar(
  ...answers: readonly ((request: string) => string)[]
): Promise<RawPeer> {
  const peer = await lab.peer(5);
  let index = 0;
  peer.onMessage = (text) => {
    if (!text.startsWith("REGISTER ")) return;
    const next = answers[Math.min(index, answers.length - 1)];
    index += 1;
    if (next !== undefined) peer.send(next(text), 2);
  };
  return peer;
}

function reply(status: string, ...headers: readonly string[]): (request: string) => string {
  return (request) => responseTo(request, status, { toTag: "reg", headers });
}

const OWN = "Contact: <sip:bot@192.0.2.2:5060>";

describe("a registration at our own registrar", () => {
  it("is made with credentials, refreshed before it runs out, and taken back in the end", async () => {
    const server = await registrar({ demand: { realm: "r", users: [ACCOUNT] } });
    const endpoint = await bot();
    const { registration, events } = register(endpoint, { expiresS: 60 });
    const registered = registration.whenRegistered();
    await lab.advance(50);
    await registered;
    expect(server.registrar?.lookup(AOR, lab.clock.now())).toMatchObject([
      { contact: "sip:bot@192.0.2.2:5060" },
    ]);
    for (let minute = 0; minute < 10; minute += 1) {
      await lab.advance(60_000);
      expect(server.registrar?.lookup(AOR, lab.clock.now())).toHaveLength(1);
    }
    // Refreshed at half time; credentials unasked but for the nonces that got too old.
    expect(sent().length).toBeGreaterThanOrEqual(22);
    expect(sent().length).toBeLessThanOrEqual(26);
    const closed = registration.close();
    await lab.advance(50);
    await closed;
    expect(server.registrar?.lookup(AOR, lab.clock.now())).toEqual([]);
    expect(new Set(briefly(events))).toEqual(
      new Set(["registered 200", "unregistering", "unregistered 200"]),
    );
    const [first, ...others] = sent();
    for (const each of others)
      expect(headerIn(each, "Call-ID")).toBe(headerIn(first ?? "", "Call-ID"));
    const numbers = sent().map((each) => Number.parseInt(headerIn(each, "CSeq") ?? "", 10));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
    await lab.advance(35_000);
    expect(endpoint.liveState).toEqual(LIVE_NOTHING);
    expect(JSON.stringify([lab.traces, lab.logged, events])).not.toContain(ACCOUNT.password);
  });

  it("is taken back when the endpoint closes, even while a REGISTER is under way", async () => {
    const server = await registrar();
    const endpoint = await bot();
    register(endpoint);
    const closed = endpoint.close();
    await lab.advance(100);
    await closed;
    expect(sent().map((each) => headerIn(each, "Expires"))).toEqual(["3600", "0"]);
    expect(server.registrar?.lookup(AOR, lab.clock.now())).toEqual([]);
  });

  it("is refused at once and for good where the password is wrong", async () => {
    await registrar({ demand: { realm: "r", users: [ACCOUNT] } });
    const endpoint = await bot("wrong");
    const { registration, events } = register(endpoint);
    const failure = registration.whenRegistered().catch((error: unknown) => error);
    await lab.advance(600_000);
    expect(briefly(events)).toEqual(["refused 401 ERR_SIP_CREDENTIALS_REFUSED"]);
    expect(await failure).toMatchObject({ code: "ERR_SIP_CREDENTIALS_REFUSED" });
    // What crosses threads is cloned.
    expect(structuredClone(events)).toEqual(events);
    expect(structuredClone(events)[0]?.error?.code).toBe("ERR_SIP_CREDENTIALS_REFUSED");
    expect(sent()).toHaveLength(2);
    await endpoint.close();
    expect(sent()).toHaveLength(2);
  });

  it("asks for more where the wish is too brief (423)", async () => {
    const server = await registrar({ registrar: { minExpiresS: 120 } });
    const { events } = register(await bot(), { expiresS: 30 });
    await lab.advance(50);
    expect(briefly(events)).toEqual(["registered 200"]);
    expect(events[0]?.expiresS).toBe(120);
    expect(server.registrar?.lookup(AOR, lab.clock.now())).toHaveLength(1);
  });

  it("gives later requests the Service-Route, our address as From, and the GRUU as Contact", async () => {
    const route = "<sip:192.0.2.9;lr>";
    await registrar({ registrar: { serviceRoute: [route] } });
    const endpoint = await bot();
    const proxy = await lab.peer(9);
    const { registration } = register(endpoint, { gruu: true });
    await lab.advance(50);
    expect(registration.grant).toMatchObject({ serviceRoute: [route] });
    const call = endpoint.call("sip:alice@192.0.2.7", { negotiator: new FakeNegotiator() });
    await lab.advance(50);
    const [invite] = proxy.withStart("INVITE");
    expect(headerIn(invite ?? "", "Route")).toBe(route);
    expect(headerIn(invite ?? "", "From")).toContain("<sip:bot@192.0.2.5>");
    expect(headerIn(invite ?? "", "Contact")).toMatch(
      /^<sip:bot@192\.0\.2\.5;gr=urn:uuid:[0-9a-f-]{36}>$/,
    );
    expect(headerIn(sent()[0] ?? "", "Supported")).toContain("path, gruu");
    void call.hangUp();
    await Promise.all([registration.close(), lab.advance(50)]);
    const plain = endpoint.call("sip:alice@192.0.2.9", { negotiator: new FakeNegotiator() });
    await lab.advance(50);
    expect(headerIn(proxy.withStart("INVITE").at(-1) ?? "", "Contact")).toBe(
      "<sip:bot@192.0.2.2:5060>",
    );
    void plain.hangUp();
  });

  it("holds over a network that loses one datagram in five", async () => {
    lab = new SipLab({ lossRatio: 0.2, random: seededRandom("lossy registrar") });
    const server = await registrar({ demand: { realm: "r", users: [ACCOUNT] } });
    register(await bot(), { expiresS: 120 });
    await lab.advance(60_000);
    for (let round = 0; round < 60; round += 1) {
      await lab.advance(30_000);
      expect(server.registrar?.lookup(AOR, lab.clock.now())).toHaveLength(1);
    }
  });
});

describe("a registrar that is odd", () => {
  it.each<[string, readonly string[], number]>([
    ["the Contact's own expires", [`${OWN};expires=80`, "Expires: 7"], 80],
    ["the Expires header", [OWN, "Expires: 90"], 90],
    ["what was asked for, where neither is there", [OWN], 100],
    ["what was asked for, where there is not even a Contact", [], 100],
    [
      "our own among others' Contacts",
      ["Contact: <sip:x@192.0.2.8>;expires=5", `${OWN};expires=70`],
      70,
    ],
    [
      "the only Contact, though it was rewritten",
      ["Contact: <sip:bot@203.0.113.1:999>;expires=60"],
      60,
    ],
    ["what was asked for, where expires is malformed", [`${OWN};expires=soon`], 100],
  ])("decides how long it lasts by %s", async (_name, headers, expiresS) => {
    await rawRegistrar(reply("200 OK", ...headers));
    const { events } = register(await bot(), { expiresS: 100 });
    await lab.advance(20);
    expect(events[0]).toMatchObject({ state: "registered", expiresS });
    // No loop, whatever it says.
    await lab.advance(1000);
    expect(sent()).toHaveLength(1);
  });

  it("does not loop where nothing is granted", async () => {
    await rawRegistrar(reply("200 OK", `${OWN};expires=0`));
    const { events } = register(await bot());
    await lab.advance(60_000);
    expect(briefly(events)[0]).toBe("waiting 200 ERR_SIP_REGISTRATION_FAILED");
    expect(sent().length).toBeLessThan(8);
  });

  it("is tried again later and later, and as Retry-After says", async () => {
    await rawRegistrar(
      reply("503 Busy"),
      reply("500 Broken"),
      reply("503 Busy", "Retry-After: 100 (lunch)"),
      reply("200 OK", OWN),
    );
    const { events } = register(await bot());
    await lab.advance(200_000);
    expect(briefly(events)).toEqual([
      "waiting 503 ERR_SIP_REGISTRATION_FAILED",
      "waiting 500 ERR_SIP_REGISTRATION_FAILED",
      "waiting 503 ERR_SIP_REGISTRATION_FAILED",
      "registered 200",
    ]);
    const [first = 0, second = 0, third] = events.map(({ retryInMs }) => retryInMs);
    expect(first).toBeGreaterThanOrEqual(1000);
    expect(first).toBeLessThanOrEqual(2000);
    expect(second).toBeGreaterThanOrEqual(2000);
    expect(second).toBeLessThanOrEqual(4000);
    expect(third).toBe(100_000);
  });

  it("that is silent is tried again", async () => {
    await lab.peer(5);
    const { events } = register(await bot());
    await lab.advance(40_000);
    expect(briefly(events)).toEqual(["waiting 408 ERR_SIP_NO_RESPONSE"]);
    expect(sent().length).toBeGreaterThan(2);
  });

  it("redirects us to another one", async () => {
    await rawRegistrar(reply("302 There", "Contact: <sip:192.0.2.6>"));
    const other = await lab.peer(6);
    other.onMessage = (text) => other.send(reply("200 OK", OWN)(text), 2);
    const { events } = register(await bot());
    await lab.advance(50);
    expect(briefly(events)).toEqual(["registered 200"]);
    expect(other.withStart("REGISTER sip:192.0.2.6 ")).toHaveLength(1);
  });

  it("redirects us in a circle, once", async () => {
    await rawRegistrar(reply("302 There", "Contact: <sip:192.0.2.5>"));
    const { events } = register(await bot());
    await lab.advance(600_000);
    expect(briefly(events)).toEqual(["refused 302 ERR_SIP_REGISTRATION_FAILED"]);
    expect(sent()).toHaveLength(2);
  });

  it("refuses for good: no second try", async () => {
    await rawRegistrar(reply("403 Forbidden"));
    const { events } = register(await bot());
    await lab.advance(600_000);
    expect(briefly(events)).toEqual(["refused 403 ERR_SIP_REGISTRATION_FAILED"]);
    expect(sent()).toHaveLength(1);
  });

  it("that dies is not waited for at the end", async () => {
    const peer = await rawRegistrar(reply("200 OK", OWN));
    const endpoint = await bot();
    register(endpoint);
    await lab.advance(20);
    peer.onMessage = undefined;
    const start = lab.clock.now();
    const closed = endpoint.close();
    await lab.advance(2500);
    await closed;
    expect(lab.clock.now() - start).toBeLessThanOrEqual(2500);
    expect(headerIn(sent()[1] ?? "", "Expires")).toBe("0");
  });
});

function answer(statusCode: number, more: Partial<RegisterReply> = {}): RegisterReply {
  return { statusCode, reasonPhrase: "", alternatives: [], ...more };
}

describe("the engine", () => {
  it("stays registered while a refresh fails, and tries again before the binding runs out", () => {
    const engine = new RegistrationEngine({ expiresS: 100 }, seededRandom("engine"));
    engine.start();
    engine.handleReply(engine.takeOrder()?.number ?? 0, answer(200), instant(0));
    expect(engine.nextTimeout).toBe(60_000);
    engine.handleTimeout(instant(60_000));
    let now = 60_000;
    let tries = 0;
    while (engine.state === "registered" && tries < 50) {
      const order = engine.takeOrder();
      if (order !== undefined) engine.handleReply(order.number, answer(503), instant(now));
      tries += order === undefined ? 0 : 1;
      now = engine.nextTimeout ?? now;
      engine.handleTimeout(instant(now));
    }
    expect(now).toBe(100_000);
    expect(engine.state).toBe("waiting");
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(20);
  });

  it("pays no attention to a reply to a request that it gave up", () => {
    const engine = new RegistrationEngine({}, seededRandom("engine"));
    engine.start();
    const first = engine.takeOrder()?.number ?? 0;
    engine.stop(instant(0));
    engine.handleTimeout(instant(1000));
    expect(engine.takeOrder()).toMatchObject({ expiresS: 0 });
    engine.handleReply(first, answer(200), instant(1001));
    expect(engine.state).toBe("unregistering");
  });

  it("gives a registrar that always says 423 up", () => {
    const engine = new RegistrationEngine({ expiresS: 10 }, seededRandom("engine"));
    engine.start();
    let orders = 0;
    for (let order = engine.takeOrder(); order !== undefined; order = engine.takeOrder()) {
      orders += 1;
      engine.handleReply(order.number, answer(423, { minExpiresS: 60 }), instant(0));
    }
    expect(orders).toBe(2);
    expect(engine.state).toBe("refused");
  });
});
