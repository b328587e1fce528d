import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { LoggedProcess } from "./processes.ts";

const ADDRESS = "127.0.0.1";
const MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/";
const START_LIMIT_MS = 20_000;
const run = promisify(execFile);

/** How Kamailio asks for credentials. With qop auth: its auth-int (5.6) hashes no body. */
export interface KamailioOptions {
  /** Everybody's; there is no database. */
  readonly password: string;
  readonly realm: string;
  readonly algorithm?: "MD5" | "SHA-256";
}

/**
 * Kamailio as registrar and proxy on one UDP port of 127.0.0.1: REGISTER needs credentials (401), so
 * do INVITE, BYE and INFO (407); it records its route, so that requests within a dialog pass it.
 */
export class Kamailio {
  readonly #process: LoggedProcess;
  readonly #folder: string;
  readonly uri: string;

  private constructor(process: LoggedProcess, folder: string, port: number) {
    this.#process = process;
    this.#folder = folder;
    this.uri = `sip:${ADDRESS}:${port}`;
  }

  static async start(options: KamailioOptions): Promise<Kamailio> {
    const folder = await mkdtemp(join(tmpdir(), "sidetone-kamailio-"));
    const port = await freePort();
    const config = join(folder, "kamailio.cfg");
    await writeFile(config, configOf(options, { port, folder }));
    const process = LoggedProcess.start({
      program: "kamailio",
      args: ["-f", config, "-DD", "-E", "-m", "64", "-M", "8", "-Y", folder, "-w", folder],
    });
    const kamailio = new Kamailio(process, folder, port);
    try {
      await process.waitUntil(() => kamailio.#isUp(), START_LIMIT_MS, "Kamailio to listen");
    } catch (error) {
      await kamailio.stop();
      throw error;
    }
    return kamailio;
  }

  /** Contact URIs that it holds now. */
  async contacts(): Promise<string[]> {
    const { stdout } = await this.#command("ul.dump");
    return [...stdout.matchAll(/Address:\s*(\S+)/gu)].map((match) => match[1] as string);
  }

  get output(): string {
    return this.#process.output;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #command(...args: readonly string[]): Promise<{ stdout: string }> {
    return run("kamcmd", ["-s", `unix:${this.#folder}/ctl`, ...args]);
  }

  #isUp(): boolean {
    return /sidetone: ready/u.test(this.#process.output);
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, ADDRESS);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

function configOf(
  { password, realm, algorithm = "MD5" }: KamailioOptions,
  { port, folder }: { readonly port: number; readonly folder: string },
): string {
  return `#!KAMAILIO
debug=2
log_stderror=yes
children=2
auto_aliases=no
alias="${ADDRESS}:${port}"
listen=udp:${ADDRESS}:${port}
mpath="${MODULES}"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
loadmodule "ctl.so"
modparam("ctl", "binrpc", "unix:${folder}/ctl")
modparam("usrloc", "db_mode", 0)
modparam("auth", "algorithm", "${algorithm === "MD5" ? "" : algorithm}")

${routesOf(password, realm)}`;
}

function routesOf(password: string, realm: string): string {
  return `event_route[core:worker-one-init] {
  xlog("L_ERR", "sidetone: ready\\n");
}

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (!is_method("ACK")) { if (t_precheck_trans()) { t_check_trans(); exit; } t_check_trans(); }
  if (is_method("INVITE|BYE|INFO")) {
    if (!pv_proxy_authenticate("${realm}", "${password}", "0")) {
      proxy_challenge("${realm}", "1");
      exit;
    }
    consume_credentials();
  }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not Here");
    exit;
  }
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("${realm}", "${password}", "0")) {
      www_challenge("${realm}", "1");
      exit;
    }
    save("location");
    exit;
  }
  if (is_method("INVITE")) record_route();
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}
`;
}
