import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { present } from "../../../src/environment/index.ts";
import {
  type Harness,
  openHarness,
  type RemoteAgent,
  type SipSettings,
  type WatchedCall,
} from "../../../src/index.ts";
import type { Party } from "../../../src/timeline/index.ts";
import { artifactsOf } from "../support/artifacts.ts";
import { Kamailio, type KamailioOptions, type KamailioTransport } from "../support/kamailio.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["kamailio", "kamcmd"], {
  files: ["/usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so"],
});
const PASSWORD = "pl4nted-password-of-the-test";
const WRONG_PASSWORD = "wr0ng-password-of-the-test";
const REALM = "kamailio.test";
const LIMIT_MS = 5000;
const LOCAL = { address: "127.0.0.1", port: 0 };
const TLS_FOLDER = new URL("../../../fixtures/tls/", import.meta.url);

function pem(name: string): string {
  return readFileSync(new URL(name, TLS_FOLDER), "utf8");
}

function sipOf(transport: KamailioTransport, name: Party): SipSettings {
  // An INVITE with credentials is longer than 1300 bytes, and would go by TCP.
  if (transport === "udp") return { transport, largeRequests: "udp" };
  if (transport === "tcp") return { transport };
  const tls = { ca: pem("ca.pem"), certificate: pem(`${name}.pem`), key: pem(`${name}.key`) };
  return { transport, tls };
}

/** What this process and its threads have said in a test. */
const printed: string[] = [];

/** How a call goes through: who calls by what, who is called by what, and who hangs up. */
interface Path {
  readonly from: KamailioTransport;
  readonly to: KamailioTransport;
  readonly endedBy: Party;
  readonly algorithm: "MD5" | "SHA-256";
  /** Where the registered caller is called instead. */
  readonly calledBack?: boolean;
}

const PATHS: readonly Path[] = [
  { from: "udp", to: "udp", endedBy: "caller", algorithm: "MD5" },
  { from: "udp", to: "udp", endedBy: "bot", algorithm: "SHA-256", calledBack: true },
  { from: "tcp", to: "tcp", endedBy: "bot", algorithm: "MD5" },
  { from: "tcp", to: "tcp", endedBy: "caller", algorithm: "SHA-256", calledBack: true },
  { from: "tls", to: "tls", endedBy: "bot", algorithm: "SHA-256" },
  { from: "tls", to: "tls", endedBy: "caller", algorithm: "MD5", calledBack: true },
  { from: "udp", to: "tls", endedBy: "bot", algorithm: "SHA-256" },
  { from: "tls", to: "tcp", endedBy: "caller", algorithm: "MD5" },
];

function titleOf({ from, to, endedBy, algorithm, calledBack = false }: Path): string {
  const way = calledBack ? "from the bot to the caller" : "from the caller to the bot";
  return `carries a call ${way}, ${from} to ${to}, ${algorithm}, ended by the ${endedBy}`;
}

/** Both ends are up, and keys that either presses are heard by the other. */
async function talk(call: WatchedCall): Promise<void> {
  const parties = ["caller", "bot"] as const;
  await Promise.all(
    parties.map(async (party) => {
      const confirmed = await call.waitFor(
        (fact) => fact.kind === "callPhase" && fact.phase === "confirmed" && fact.party === party,
        LIMIT_MS,
      );
      expect(confirmed).toBeDefined();
    }),
  );
  await Promise.all(
    parties.map(async (party) => {
      const other = party === "bot" ? "caller" : "bot";
      const heard = call.waitFor(
        (fact) => fact.kind === "digit" && fact.party === other && fact.digit === "2",
        LIMIT_MS,
      );
      await call.press("42", { durationMs: 100 }, party);
      expect(await heard).toBeDefined();
    }),
  );
}

/** Hold by re-INVITE, resume by UPDATE from the other side: both over the recorded route. */
async function holdAndResume(call: WatchedCall): Promise<void> {
  await call.changeMedia({ direction: "sendonly" }, "caller");
  await call.changeMedia({ direction: "sendrecv" }, "caller");
  await call.changeMedia({ direction: "sendrecv", method: "UPDATE" }, "bot");
}

describe.skipIf(MISSING !== undefined)(`Kamailio as registrar and proxy${because(MISSING)}`, () => {
  let kamailio: Kamailio | undefined;
  let harness: Harness | undefined;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sidetone-kamailio-run-"));
    printed.length = 0;
    for (const stream of [process.stdout, process.stderr]) {
      const write = stream.write.bind(stream);
      vi.spyOn(stream, "write").mockImplementation((text: string | Uint8Array) => {
        printed.push(String(text));
        return write(text);
      });
    }
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await harness?.close();
    await kamailio?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Kamailio, a bot registered there, and a caller with an account, both by these transports. */
  async function world(
    options: Partial<KamailioOptions> = {},
    {
      password = PASSWORD,
      bot: botSip = { transport: "udp" },
      caller: callerSip = { transport: "udp" },
    }: { password?: string; bot?: SipSettings; caller?: SipSettings } = {},
  ): Promise<{ kamailio: Kamailio; bot: RemoteAgent; caller: RemoteAgent }> {
    kamailio = await Kamailio.start({ password: PASSWORD, realm: REALM, ...options });
    harness = await openHarness({ seed: "kamailio", reportFolder: folder });
    const both = { local: LOCAL, answer: { kind: "answer", ringMs: 100 } } as const;
    const bot = await harness.addAgent({ ...both, party: "bot", user: "bot", sip: botSip });
    const caller = await harness.addAgent({
      ...both,
      party: "caller",
      user: "caller",
      sip: callerSip,
    });
    await bot.useCredentials([{ user: "bot", password: PASSWORD, realm: REALM }]);
    await caller.useCredentials([{ user: "caller", password }]);
    await bot.register({ registrar: kamailio.uri(transportOf(botSip)), expiresS: 60 });
    await bot.registration.whenRegistered(LIMIT_MS);
    return { kamailio, bot, caller };
  }

  it.each(PATHS.map((path) => [titleOf(path), path] as const))("%s", async (_title, path) => {
    const { from, to, endedBy, algorithm, calledBack = false } = path;
    const both = { bot: sipOf(to, "bot"), caller: sipOf(from, "caller") };
    const { kamailio: proxy, bot, caller } = await world({ algorithm }, both);
    if (calledBack) {
      await caller.register({ registrar: proxy.uri(from), expiresS: 60 });
      await caller.registration.whenRegistered(LIMIT_MS);
    }

    const call = calledBack
      ? await bot.dial(proxy.aor("caller", to))
      : await caller.dial(proxy.aor("bot", from));
    await talk(call);
    await holdAndResume(call);
    await call.hangUp(endedBy);

    expect(await call.whenEnded(LIMIT_MS)).toBe(true);
    for (const each of call.timeline.of("mediaStatistics")) {
      expect(each.packetsReceived).toBeGreaterThan(0);
    }
    const ends = call.timeline.of("callPhase").filter(({ phase }) => phase === "ended");
    expect(ends.map(({ reason }) => reason)).toEqual(["bye", "bye"]);
    expect(call.timeline.of("fault")).toEqual([]);
    expectByProxy(call, path);
    expect((await bot.liveState()).calls).toBe(0);
    expect((await caller.liveState()).calls).toBe(0);
    await expectNoSecrets(harness, call);
  });

  it("sees the bot come and go", async () => {
    const { kamailio: registrar, bot } = await world();
    expect(await registrar.contacts()).toHaveLength(1);
    await bot.unregister();
    expect(await registrar.contacts()).toEqual([]);
    await bot.register({ registrar: registrar.uri(), expiresS: 60 });
    await bot.registration.whenRegistered(LIMIT_MS);
    expect(await registrar.contacts()).toHaveLength(1);
    await bot.close();
    expect(await registrar.contacts()).toEqual([]);
  });

  it("refuses a wrong password at once, of a call and of a registration", async () => {
    const { kamailio: registrar, bot, caller } = await world({}, { password: WRONG_PASSWORD });
    const call = await caller.dial(registrar.aor("bot"));
    expect(await call.whenEnded(LIMIT_MS)).toBe(true);
    const end = call.timeline.of("callPhase").find(({ phase }) => phase === "ended");
    expect(end).toMatchObject({ reason: "rejected", statusCode: 407 });
    expect(call.timeline.of("fault").map(({ code }) => code)).toEqual([
      "ERR_SIP_CREDENTIALS_REFUSED",
    ]);
    await bot.unregister();
    await bot.useCredentials([{ user: "bot", password: WRONG_PASSWORD }]);
    await bot.register({ registrar: registrar.uri() });
    await expect(bot.registration.whenRegistered(LIMIT_MS)).rejects.toMatchObject({
      code: "ERR_SIP_CREDENTIALS_REFUSED",
    });
    expect(await registrar.contacts()).toEqual([]);
    expect(JSON.stringify(bot.registration.events)).not.toContain(WRONG_PASSWORD);
    await expectNoSecrets(harness, call);
  });
});

function transportOf({ transport }: SipSettings): KamailioTransport {
  return transport === "tcp" || transport === "tls" ? transport : "udp";
}

/** Each end spoke with the proxy by its own transport alone, and was asked for credentials. */
function expectByProxy(call: WatchedCall, { from, to, calledBack = false }: Path): void {
  const messages = call.timeline.of("sipMessage");
  const of = (party: Party): typeof messages => messages.filter((each) => each.party === party);
  expect(new Set(of("caller").map(({ transport }) => transport))).toEqual(
    new Set([from.toUpperCase()]),
  );
  expect(new Set(of("bot").map(({ transport }) => transport))).toEqual(new Set([to.toUpperCase()]));
  const placedBy = calledBack ? "bot" : "caller";
  expect(of(placedBy).map(({ statusCode }) => statusCode)).toContain(407);
  const invite = of(calledBack ? "caller" : "bot").find(({ method }) => method === "INVITE");
  expect(invite?.text).toMatch(/^Record-Route: <sip:127\.0\.0\.1/mu);
  const later = messages.filter(
    ({ method, direction, text }) =>
      direction === "sent" && /^(?:BYE|UPDATE)$/u.test(method) && !text.startsWith("SIP/2.0"),
  );
  for (const { text } of later) expect(text).toMatch(/^Route: <sip:127\.0\.0\.1/mu);
  expect(new Set(later.map(({ method }) => method))).toEqual(new Set(["BYE", "UPDATE"]));
}

/** Neither a password nor what could be tried against it is in anything that the run leaves. */
async function expectNoSecrets(harness: Harness | undefined, call: WatchedCall): Promise<void> {
  const artifacts = await artifactsOf(present(harness, "there was a call"), call);
  const folder = `calls/${call.id}`;
  for (const file of ["timeline.jsonl", "call.pcap", "ladder.svg", "metrics.json"]) {
    expect([...artifacts.keys()]).toContain(`${folder}/${file}`);
  }
  expect([...artifacts.keys()]).toEqual(expect.arrayContaining(["index.html", "results.json"]));
  // That the search would find something: the credentials' place is there.
  expect(artifacts.get(`${folder}/call.pcap`)).toContain("Proxy-Authorization: ");
  for (const [path, text] of [...artifacts, ["what was printed", printed.join("")]] as const) {
    for (const secret of [PASSWORD, WRONG_PASSWORD]) {
      expect({ path, hasSecret: text.includes(secret) }).toEqual({ path, hasSecret: false });
    }
    const hasDigest = /response=(?:\\?"|&quot;)?[0-9a-f]{8}/u.test(text);
    expect({ path, hasDigest }).toEqual({ path, hasDigest: false });
  }
}
