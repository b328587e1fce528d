import { openUdpPath } from "../ai-udp/index.ts";
import { type Environment, UsageError } from "../environment/index.ts";
import {
  type AiNetwork,
  type AiPath,
  checkAiNetwork,
  openKernelPath,
  openModelledPath,
} from "../impairment/index.ts";

/**
 * The injured network to the AI at `url`, by the transport that is wanted.
 * @throws UsageError ERR_IMPAIRMENT, ERR_AI_TRANSPORT, ERR_AI_URL_MALFORMED.
 */
export function openAiPath(
  { clock, network, random, namespaces }: Environment,
  url: string,
  plan: AiNetwork,
): Promise<AiPath> {
  checkAiNetwork(plan);
  const { transport = "tcp-modelled", seed = String(random()) } = plan;
  if (transport === "tcp-modelled") {
    const remote = hostOf(url);
    return openModelledPath({ clock, network, seed, remote, plan });
  }
  if (transport === "tcp-kernel") {
    if (namespaces === undefined) {
      throw new UsageError(
        "ERR_AI_TRANSPORT",
        "The kernel's TCP is not to be had here: this environment makes no network namespaces.",
      );
    }
    return openKernelPath({ clock, network, namespaces, seed, remote: hostOf(url), plan });
  }
  return openUdpPath({ clock, network, seed, plan });
}

/** Where a WebSocket of this URL connects to. */
function hostOf(url: string): { readonly address: string; readonly port: number } {
  if (!URL.canParse(url)) {
    throw new UsageError("ERR_AI_URL_MALFORMED", "The AI's address is not a URL.");
  }
  const { protocol, hostname, port } = new URL(url);
  const address = hostname.replace(/^\[|\]$/gu, "");
  return { address, port: Number(port) || (protocol === "wss:" ? 443 : 80) };
}
