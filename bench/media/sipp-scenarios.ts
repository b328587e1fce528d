/** SIPp's two roles in the benchmark. Both speak PCMU; who answers sends nothing of its own. */

/** What a calling SIPp does. */
export interface CallerScenario {
  /** Raw PCMU, played again and again. */
  readonly audioFile: string;
  /** Where the other side shall send its RTP to; default: to SIPp, which takes and drops it. */
  readonly mediaPort?: number | undefined;
  /** Where the caller's own RTP goes is in the answer. */
  readonly holdMs: number;
}

export function callerScenario({ audioFile, mediaPort, holdMs }: CallerScenario): string {
  return scenario([
    send(
      [...request("INVITE", "sip:[service]@[remote_ip]:[remote_port]", 1), ...SDP_HEADERS],
      // SIPp opens the socket that it plays from only where this key word is in a message.
      [...sdp(mediaPort ?? "[rtpstream_audio_port]"), "a=x-from:[rtpstream_audio_port]"],
    ),
    '<recv response="100" optional="true"/>',
    '<recv response="180" optional="true"/>',
    '<recv response="200" rrs="true"/>',
    send([...request("ACK", "[next_url]", 1), "Content-Length: 0"]),
    `<nop><action><exec rtp_stream="${audioFile},-1,0"/></action></nop>`,
    `<pause milliseconds="${holdMs}"/>`,
    send([...request("BYE", "[next_url]", 2), "Content-Length: 0"], [], true),
    '<recv response="200"/>',
  ]);
}

/** Answers, and wants the caller's RTP at `mediaPort`. */
export function answererScenario(mediaPort: number): string {
  const response = [
    "SIP/2.0 200 OK",
    "[last_Via:]",
    "[last_From:]",
    "[last_To:];tag=[pid]U[call_number]",
    "[last_Call-ID:]",
    "[last_CSeq:]",
    "Contact: <sip:[local_ip]:[local_port]>",
  ];
  return scenario([
    '<recv request="INVITE" rrs="true"/>',
    send([...response, ...SDP_HEADERS], sdp(mediaPort)),
    '<recv request="ACK"/>',
    '<recv request="BYE"/>',
    send([...response, "Content-Length: 0"], [], false),
  ]);
}

const SDP_HEADERS = ["Content-Type: application/sdp", "Content-Length: [len]"];

function request(method: string, uri: string, sequence: number): string[] {
  return [
    `${method} ${uri} SIP/2.0`,
    "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
    "From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]S[call_number]",
    method === "INVITE" ? "To: <sip:[service]@[remote_ip]:[remote_port]>" : "[last_To:]",
    ...(method === "INVITE" ? [] : ["[routes]"]),
    "Call-ID: [call_id]",
    `CSeq: ${sequence} ${method}`,
    "Contact: <sip:sipp@[local_ip]:[local_port]>",
    "Max-Forwards: 70",
  ];
}

function sdp(port: number | string): string[] {
  return [
    "v=0",
    "o=- 1 1 IN IP4 [local_ip]",
    "s=-",
    "c=IN IP4 [media_ip]",
    "t=0 0",
    `m=audio ${port} RTP/AVP 0`,
    "a=rtpmap:0 PCMU/8000",
  ];
}

function send(head: readonly string[], body: readonly string[] = [], retries = body.length > 0) {
  const text = [...head, "", ...body, ""].join("\n");
  return `<send${retries ? ' retrans="500"' : ""}><![CDATA[\n${text}\n]]></send>`;
}

function scenario(steps: readonly string[]): string {
  const head = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="bench">';
  return [head, ...steps, "</scenario>", ""].join("\n");
}
