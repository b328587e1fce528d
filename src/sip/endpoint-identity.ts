import type { OutgoingRequestMessage } from "sip.js/lib/core/index.js";
import type { Cryptography, RemoteError } from "../environment/index.ts";
import { authenticateRequests } from "./authenticator.ts";
import type { CallContext } from "./call-context.ts";
import { DigestClient, type SipCredentials } from "./digest-client.ts";
import { DigestServer } from "./digest-server.ts";
import type { Demand, MessageIntakeOptions } from "./message-intake.ts";
import type { OutgoingCall } from "./outbound-call.ts";
import { Registrar, type RegistrarOptions } from "./registrar.ts";
import {
  EndpointRegistration,
  type Registration,
  type RegistrationOptions,
} from "./registration.ts";
import type { SipCore } from "./sip-core.ts";

/** Who an endpoint is, and what it wants to know of others. */
export interface IdentityOptions {
  /** Our accounts, for peers, registrars and proxies that ask who we are. */
  readonly credentials?: readonly SipCredentials[];
  /** Ask others for credentials (401). */
  readonly demand?: Demand;
  /** Be a registrar for others; default: REGISTER gets 405. */
  readonly registrar?: RegistrarOptions;
}

/** What the identity asks of its endpoint. */
interface IdentityHooks {
  readonly outgoingCall: (callId: string) => OutgoingCall | undefined;
  readonly onRefused: (callId: string, error: RemoteError) => void;
}

/** Accounts, registrations and the server roles of one endpoint. */
export class EndpointIdentity {
  /** Set where the options ask for one. */
  readonly registrar: Registrar | undefined;
  readonly #options: IdentityOptions & { readonly cryptography: Cryptography };
  readonly #digest: DigestClient;
  readonly #registrations = new Set<EndpointRegistration>();

  constructor(options: IdentityOptions & { readonly cryptography: Cryptography }) {
    this.#options = options;
    this.#digest = new DigestClient(options.credentials ?? [], options.cryptography);
    this.registrar = options.registrar === undefined ? undefined : new Registrar(options.registrar);
  }

  /** What incoming requests are judged by before the core gets them. */
  get serverRoles(): Pick<MessageIntakeOptions, "demand" | "registrar"> {
    const { demand, cryptography } = this.#options;
    return {
      ...(demand === undefined
        ? {}
        : { demand: { ...demand, server: new DigestServer(demand, cryptography) } }),
      ...(this.registrar === undefined ? {} : { registrar: this.registrar }),
    };
  }

  /** From now on the core's requests get credentials. */
  attach(core: SipCore, { outgoingCall, onRefused }: IdentityHooks): void {
    const callOf = ({ method, callId, toTag }: OutgoingRequestMessage): OutgoingCall | undefined =>
      method === "INVITE" && (toTag ?? "") === "" ? outgoingCall(callId) : undefined;
    authenticateRequests({
      core,
      client: this.#digest,
      isWanted: (message) => callOf(message)?.isGivenUp !== true,
      onRepeat: (message) => callOf(message)?.handleRepeated(),
      onRefused,
    });
  }

  useCredentials(accounts: readonly SipCredentials[]): void {
    this.#digest.useAccounts(accounts);
  }

  /** See `SipEndpoint.register`. */
  register(
    contextOf: (onEnded: () => void) => CallContext,
    options: RegistrationOptions,
  ): Registration {
    const registration: EndpointRegistration = new EndpointRegistration(
      contextOf(() => this.#registrations.delete(registration)),
      options,
    );
    this.#registrations.add(registration);
    registration.start();
    return registration;
  }

  /** Takes all registrations back. */
  async shutDown(): Promise<void> {
    await Promise.all([...this.#registrations].map((registration) => registration.close()));
  }

  /** The endpoint closes now, whatever the registrars say. */
  abandon(): void {
    for (const registration of this.#registrations) registration.abandon();
  }
}
