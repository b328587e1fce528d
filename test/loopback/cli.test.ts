import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, it } from "vitest";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { type CliProcess, type CliResult, resultOf, startCli } from "./cli-process.ts";

// Each test is a process of its own, and most of the time it only listens: they run side by side.
const PATIENT = { timeout: 60_000 };
const FEATURES = "test/loopback/features";
/** Where in a recording: `00:03.518 in the recording (calls/001/audio.wav)`. */
const PLACE = String.raw`00:\d\d\.\d{3} in the recording \((calls/\d{3}/audio\.wav)\)`;
const TOO_SLOW = new RegExp(`expected ≤ 1,000 ms, heard [12],\\d{3} ms at ${PLACE}`, "u");
const WRONG_WORDS = new RegExp(
  `Expected to hear the phrase "breakfast", heard "goodbye" at ${PLACE}`,
  "u",
);

interface Results {
  readonly scenarios: readonly ScenarioSummary[];
}

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-cli-"));
  folders.push(folder);
  return folder;
}

async function started(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliProcess> {
  return startCli([...args, "--reports", await temporaryFolder()], env);
}

async function ran(...args: readonly string[]): Promise<CliResult> {
  return resultOf(await started(args));
}

/** What a client of another process gets, that trusts `ca` by Node's environment variable. */
async function fetched(
  url: string,
  apiKey: string,
  ca: string,
): Promise<{ readonly status?: number; readonly body?: string; readonly error?: string }> {
  const script = `
    const headers = { authorization: "Bearer ${apiKey}" };
    fetch("${url}", { method: "POST", headers, body: "{}" }).then(
      async (answer) => ({ status: answer.status, body: await answer.text() }),
      (error) => ({ error: error.cause?.code }),
    ).then((result) => console.log(JSON.stringify(result)));`;
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: ca };
  const { stdout } = await promisify(execFile)(process.execPath, ["--eval", script], { env });
  return JSON.parse(stdout) as Awaited<ReturnType<typeof fetched>>;
}

describe.concurrent("a broken bot", PATIENT, () => {
  it("turns the run red, and each report says what was expected, what was heard, and where", async ({
    expect,
  }) => {
    const { exitCode, output, report } = await ran(
      "run",
      `${FEATURES}/red.feature`,
      "--tags",
      "not @broken",
    );
    expect(output).toMatch(TOO_SLOW);
    expect(output).toMatch(WRONG_WORDS);
    expect(exitCode).toBe(1);
    for (const message of [TOO_SLOW, WRONG_WORDS]) {
      const recording = message.exec(output)?.[1] ?? "none";
      expect(existsSync(report.path(recording)), recording).toBe(true);
    }
    const { scenarios } = await report.json<Results>("results.json");
    expect(scenarios).toMatchObject([
      { name: "Too slow", verdict: "fail", error: { code: "ERR_ABOVE_LIMIT" } },
      { name: "The wrong words", verdict: "fail", error: { code: "ERR_PHRASE_NOT_HEARD" } },
    ]);
    const junit = await report.text("junit.xml");
    expect(junit).toContain('failures="2"');
    expect(junit.match(new RegExp(`<failure [^>]*${PLACE}`, "gu"))).toHaveLength(2);
    const page = await report.text("index.html");
    expect(page).toMatch(/class="badge fail">fail<\/span><span class="name">Too slow</u);
    expect(page).toMatch(/class="badge fail">fail<\/span><span class="name">The wrong words</u);
    expect(page).toContain("<b>ERR_PHRASE_NOT_HEARD</b>");
    expect(await report.allureStatuses()).toEqual({
      "Too slow": "failed",
      "The wrong words": "failed",
    });
  });

  it("is not what a scenario that is wrong itself is taken for, and the key stays secret", async ({
    expect,
  }) => {
    const keyFile = join(await temporaryFolder(), "key");
    const args = ["run", `${FEATURES}/red.feature`, "--tags", "@broken"];
    const cli = await started([...args, "--import", `${FEATURES}/note-api-key.mjs`], {
      SIDETONE_TEST_KEY_FILE: keyFile,
    });
    const { exitCode, output, report } = await resultOf(cli);
    expect(output).toContain("ERR_FIXTURE_MISSING");
    expect(exitCode).toBe(2);
    const { scenarios } = await report.json<Results>("results.json");
    expect(scenarios).toMatchObject([{ verdict: "broken", error: { fault: "usage" } }]);
    expect(await report.allureStatuses()).toEqual({ "A phrase that is no fixture": "broken" });

    const key = await readFile(keyFile, "utf8");
    expect(key.length).toBeGreaterThan(20);
    const contents = await report.everything();
    expect([...contents.keys()]).toContain("calls/001/ai.jsonl");
    const telling = [...contents].filter(([, content]) => content.includes(key));
    expect(telling.map(([path]) => path)).toEqual([]);
    expect(output).not.toContain(key);
  });
});

describe.concurrent("an interruption", PATIENT, () => {
  it("in a call hangs it up, and the report says that nothing was proved", async ({ expect }) => {
    const cli = await started(["run", `${FEATURES}/cut-off-call.feature`]);
    await cli.said("the bot is heard");
    cli.child.kill("SIGINT");
    // As npm does, which passes the terminal's signal on.
    cli.child.kill("SIGINT");
    const { exitCode, output, report } = await resultOf(cli);
    expect(exitCode).toBe(130);
    expect(output).not.toMatch(/fail/iu);
    expect(output).toContain("ERR_INTERRUPTED");
    const { scenarios } = await report.json<Results>("results.json");
    const interrupted = { verdict: "inconclusive", error: { code: "ERR_INTERRUPTED" } };
    expect(scenarios).toMatchObject([
      { ...interrupted, callIds: ["001"] },
      { ...interrupted, callIds: [] },
    ]);
    expect(await report.sipRequests("001")).toMatchObject(["INVITE", "ACK", "BYE"]);
    expect(await report.text("junit.xml")).toMatch(/skipped="2" failures="0"/u);
    expect(await report.text("index.html")).toContain("<b>ERR_INTERRUPTED</b>");
    expect(new Set(Object.values(await report.allureStatuses()))).toEqual(new Set(["skipped"]));
  });

  it("before the answer cancels the call", async ({ expect }) => {
    const cli = await started(["run", `${FEATURES}/cut-off-ringing.feature`]);
    await cli.said("ringing 180");
    cli.child.kill("SIGTERM");
    const { exitCode, report } = await resultOf(cli);
    expect(exitCode).toBe(130);
    expect(await report.sipRequests("001")).toEqual(["INVITE", "CANCEL", "ACK"]);
    const { scenarios } = await report.json<Results>("results.json");
    expect(scenarios).toMatchObject([{ verdict: "inconclusive", callIds: ["001"] }]);
  });

  it("ends a step that no one can end with the second press", async ({ expect }) => {
    const steps = ["--import", `${FEATURES}/endless-step.mjs`];
    const cli = await started(["run", `${FEATURES}/endless-step.feature`, ...steps]);
    await cli.said("Nothing ends it");
    cli.child.kill("SIGINT");
    await cli.said("Interrupted");
    // What comes within a second is taken for the same press. One more press, and no third: while
    // the process is torn down there is no handler any more, and it would die of the signal.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    cli.child.kill("SIGINT");
    expect(await cli.exited).toBe(130);
  });
});

describe.concurrent("what a user may get wrong", PATIENT, () => {
  it("a phrase that no step knows", async ({ expect }) => {
    const { exitCode, output } = await ran("run", `${FEATURES}/unknown-step.feature`);
    expect(output).toContain('ERR_STEP_UNKNOWN: No step matches "a bot that plays the tuba"');
    expect(exitCode).toBe(2);
  });

  it("a feature that is no Gherkin", async ({ expect }) => {
    const { exitCode, output } = await ran("run", `${FEATURES}/malformed.feature`);
    expect(output).toMatch(/ERR_FEATURE_MALFORMED: test\S+malformed\.feature:5:5: expected: /u);
    expect(exitCode).toBe(2);
  });

  it("features that are not there, and none with that tag", async ({ expect }) => {
    const missing = await ran("run", "no/such/folder");
    expect(missing.output).toMatch(/ERR_FILE_MISSING: .*no\/such\/folder/u);
    expect(missing.exitCode).toBe(2);
    const untagged = await ran("run", `${FEATURES}/red.feature`, "--tags", "@nobody");
    expect(untagged.output).toMatch(/ERR_NO_SCENARIO: .* has no scenario with the tags @nobody/u);
    expect(untagged.exitCode).toBe(2);
  });

  it("step files, commands and ports that are not there", async ({ expect }) => {
    const features = `${FEATURES}/red.feature`;
    const noSteps = await ran("run", features, "--import", "no-such-steps.mjs");
    expect(noSteps.output).toMatch(/ERR_FILE_MISSING: .*no-such-steps\.mjs/u);
    expect(noSteps.exitCode).toBe(2);
    const unknown = await ran("dance");
    expect(unknown.output).toContain('There is no command "dance".');
    expect(unknown.exitCode).toBe(2);
    const badPort = await ran("realtime-server", "--port", "65536");
    expect(badPort.output).toContain("ERR_PORT_MALFORMED");
    const badTlsPort = await ran("serve", "--tls-port", "x");
    expect(badTlsPort.output).toContain("ERR_PORT_MALFORMED: --tls-port x");
    const half = await ran("serve", "--port", "0", "--tls-key", "fixtures/tls/bot.key");
    expect(half.output).toContain("ERR_TLS_MATERIAL");
    const nowhere = await ran("serve", "--port", "0", "--tls-ca", "/dev/null/ca.pem");
    expect(nowhere.output).toContain("ERR_FILE_NOT_WRITTEN: /dev/null/ca.pem");
    expect(nowhere.exitCode).toBe(2);
    expect(badPort.exitCode).toBe(2);
  });
});

describe.concurrent("what a user may ask", PATIENT, () => {
  it("the version and the help", async ({ expect }) => {
    const version = await ran("--version");
    const { version: expected } = JSON.parse(await readFile("package.json", "utf8")) as {
      readonly version: string;
    };
    expect(version).toMatchObject({ exitCode: 0, output: `${expected}\n` });
    const help = await ran("--help");
    expect(help.exitCode).toBe(0);
    expect(help.output).toContain("sidetone demo");
    const nothing = await ran();
    expect(nothing).toMatchObject({ exitCode: 2, output: help.output });
  });

  it("an AI of its own, with and without TLS, until Ctrl-C", async ({ expect }) => {
    const cli = await started(["serve", "--port", "0"]);
    await cli.said("Ctrl-C ends it.");
    const output = cli.output();
    expect(output).toMatch(/listens at ws:\/\/127\.0\.0\.1:\d+/u);
    const [, apiKey = ""] = /API key: (\S+)/u.exec(output) ?? [];
    const [, origin = "", ca = ""] = /With TLS: (\S+)\s+Clients trust (\S+)/u.exec(output) ?? [];
    const secret = await fetched(`${origin}/v1/realtime/client_secrets`, apiKey, ca);
    expect(secret).toMatchObject({ status: 200, body: expect.stringMatching(/"value":"ek_/u) });
    const strangers = await fetched(`${origin}/v1/realtime/client_secrets`, apiKey, "");
    expect(strangers.error).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    expect(await readFile(ca, "utf8")).not.toContain("PRIVATE");
    cli.child.kill("SIGINT");
    cli.child.kill("SIGINT");
    expect(await cli.exited).toBe(0);
  });
});
