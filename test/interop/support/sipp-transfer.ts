/** SIPp scenarios of transfers (RFC 3515, RFC 3891), each of one call. */

const SDP = `v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000`;

/** Notes who called, so that requests can be sent within the dialog. */
const TAKES_INVITE = `<recv request="INVITE">
  <action>
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
    <ereg regexp=".*" search_in="hdr" header="To:" assign_to="callee"/>
    <ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="contact"/>
  </action>
</recv>
${response(
  "200 OK",
  ";tag=[call_number]",
  `Contact: <sip:sipp@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

${SDP}`,
)}
<recv request="ACK"/>`;

/**
 * Takes a call and a REFER, tells these statuses in NOTIFYs, the last of which is final, and is
 * hung up on.
 */
export function sippTransferee(statuses: readonly string[]): string {
  const notifies = statuses.map((status, index) => {
    const state =
      index === statuses.length - 1 ? "terminated;reason=noresource" : "active;expires=60";
    return `<send retrans="500"><![CDATA[
NOTIFY [$contact] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$callee];tag=[call_number]
To:[$caller]
Call-ID: [call_id]
CSeq: ${index + 1} NOTIFY
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Event: refer
Subscription-State: ${state}
Content-Type: message/sipfrag;version=2.0
Content-Length: [len]

SIP/2.0 ${status}
]]></send>
<recv response="200"/>`;
  });
  return scenario(`${TAKES_INVITE}
<recv request="REFER">
  <action>
    <ereg regexp="&lt;sip:desk@127.0.0.1:9&gt;" search_in="hdr" header="Refer-To:" check_it="true" assign_to="target"/>
    <ereg regexp="&lt;sip:service@" search_in="hdr" header="Referred-By:" check_it="true" assign_to="referrer"/>
  </action>
</recv>
<Reference variables="target,referrer"/>
${response(
  "202 Accepted",
  "",
  `Contact: <sip:sipp@[local_ip]:[local_port]>
Content-Length: 0`,
)}
${notifies.join("\n")}
${TAKES_BYE}`);
}

/** Takes a call, and is hung up on some time later. */
export function waitingAnswerer(): string {
  return scenario(`${TAKES_INVITE}
<Reference variables="caller,callee,contact"/>
${TAKES_BYE}`);
}

/** Calls, refers whoever answered to `target`, is told 100, 180 and 200, and hangs up. */
export function sippTransferor(target: string): string {
  return scenario(`${invite("")}
<recv response="100" optional="true"/>
<recv response="200" rtd="true"/>
${request("ACK", 1, "Content-Length: 0")}
<send retrans="500"><![CDATA[
${head("REFER", 2)}
Refer-To: <${target}>
Referred-By: "SIPp" <sip:sipp@127.0.0.1>
Content-Length: 0

]]></send>
<recv response="202"/>
${takesNotify("100", "active;expires=")}
${takesNotify("180", "active;expires=")}
${takesNotify("200", "terminated;reason=noresource")}
${hangsUp(3)}`);
}

/** Calls with this Replaces header, is answered with this status, and hangs up where that is 200. */
export function replacingCaller(replaces: string, status: number): string {
  const after =
    status === 200
      ? `${request("ACK", 1, "Content-Length: 0")}
<pause milliseconds="200"/>
${hangsUp(2)}`
      : request("ACK", 1, "Content-Length: 0");
  return scenario(`${invite(`Replaces: ${replaces}\nRequire: replaces\n`)}
<recv response="100" optional="true"/>
<recv response="${status}"/>
${after}`);
}

const TAKES_BYE = `<recv request="BYE"/>
${response("200 OK", "", "Content-Length: 0")}`;

function takesNotify(status: string, state: string): string {
  const variables = [`status${status}`, `state${status}`];
  return `<recv request="NOTIFY">
  <action>
    <ereg regexp="SIP/2.0 ${status} " search_in="body" check_it="true" assign_to="${variables[0]}"/>
    <ereg regexp="${state}" search_in="hdr" header="Subscription-State:" check_it="true" assign_to="${variables[1]}"/>
  </action>
</recv>
<Reference variables="${variables.join(",")}"/>
${response("200 OK", "", "Content-Length: 0")}`;
}

function invite(headers: string): string {
  return `<send retrans="500"><![CDATA[
${head("INVITE", 1)}
${headers}Content-Type: application/sdp
Content-Length: [len]

${SDP}
]]></send>`;
}

function hangsUp(cseq: number): string {
  return `<send retrans="500"><![CDATA[
${head("BYE", cseq)}
Content-Length: 0

]]></send>
<recv response="200"/>`;
}

function request(method: string, cseq: number, rest: string): string {
  return `<send><![CDATA[
${head(method, cseq)}
${rest}

]]></send>`;
}

function head(method: string, cseq: number): string {
  return `${method} sip:service@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]s[call_number]
To: <sip:service@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70`;
}

function response(status: string, tag: string, rest: string): string {
  return `<send${tag === "" ? "" : ' retrans="500"'}><![CDATA[
SIP/2.0 ${status}
[last_Via:]
[last_From:]
[last_To:]${tag}
[last_Call-ID:]
[last_CSeq:]
${rest}

]]></send>`;
}

function scenario(steps: string): string {
  return `<?xml version="1.0"?>
<scenario name="transfer">
${steps}
</scenario>
`;
}
