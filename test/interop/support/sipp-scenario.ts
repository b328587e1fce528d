/** What a scripted caller does between its first INVITE and its BYE. */
export type SippStep =
  /** INVITE or re-INVITE with one codec, its 200 and ACK. */
  | { readonly kind: "offer"; readonly payloadType: number; readonly encoding: string }
  | { readonly kind: "pause"; readonly ms: number }
  | { readonly kind: "info"; readonly contentType: string; readonly body: string };

/** A SIPp scenario of one call by `user`; it begins with an offer and ends with BYE. */
export function sippScenario(user: string, steps: readonly SippStep[]): string {
  const parts = steps.map((step, index) => stepText(user, step, index + 1));
  const bye = request(user, "BYE", steps.length + 1);
  return `<?xml version="1.0"?>
<scenario name="${user}">
${parts.join("\n")}
<send retrans="500"><![CDATA[
${bye}
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
`;
}

function stepText(user: string, step: SippStep, cseq: number): string {
  if (step.kind === "pause") return `<pause milliseconds="${step.ms}"/>`;
  if (step.kind === "offer") return offerText(user, step, cseq);
  return `<send retrans="500"><![CDATA[
${request(user, "INFO", cseq)}
Content-Type: ${step.contentType}
Content-Length: [len]

${step.body}
]]></send>
<recv response="200"/>`;
}

function offerText(
  user: string,
  { payloadType, encoding }: Extract<SippStep, { readonly kind: "offer" }>,
  cseq: number,
): string {
  return `<send retrans="500"><![CDATA[
${request(user, "INVITE", cseq)}
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 ${cseq} IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP ${payloadType}
a=rtpmap:${payloadType} ${encoding}
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200"/>
<send><![CDATA[
${request(user, "ACK", cseq)}
Content-Length: 0

]]></send>`;
}

function request(user: string, method: string, cseq: number): string {
  return `${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:${user}@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Contact: <sip:${user}@[local_ip]:[local_port]>
Max-Forwards: 70`;
}
