import { Given, Then, When } from "@cucumber/cucumber";
import {
  expectReconnected,
  expectTransport,
  type Party,
  readTlsFiles,
  type SipTransport,
  UsageError,
  type WantedTransport,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

// By what SIP travels holds for calls that begin after the step, up to the scenario's end. A bot of
// ours that runs already is left alone, and another one takes its place. A target of its own says
// more than the caller's choice: "sips:…", or ";transport=tcp" at its end.

const NAMES: Readonly<Record<string, SipTransport>> = { UDP: "udp", TCP: "tcp", TLS: "tls" };
const LIMIT_MS = 10_000;

/** Requests of the caller go by UDP, TCP or TLS where the target names no transport. */
Given(
  "the caller uses {sipTransport}",
  async function (this: SidetoneWorld, transport: WantedTransport) {
    await this.wantSip("caller", { transport: transportNamed(transport) });
  },
);

/** All requests of the caller go by this WebSocket server (RFC 7118): "wss://pbx.example/ws". */
Given(
  "the caller uses the WebSocket server {string}",
  async function (this: SidetoneWorld, webSocketUrl: string) {
    const transport = webSocketUrl.startsWith("wss:") ? "wss" : "ws";
    await this.wantSip("caller", { transport, webSocketUrl });
  },
);

/** All requests of the caller go by way of this proxy, a SIP URI. */
Given(
  "the caller uses the outbound proxy {string}",
  async function (this: SidetoneWorld, outboundProxy: string) {
    await this.wantSip("caller", { outboundProxy });
  },
);

/** Our bot is called by UDP or TCP. TLS needs a certificate: see the next one. */
Given(
  "the bot listens on {sipTransport}",
  async function (this: SidetoneWorld, transport: WantedTransport) {
    const name = transportNamed(transport);
    if (name === "tls") {
      throw new UsageError(
        "ERR_SIP_TRANSPORT",
        'A bot that listens on TLS needs a certificate: "the bot listens on TLS with the certificate … and the key …".',
      );
    }
    await this.wantSip("bot", { transport: name });
  },
);

/** Our bot is called by TLS, and shows this certificate. Paths of PEM files. */
Given(
  "the bot listens on TLS with the certificate {string} and the key {string}",
  async function (this: SidetoneWorld, certificate: string, key: string) {
    await this.wantTls("bot", await readTlsFiles({ certificate, key }), { transport: "tls" });
  },
);

/** Our bot is called at the IPv6 loopback address. */
Given("the bot listens on IPv6", async function (this: SidetoneWorld) {
  await this.wantAgent("bot", { address: "::1" });
});

/** This side takes certificates of this authority instead of those that Node.js knows. A PEM file. */
Given(
  "the {party} trusts the authority in {string}",
  async function (this: SidetoneWorld, party: Party, ca: string) {
    await this.wantTls(party, await readTlsFiles({ ca }));
  },
);

/** The caller shows this certificate to servers that ask for one. Paths of PEM files. */
Given(
  "the caller shows the certificate {string} with the key {string}",
  async function (this: SidetoneWorld, certificate: string, key: string) {
    await this.wantTls("caller", await readTlsFiles({ certificate, key }));
  },
);

/** Our bot takes only callers that show a certificate of this authority. A PEM file. */
Given(
  "the bot requires a client certificate of the authority in {string}",
  async function (this: SidetoneWorld, ca: string) {
    await this.wantTls("bot", { ...(await readTlsFiles({ ca })), requiresClientCertificate: true });
  },
);

/** The caller asks for this server name (SNI), and the certificate must be for it. */
Given(
  "the caller expects a certificate for {string}",
  async function (this: SidetoneWorld, serverName: string) {
    await this.wantTls("caller", { serverName });
  },
);

/** The caller takes whatever certificate a server shows: the connection proves nothing. */
Given("the caller takes any certificate", async function (this: SidetoneWorld) {
  await this.wantTls("caller", { verify: false });
});

/** The INVITE that the caller sent last went over IPv6. */
Then("the INVITE goes over IPv6", async function (this: SidetoneWorld) {
  this.note(await expectTransport(this.call, "IPv6", LIMIT_MS));
});

/** The INVITE that the caller sent last went by UDP, TCP, TLS or WebSocket. */
Then(
  "the INVITE goes by {sipTransport}",
  async function (this: SidetoneWorld, transport: WantedTransport) {
    this.note(await expectTransport(this.call, transport, LIMIT_MS));
  },
);

/**
 * The TCP, TLS or WebSocket connections of this side break without a word, as those of a host that
 * restarts: fault `dropped connection`. The call goes on; the next request needs a new one.
 */
When(
  "the SIP connection of the {party} breaks",
  async function (this: SidetoneWorld, party: Party) {
    this.wantedFaults.add("dropped connection");
    await this.call.breakConnections(party);
  },
);

/** After a connection broke, such a request of this side came by another one. */
Then(
  "the {party} sends its {sipMessage} by a new connection within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, message: string | number, limitMs: number) {
    this.note(await expectReconnected(this.call, { party, message: String(message), limitMs }));
  },
);

function transportNamed(transport: WantedTransport): SipTransport {
  const name = NAMES[transport];
  if (name !== undefined) return name;
  throw new UsageError(
    "ERR_SIP_TRANSPORT",
    `"${transport}" cannot be chosen by this step; UDP, TCP and TLS can.`,
  );
}
