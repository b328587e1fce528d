import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type CliProcess, startCli } from "../cli-process.ts";

const PATIENT = { timeout: 120_000 };
const SECRET = "loopback-tokens-secret-0123";
const KEYS = { OPENAI_API_KEY: "sk-planted-0123456789", GEMINI_API_KEY: "AIzaPlanted0123456789" };
const folder = await mkdtemp(join(tmpdir(), "sidetone-tokens-"));

afterAll(() => rm(folder, { recursive: true }));

function serve(args: readonly string[], env: Readonly<Record<string, string>> = {}): CliProcess {
  return startCli(["tokens", "serve", "--port", "0", ...args], { ...KEYS, ...env });
}

/** The address that it announces. */
function addressIn(output: string): string {
  return /Tokens at (https?:\S+)/u.exec(output)?.[1] ?? "";
}

describe.concurrent("sidetone tokens serve", () => {
  it("answers by its clients' file, logs no secret, and ends in order", PATIENT, async () => {
    const clients = join(folder, "clients");
    await writeFile(clients, `# who may ask\nagent-1 ${SECRET}\n`);
    const nobody = "ws://127.0.0.1:9/v1/realtime";
    const cli = serve(["--clients", clients, "--openai-url", nobody]);
    await cli.said("Ctrl-C ends it.");
    const url = addressIn(cli.output());
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.text()]).toEqual([200, '{"status":"ok"}']);
    const ask = (secret: string): Promise<Response> =>
      fetch(`${url}/v1/tokens`, {
        method: "POST",
        headers: { authorization: `Bearer ${secret}` },
        body: JSON.stringify({ provider: "openai", session: { model: "m" } }),
      });
    expect((await ask(`${SECRET}x`)).status).toBe(401);
    expect((await ask(SECRET)).status).toBe(502);
    cli.child.kill("SIGTERM");
    expect(await cli.exited).toBe(0);
    expect(cli.output()).toContain("agent-1: ERR_TOKEN_UNAVAILABLE");
    for (const secret of [SECRET, ...Object.values(KEYS)]) {
      expect(cli.output()).not.toContain(secret);
    }
  });

  it("hands nothing out in the clear beyond loopback", PATIENT, async () => {
    const cli = serve(["--address", "0.0.0.0"], { SIDETONE_TOKENS_SECRET: SECRET });
    expect(await cli.exited).toBe(2);
    expect(cli.output()).toContain("Give --tls-certificate and --tls-key");
  });

  it("listens anywhere with TLS", PATIENT, async () => {
    const tls = ["--tls-certificate", "fixtures/tls/bot.pem", "--tls-key", "fixtures/tls/bot.key"];
    const cli = serve(["--address", "0.0.0.0", ...tls], { SIDETONE_TOKENS_SECRET: SECRET });
    await cli.said("Tokens at https://0.0.0.0:");
    cli.child.kill("SIGINT");
    expect(await cli.exited).toBe(0);
  });

  it("does not start without a secret", PATIENT, async () => {
    const cli = serve([], { SIDETONE_TOKENS_SECRET: "" });
    expect(await cli.exited).toBe(2);
    expect(cli.output()).toContain("needs a secret for each client");
  });

  it("is the only command of its kind", PATIENT, async () => {
    const cli = startCli(["tokens", "steal"], KEYS);
    expect(await cli.exited).toBe(2);
    expect(cli.output()).toContain('There is no command "tokens steal"');
  });
});
