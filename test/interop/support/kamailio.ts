import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { LoggedProcess } from "./processes.ts";

const ADDRESS = "127.0.0.1";
const MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/";
const START_LIMIT_MS = 20_000;
const run = promisify(execFile);

const TLS_FOLDER = fileURLToPath(new URL("../../../fixtures/tls/", import.meta.url));

/** What it listens with, and an account may be reached by. */
export type KamailioTransport = "udp" | "tcp" | "tls";

/**
 * How Kamailio asks for credentials. With qop auth: it accepts no auth-int. Its check hands
 * `calc_response` a buffer for the hash of the body that nobody has filled (`hent` in
 * `auth_check_response`, src/modules/auth/api.c), so that no answer to auth-int can be right.
 */
export interface KamailioOptions {
  /** Everybody's; there is no database. */
  readonly password: string;
  readonly realm: string;
  readonly algorithm?: "MD5" | "SHA-256";
}

interface Place {
  /** Of UDP and TCP. */
  readonly port: number;
  readonly tlsPort: number;
  readonly folder: string;
}

/**
 * Kamailio as registrar and proxy on 127.0.0.1, by UDP and TCP on one port and TLS on another:
 * REGISTER needs credentials (401), so do INVITE, UPDATE, BYE and INFO (407); it records its route,
 * so that requests within a dialog pass it. Over TLS it shows a certificate and wants to see one.
 */
export class Kamailio {
  readonly #process: LoggedProcess;
  readonly #place: Place;

  private constructor(process: LoggedProcess, place: Place) {
    this.#process = process;
    this.#place = place;
  }

  static async start(options: KamailioOptions): Promise<Kamailio> {
    const folder = await mkdtemp(join(tmpdir(), "sidetone-kamailio-"));
    const place = { port: await freePort(), tlsPort: await freePort(), folder };
    const config = join(folder, "kamailio.cfg");
    await writeFile(config, configOf(options, place));
    const process = LoggedProcess.start({
      program: "kamailio",
      args: ["-f", config, "-DD", "-E", "-m", "64", "-M", "8", "-Y", folder, "-w", folder],
    });
    const kamailio = new Kamailio(process, place);
    try {
      await process.waitUntil(() => kamailio.#isUp(), START_LIMIT_MS, "Kamailio to listen");
    } catch (error) {
      await kamailio.stop();
      throw error;
    }
    return kamailio;
  }

  /** The registrar's URI for one transport. */
  uri(transport: KamailioTransport = "udp"): string {
    const port = transport === "tls" ? this.#place.tlsPort : this.#place.port;
    return `sip:${ADDRESS}:${port}${transport === "udp" ? "" : `;transport=${transport}`}`;
  }

  /** Where a user registered there is called by one transport, whatever it registered by. */
  aor(user: string, transport: KamailioTransport = "udp"): string {
    return this.uri(transport).replace("sip:", `sip:${user}@`);
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
    await rm(this.#place.folder, { recursive: true, force: true });
  }

  #command(...args: readonly string[]): Promise<{ stdout: string }> {
    return run("kamcmd", ["-s", `unix:${this.#place.folder}/ctl`, ...args]);
  }

  #isUp(): boolean {
    return /sidetone: ready/u.test(this.#process.output);
  }
}

/** One that is free for UDP and for TCP. */
async function freePort(): Promise<number> {
  for (;;) {
    const socket = createSocket("udp4").bind(0, ADDRESS);
    await once(socket, "listening");
    const { port } = socket.address();
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, ADDRESS, () => server.close(() => resolve(true)));
    });
    socket.close();
    await once(socket, "close");
    if (isFree) return port;
  }
}

function configOf(
  { password, realm, algorithm = "MD5" }: KamailioOptions,
  { port, tlsPort, folder }: Place,
): string {
  return `#!KAMAILIO
debug=2
log_stderror=yes
children=2
auto_aliases=no
alias="${ADDRESS}:${port}"
alias="${ADDRESS}:${tlsPort}"
enable_tls=yes
tcp_children=2
listen=udp:${ADDRESS}:${port}
listen=tcp:${ADDRESS}:${port}
listen=tls:${ADDRESS}:${tlsPort}
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
loadmodule "nathelper.so"
loadmodule "tls.so"
loadmodule "ctl.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "${TLS_FOLDER}bot.pem")
modparam("tls", "private_key", "${TLS_FOLDER}bot.key")
modparam("tls", "ca_list", "${TLS_FOLDER}ca.pem")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
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
  if (is_method("INVITE|UPDATE|BYE|INFO")) {
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
