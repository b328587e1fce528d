/** What a message of SIPp has beside what every message has. */
export interface SippMessage {
  readonly headers?: readonly string[];
  /** A session description with this direction. */
  readonly sdp?: "sendrecv" | "sendonly" | "recvonly" | "inactive";
}

/** What has to be in a message that comes, as a regular expression: in a header, or in the body. */
export interface SippCheck {
  readonly in: string;
  readonly matches: string;
}

/** One call of SIPp, as one of its XML scenarios; written in the order in which it happens. */
export class SippScenario {
  readonly #role: "caller" | "called";
  readonly #parts: string[] = [];
  readonly #variables: string[] = [];
  #cseq = 0;
  #inviteCseq = 0;
  #tag = "A";
  #sdpVersion = 0;
  /** Until it is, an INVITE belongs to no dialog, whatever refused the one before. */
  #isUp = false;

  constructor(role: "caller" | "called") {
    this.#role = role;
  }

  get xml(): string {
    const reference = `<Reference variables="${this.#variables.join(",")}"/>`;
    return `<?xml version="1.0"?>
<scenario name="${this.#role}">
${this.#parts.join("\n")}
${this.#variables.length === 0 ? "" : reference}
</scenario>
`;
  }

  /** An INVITE comes; what it says is kept, for whatever is said of it later. */
  takeInvite(...checks: readonly SippCheck[]): this {
    return this.#takeInvite(this.#actions(checks));
  }

  /** As before, with credentials: others are refused with 403. */
  takeInviteOf(user: string, password: string): this {
    this.#variables.push("isValid");
    return this.#takeInvite(
      `<verifyauth assign_to="isValid" username="${user}" password="${password}"/>`,
    )
      .#add('<nop test="isValid" next="valid"/>')
      .respond("403 Forbidden", {})
      .#add('<label id="valid"/>');
  }

  #takeInvite(actions: string): this {
    const kept = ["Via", "From", "To", "CSeq"].map((name) => {
      const variable = `invite${name}`;
      return `<ereg regexp=".*" search_in="hdr" header="${name}:" assign_to="${variable}"/>`;
    });
    const contact = `<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="inviteContact"/>`;
    if (!this.#variables.includes("inviteVia")) {
      this.#variables.push("inviteVia", "inviteFrom", "inviteTo", "inviteCSeq", "inviteContact");
    }
    return this.#add(
      `<recv request="INVITE"><action>${kept.join("")}${contact}${actions}</action></recv>`,
    );
  }

  /** Responds to that INVITE; each tag is a fork of its own. */
  respond(status: string, { tag = this.#tag, ...message }: SippMessage & { tag?: string }): this {
    this.#tag = tag;
    const isFinal = Number(status.slice(0, 3)) >= 200;
    return this.#add(`<send${isFinal ? ' retrans="500"' : ""}><![CDATA[
SIP/2.0 ${status}
Via:[$inviteVia]
From:[$inviteFrom]
To:[$inviteTo];tag=${tag}
Call-ID: [call_id]
CSeq:[$inviteCSeq]
${this.#rest(message)}
]]></send>`);
  }

  /** Sends a request. ACK belongs to the INVITE before it, all others are new. */
  send(method: string, message: SippMessage = {}): this {
    if (method !== "ACK") this.#cseq += 1;
    if (method === "INVITE") this.#inviteCseq = this.#cseq;
    if (method === "ACK") this.#isUp = true;
    const cseq = method === "ACK" ? this.#inviteCseq : this.#cseq;
    const head = this.#role === "caller" ? this.#callerHead(method) : this.#calledHead(method);
    return this.#add(`<send${method === "ACK" ? "" : ' retrans="500"'}><![CDATA[
${head}
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Max-Forwards: 70
${this.#rest(message)}
]]></send>`);
  }

  /** ACK of the response that refused our INVITE: it belongs to its transaction (§17.1.1.3). */
  acknowledgeRefusal(): this {
    return this.#sendOfInvite("ACK", "[last_To:]");
  }

  /** CANCEL of our INVITE, which a provisional response has just been received to (§9.1). */
  cancel(): this {
    return this.#sendOfInvite("CANCEL", "To: <sip:service@[remote_ip]:[remote_port]>");
  }

  /** A response comes; until it does, provisional ones may. */
  expect(status: number, ...checks: readonly SippCheck[]): this {
    const early = [100, 180, 183].filter((each) => each < status);
    const optional = early.map((each) => `<recv response="${each}" optional="true"/>`);
    const isChallenge = status === 401 || status === 407 ? ' auth="true"' : "";
    return this.#add(
      `${optional.join("\n")}\n<recv response="${status}"${isChallenge}>${this.#action(checks)}</recv>`,
    );
  }

  /** A request comes. */
  take(method: string, ...checks: readonly SippCheck[]): this {
    return this.#add(`<recv request="${method}">${this.#action(checks)}</recv>`);
  }

  /** Responds to the request that came last. */
  reply(status = "200 OK", message: SippMessage = {}): this {
    return this.#add(`<send><![CDATA[
SIP/2.0 ${status}
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
${this.#rest(message)}
]]></send>`);
  }

  pause(ms: number): this {
    return this.#add(`<pause milliseconds="${ms}"/>`);
  }

  #sendOfInvite(method: string, to: string): this {
    return this.#add(`<send><![CDATA[
${method} sip:service@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
[last_From:]
${to}
Call-ID: [call_id]
CSeq: ${this.#inviteCseq} ${method}
Max-Forwards: 70
Content-Length: 0

]]></send>`);
  }

  #add(part: string): this {
    this.#parts.push(part);
    return this;
  }

  #action(checks: readonly SippCheck[]): string {
    return checks.length === 0 ? "" : `<action>${this.#actions(checks)}</action>`;
  }

  #actions(checks: readonly SippCheck[]): string {
    return checks
      .map(({ in: place, matches }) => {
        const variable = `check${this.#variables.length}`;
        this.#variables.push(variable);
        const where = place === "body" ? 'search_in="body"' : `search_in="hdr" header="${place}:"`;
        return `<ereg regexp="${matches}" ${where} check_it="true" assign_to="${variable}"/>`;
      })
      .join("");
  }

  #callerHead(method: string): string {
    const tag = method === "INVITE" && !this.#isUp ? "" : "[peer_tag_param]";
    return `${method} sip:service@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]s[call_number]
To: <sip:service@[remote_ip]:[remote_port]>${tag}`;
  }

  #calledHead(method: string): string {
    return `${method} [$inviteContact] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$inviteTo];tag=${this.#tag}
To:[$inviteFrom]`;
  }

  #rest({ headers = [], sdp }: SippMessage): string {
    // Whoever gives a Contact, as redirections do, means that one alone.
    const contact = headers.some((line) => line.startsWith("Contact:"))
      ? []
      : ["Contact: <sip:sipp@[local_ip]:[local_port]>"];
    const allow = "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE";
    const lines = [...contact, allow, ...headers];
    if (sdp === undefined) return [...lines, "Content-Length: 0", ""].join("\n");
    this.#sdpVersion += 1;
    return [
      ...lines,
      "Content-Type: application/sdp",
      "Content-Length: [len]",
      "",
      "v=0",
      `o=- 1 ${this.#sdpVersion} IN IP4 [local_ip]`,
      "s=-",
      "c=IN IP4 [media_ip]",
      "t=0 0",
      "m=audio [media_port] RTP/AVP 0",
      "a=rtpmap:0 PCMU/8000",
      `a=${sdp}`,
    ].join("\n");
  }
}
