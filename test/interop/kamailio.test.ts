import { readdir, readFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type Harness, openHarness, type RemoteAgent, type WatchedCall } from "../../src/index.ts";
import { Kamailio, type KamailioOptions } from "./support/kamailio.ts";
import { because, missingReason } from "./support/tools.ts";

const MISSING = missingReason(["kamailio", "kamcmd"]);
const PASSWORD = "pl4nted-password-of-the-test";
const REALM = "kamailio.test";
const LIMIT_MS = 5000;
const LOCAL = { address: "127.0.0.1", port: 0 };

/** Both ends are up, and keys that the caller presses are heard by the bot. */
async function talk(call: WatchedCall): Promise<void> {
  const confirmed = await call.waitFor(
    (fact) => fact.kind === "callPhase" && fact.phase === "confirmed" && fact.party === "bot",
    LIMIT_MS,
  );
  expect(confirmed).toBeDefined();
  await call.press("42", { durationMs: 100 });
  const heard = await call.waitFor(
    (fact) => fact.kind === "digit" && fact.party === "bot" && fact.digit === "2",
    LIMIT_MS,
  );
  expect(heard).toBeDefined();
}

describe.skipIf(MISSING !== undefined)(`Kamailio as registrar and proxy${because(MISSING)}`, () => {
  let kamailio: Kamailio | undefined;
  let harness: Harness | undefined;

  afterEach(async () => {
    await harness?.close();
    await kamailio?.stop();
  });

  /** Kamailio, a bot registered there, and a caller with an account. */
  async function world(
    options: Partial<KamailioOptions> = {},
    password = PASSWORD,
  ): Promise<{ kamailio: Kamailio; bot: RemoteAgent; caller: RemoteAgent; aor: string }> {
    kamailio = await Kamailio.start({ password: PASSWORD, realm: REALM, ...options });
    harness = await openHarness({ seed: "kamailio", reportFolder: "reports/test-kamailio" });
    const answer = { kind: "answer", ringMs: 100 } as const;
    const bot = await harness.addAgent({ party: "bot", user: "bot", local: LOCAL, answer });
    const caller = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL });
    await bot.useCredentials([{ user: "bot", password: PASSWORD, realm: REALM }]);
    await caller.useCredentials([{ user: "caller", password }]);
    const aor = await bot.register({ registrar: kamailio.uri, expiresS: 60 });
    await bot.registration.whenRegistered(LIMIT_MS);
    return { kamailio, bot, caller, aor };
  }

  it.each<["caller" | "bot", Partial<KamailioOptions>]>([
    ["caller", {}],
    ["bot", {}],
    ["caller", { algorithm: "SHA-256" }],
    ["bot", { algorithm: "SHA-256" }],
  ])(
    "a call to the registered bot has media and is ended by the %s (%o)",
    async (party, options) => {
      const { caller, bot, aor } = await world(options);
      const call = await caller.dial(aor);
      await talk(call);
      await call.hangUp(party);
      expect(await call.whenEnded(LIMIT_MS)).toBe(true);
      for (const each of call.timeline.of("mediaStatistics")) {
        expect(each.packetsReceived).toBeGreaterThan(0);
      }
      const ends = call.timeline.of("callPhase").filter(({ phase }) => phase === "ended");
      expect(ends.map(({ reason }) => reason)).toEqual(["bye", "bye"]);
      // In the call, everything went through the proxy, with credentials given unasked to the INVITE's.
      const messages = call.timeline.of("sipMessage").filter(({ party: of }) => of === "caller");
      expect(messages.map(({ statusCode }) => statusCode)).toContain(407);
      expect((await bot.liveState()).calls).toBe(0);
      await harness?.leave(call);
      const folder = `${harness?.reportFolder ?? ""}/calls`;
      const name = (await readdir(folder)).find((each) => each.startsWith(call.id)) ?? "";
      const text = await readFile(`${folder}/${name}/timeline.jsonl`, "utf8");
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toMatch(/response=\\?"[0-9a-f]{8}/u);
    },
  );

  it("sees the bot come and go", async () => {
    const { kamailio: registrar, bot } = await world();
    expect(await registrar.contacts()).toHaveLength(1);
    await bot.unregister();
    expect(await registrar.contacts()).toEqual([]);
    await bot.register({ registrar: registrar.uri, expiresS: 60 });
    await bot.registration.whenRegistered(LIMIT_MS);
    expect(await registrar.contacts()).toHaveLength(1);
    await bot.close();
    expect(await registrar.contacts()).toEqual([]);
  });

  it("refuses a wrong password at once, of a call and of a registration", async () => {
    const { kamailio: registrar, bot, caller, aor } = await world({}, "wrong");
    const call = await caller.dial(aor);
    expect(await call.whenEnded(LIMIT_MS)).toBe(true);
    const end = call.timeline.of("callPhase").find(({ phase }) => phase === "ended");
    expect(end).toMatchObject({ reason: "rejected", statusCode: 407 });
    expect(call.timeline.of("fault").map(({ code }) => code)).toEqual([
      "ERR_SIP_CREDENTIALS_REFUSED",
    ]);
    await bot.unregister();
    await bot.useCredentials([{ user: "bot", password: "wrong" }]);
    await bot.register({ registrar: registrar.uri });
    await expect(bot.registration.whenRegistered(LIMIT_MS)).rejects.toMatchObject({
      code: "ERR_SIP_CREDENTIALS_REFUSED",
    });
    expect(await registrar.contacts()).toEqual([]);
  });
});
