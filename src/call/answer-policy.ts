import { checkAiNetwork } from "../impairment/index.ts";
import type { MediaSettings } from "../media/index.ts";
import {
  checkDialogSettings,
  checkedHeaders,
  contactHeaders,
  type DialogSettings,
  type InboundCall,
  type OptionsReply,
  type RedirectContact,
} from "../sip/index.ts";
import type { AnswerPolicy } from "./agent-options.ts";
import { checkMediaSettings } from "./check-media-settings.ts";

/**
 * @throws UsageError for settings that make no sense: as `checkMediaSettings`, `checkDialogSettings`,
 *   `checkAiNetwork`, `InboundCall.redirect`.
 */
export function checkAnswerPolicy(policy: AnswerPolicy): void {
  if (policy.kind === "answer") {
    checkMediaSettings(policy.media ?? {});
    checkDialogSettings(policy.dialog ?? {});
    checkAiNetwork(policy.aiNetwork ?? {});
  }
  if (policy.kind === "redirect") contactHeaders(contactsOf(policy));
  checkedHeaders(policy.headers ?? []);
}

type Answer = Extract<AnswerPolicy, { readonly kind: "answer" }>;

/** What is done with a call at once: it is told how to behave, and rings where it may be taken. */
export function beginInvite(
  invite: InboundCall,
  policy: AnswerPolicy,
  dialog: DialogSettings | undefined,
): Answer | undefined {
  const wanted = policy.kind === "answer" ? policy : undefined;
  invite.respondWith(policy.headers ?? []);
  invite.configure({ ...dialog, ...wanted?.dialog });
  if (policy.kind === "answer" || policy.kind === "ringForever") invite.ring();
  return wanted;
}

/** Refuses a call, or sends it elsewhere, where the policy says so. */
export function refuseInvite(invite: InboundCall, policy: AnswerPolicy): void {
  if (policy.kind === "reject") invite.reject(policy.statusCode, policy.reasonPhrase);
  if (policy.kind === "redirect") invite.redirect(contactsOf(policy), policy.statusCode);
}

/** What an INVITE would get, for those who ask with OPTIONS (RFC 3261 §11.2). */
export function optionsReply(
  policy: AnswerPolicy,
  agent: {
    readonly dialog: DialogSettings | undefined;
    readonly describe: (media: MediaSettings) => string;
  },
): OptionsReply {
  const { headers = [] } = policy;
  if (policy.kind === "reject") {
    const { statusCode, reasonPhrase } = policy;
    return { statusCode, headers, ...(reasonPhrase === undefined ? {} : { reasonPhrase }) };
  }
  if (policy.kind === "redirect") {
    const contacts = contactHeaders(contactsOf(policy));
    return { statusCode: policy.statusCode ?? 302, headers: [...headers, ...contacts] };
  }
  const { media = {}, dialog } = policy.kind === "answer" ? policy : {};
  const describe = (): string => agent.describe(media);
  return { statusCode: 200, headers, dialog: { ...agent.dialog, ...dialog }, describe };
}

/** Contacts with q-values that fall in their order. */
function contactsOf(
  policy: Extract<AnswerPolicy, { readonly kind: "redirect" }>,
): RedirectContact[] {
  const { contacts } = policy;
  if (contacts.length <= 1) return contacts.map((uri) => ({ uri }));
  return contacts.map((uri, index) => ({ uri, preference: 1 - index / contacts.length }));
}
