import fc from "fast-check";
import { Grammar } from "sip.js/lib/core/index.js";
import { describe, expect, it, vi } from "vitest";
import { parseMessage } from "./parser.ts";

function parse(text: string) {
  const data = new TextEncoder().encode(text);
  return parseMessage(data, new TextDecoder().decode(data));
}

function requestIn(text: string) {
  const parsed = parse(text);
  if (parsed.kind !== "request") throw new Error(`no request: ${JSON.stringify(parsed)}`);
  return parsed.message;
}

function responseIn(text: string) {
  const parsed = parse(text);
  if (parsed.kind !== "response") throw new Error(`no response: ${JSON.stringify(parsed)}`);
  return parsed.message;
}

function lines(...all: string[]): string {
  return all.join("\r\n");
}

const SDP = lines(
  "v=0",
  "o=mhandley 29739 7272939 IN IP4 192.0.2.3",
  "s=-",
  "c=IN IP4 192.0.2.4",
  "t=0 0",
  "m=audio 49217 RTP/AVP 0 12",
  "m=video 3227 RTP/AVP 31",
  "a=rtpmap:31 LPC",
  "",
);

const INVITE = lines(
  "INVITE sip:bob@biloxi.com SIP/2.0",
  "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds",
  "Max-Forwards: 70",
  "To: Bob <sip:bob@biloxi.com>",
  "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
  "Call-ID: a84b4c76e66710@pc33.atlanta.com",
  "CSeq: 314159 INVITE",
  "Contact: <sip:alice@pc33.atlanta.com>",
  "Content-Type: application/sdp",
  `Content-Length: ${SDP.length}`,
  "",
  SDP,
);

describe("parseMessage", () => {
  it("reads the INVITE of RFC 3261 §4", () => {
    const message = requestIn(INVITE);

    expect(message.method).toBe("INVITE");
    expect(message.ruri?.toString()).toBe("sip:bob@biloxi.com");
    expect(message.viaBranch).toBe("z9hG4bK776asdhds");
    expect(message.via.host).toBe("pc33.atlanta.com");
    expect(message.fromTag).toBe("1928301774");
    expect(message.toTag).toBe("");
    expect(message.from.displayName).toBe("Alice");
    expect(message.callId).toBe("a84b4c76e66710@pc33.atlanta.com");
    expect(message.cseq).toBe(314_159);
    expect(message.parseHeader("contact").uri.toString()).toBe("sip:alice@pc33.atlanta.com");
    expect(message.body).toBe(SDP);
    expect(message.getHeader("max-forwards")).toBe("70");
  });

  it("reads a response", () => {
    const message = responseIn(
      lines(
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP server10.biloxi.com;branch=z9hG4bK4b43c2ff8.1;received=192.0.2.3",
        "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds;received=192.0.2.1",
        "To: Bob <sip:bob@biloxi.com>;tag=a6c85cf",
        "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
        "Call-ID: a84b4c76e66710",
        "CSeq: 314159 INVITE",
        "Record-Route: <sip:a;lr>, <sip:b;lr>",
        "Content-Length: 0",
        "",
        "",
      ),
    );

    expect(message.statusCode).toBe(200);
    expect(message.reasonPhrase).toBe("OK");
    expect(message.method).toBe("INVITE");
    expect(message.getHeaders("Via")).toHaveLength(2);
    expect(message.getHeaders("record-route")).toEqual(["<sip:a;lr>", "<sip:b;lr>"]);
    expect(message.toTag).toBe("a6c85cf");
  });

  it("reads a status line without reason phrase (RFC 4475 §3.1.1.13)", () => {
    const message = responseIn(
      lines(
        "SIP/2.0 100 ",
        "Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe",
        "Call-ID: noreason.asndj203insdf99223ndf",
        "CSeq: 35 INVITE",
        "From: <sip:user@example.com>;tag=39ansfi3",
        "To: <sip:user@example.edu>;tag=902jndnke3",
        "",
        "",
      ),
    );
    expect(message.reasonPhrase).toBe("");
  });

  it("gives sip.js every header parsed that it asks for", () => {
    const peg = vi.spyOn(Grammar, "parse");
    const message = requestIn(
      INVITE.replace(
        "Content-Type: application/sdp",
        lines(
          "Content-Type: Application/SDP ; charset=utf-8",
          "Content-Disposition: session;handling=required",
          "Route: <sip:p1;lr>,<sip:p2;lr>",
          'WWW-Authenticate: Digest realm="x", nonce="y"',
        ),
      ),
    );
    for (const name of ["via", "from", "to", "call-id", "cseq", "contact", "www-authenticate"]) {
      expect(message.parseHeader(name)).toBeTruthy();
    }
    expect(message.parseHeader("content-type")).toBe("application/sdp");
    expect(message.parseHeader("content-disposition")).toEqual({ type: "session" });
    expect(peg).not.toHaveBeenCalled();
    peg.mockRestore();
  });

  it("takes the body by bytes, not by characters, and drops what is behind it", () => {
    const body = "v=0\r\ns=Grüße\r\n";
    const bytes = new TextEncoder().encode(body).length;
    const message = requestIn(
      INVITE.replace(/Content-Length[^]*$/, `Content-Length: ${bytes}\r\n\r\n${body}surplus`),
    );
    expect(message.body).toBe(body);
  });

  it("takes SDP for what it is where its type is missing", () => {
    const message = requestIn(INVITE.replace("Content-Type: application/sdp\r\n", ""));
    expect(message.parseHeader("content-type")).toBe("application/sdp");
  });

  it("is content with bare line feeds", () => {
    const message = requestIn(INVITE.replaceAll("\r\n", "\n").replace(/Content-Length.*\n/, ""));
    expect(message.body.startsWith("v=0\n")).toBe(true);
    expect(message.callId).toBe("a84b4c76e66710@pc33.atlanta.com");
  });
});

describe("valid torture messages of RFC 4475 §3.1.1", () => {
  it("3.1.1.1: a short tortuous INVITE", () => {
    const message = requestIn(
      lines(
        "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0",
        "TO :",
        " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n",
        String.raw`from   : "J Rosenberg \\\""       <sip:jdrosen@example.com>`,
        "  ;",
        "  tag = 98asjd8",
        "MaX-fOrWaRdS: 0068",
        "Call-ID: wsinv.ndaksdj@192.0.2.1",
        `Content-Length   : ${SDP.length}`,
        "cseq: 0009",
        "  INVITE",
        "Via  : SIP  /   2.0",
        " /UDP",
        "    192.0.2.2;branch=390skdjuw",
        "s :",
        "NewFangledHeader:   newfangled value",
        " continued newfangled value",
        "UnknownHeaderWithUnusualValue: ;;,,;;,;",
        "Content-Type: application/sdp",
        "Route:",
        " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>",
        "v:  SIP  / 2.0  / TCP     spindle.example.com   ;",
        "  branch  =   z9hG4bK9ikj8  ,",
        " SIP  /    2.0   / UDP  192.168.255.111   ; branch=",
        " z9hG4bK30239",
        String.raw`m:"Quoted string \"\"" <sip:jdrosen@example.com> ; newparam =`,
        "      newvalue ;",
        "  secondparam ; q = 0.33",
        "",
        SDP,
      ),
    );

    expect(message.toTag).toBe("1918181833n");
    expect(message.fromTag).toBe("98asjd8");
    expect(message.from.displayName).toBe(String.raw`J Rosenberg \\\"`);
    expect(message.cseq).toBe(9);
    expect(message.getHeaders("Via")).toHaveLength(3);
    expect(message.viaBranch).toBe("390skdjuw");
    expect(message.getHeader("newfangledheader")).toBe(
      "newfangled value continued newfangled value",
    );
    expect(message.parseHeader("contact").getParam("q")).toBe("0.33");
    expect(message.ruri?.hasParam("unknownparam")).toBe(true);
  });

  it("3.1.1.2: a wide range of valid characters", () => {
    const method = "!interesting-Method0123456789_*+`.%indeed'~";
    const message = requestIn(
      lines(
        `${method} sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0`,
        "Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bK-.!%66*_+`'~",
        'To: "BEL:\\\u0007 NUL:\\\u0000 DEL:\\\u007F" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*@example.com>',
        "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"работающий\";tag=_token~1'+`*%!-.",
        "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
        `CSeq: 139122385 ${method}`,
        "Max-Forwards: 255",
        "extensionHeader-!.%*+_`'~:大停電",
        "Content-Length: 0",
        "",
        "",
      ),
    );
    expect(message.method).toBe(method);
    expect(message.fromTag).toBe("_token~1'+`*%!-.");
    expect(message.ruri?.host).toBe("example.com");
  });

  it("3.1.1.3: percent escapes stay what they are", () => {
    const message = requestIn(
      lines(
        "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0",
        "To: sip:%75se%72@example.com",
        "From: <sip:I%20have%20spaces@example.net>;tag=938",
        "i: esc01.239409asdfakjkn23onasd0-3234",
        "CSeq: 234234 INVITE",
        "Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw",
        "C: application/sdp",
        "Contact:",
        "  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>",
        `Content-Length: ${SDP.length}`,
        "",
        SDP,
      ),
    );
    expect(message.ruri?.user).toBe("sips%3Auser%40example.com");
    expect(message.parseHeader("contact").uri.user).toBe("cal%6Cer");
  });

  it("3.1.1.5: a percent sign is no escape in tokens", () => {
    const message = requestIn(
      lines(
        "RE%47IST%45R sip:registrar.example.com SIP/2.0",
        'To: "%Z%45" <sip:resource@example.com>',
        'From: "%Z%45" <sip:resource@example.com>;tag=f232jadfj23',
        "Call-ID: esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf",
        "Via: SIP/2.0/TCP host.example.com;branch=z9hG4bK209%fzsnel234",
        "CSeq: 29344 RE%47IST%45R",
        "Contact: <sip:alias1@host1.example.com>",
        "C%6Fntact: <sip:alias2@host2.example.com>",
        "Contact: <sip:alias3@host3.example.com>",
        "l: 0",
        "",
        "",
      ),
    );
    expect(message.method).toBe("RE%47IST%45R");
    expect(message.getHeaders("contact")).toHaveLength(2);
  });

  it("3.1.1.6: no space before the angle bracket", () => {
    const message = requestIn(
      lines(
        "OPTIONS sip:user@example.com SIP/2.0",
        "To: sip:user@example.com",
        "From: caller<sip:caller@example.com>;tag=323",
        "Call-ID: lwsdisp.1234abcd@funky.example.com",
        "CSeq: 60 OPTIONS",
        "Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw",
        "l: 0",
        "",
        "",
      ),
    );
    expect(message.from.displayName).toBe("caller");
  });
});

function reasonOf(text: string): string {
  const parsed = parse(text);
  return parsed.kind === "malformed" ? parsed.reason : parsed.kind;
}

describe("malformed messages", () => {
  it.each([
    ["a CSeq that is too large (RFC 4475 §3.1.2.4)", "CSeq: 314159", "CSeq: 36893488147419103232"],
    ["a negative Content-Length (§3.1.2.3)", /Content-Length: \d+/, "Content-Length: -999"],
    [
      "a Content-Length beyond the datagram (§3.1.2.2)",
      /Content-Length: \d+/,
      "Content-Length: 9999",
    ],
    ["a request line with too many spaces (§3.1.2.7)", "bob@biloxi.com SIP", "bob@bil oxi.com SIP"],
    ["another method in CSeq (§3.1.2.17)", "314159 INVITE", "314159 OPTIONS"],
    ["an open quote (§3.1.2.6)", "To: Bob <sip", 'To: "Mr. J. User <sip'],
    ["two From headers (§3.3.8)", "Max-Forwards: 70", "From: <sip:x@y>;tag=1"],
    ["two different lengths", "Max-Forwards: 70", "Content-Length: 3"],
    ["a line without a colon", "Max-Forwards: 70", "Max-Forwards 70"],
    ["a port out of range", "sip:bob@biloxi.com SIP/2.0", "sip:bob@biloxi.com:99999 SIP/2.0"],
    ["brackets around the Request-URI (§3.1.2.8)", "INVITE sip:bob@biloxi.com", "INVITE <sip:b@x>"],
    ["a method that is no token", "INVITE sip", "INV(ITE sip"],
  ])("%s: refused, and answered where possible", (_what, from, to) => {
    expect(parse(INVITE.replace(from, to))).toMatchObject({
      kind: "malformed",
      reason: expect.stringMatching(/./),
      statusCode: 400,
    });
  });

  it("names what is wrong", () => {
    expect(reasonOf(INVITE.replace(/^From.*\r\n/m, ""))).toBe("the From header is missing");
    expect(reasonOf(INVITE.replace("SIP/2.0/UDP pc33", "SIP/2.0/UDP [pc33"))).toBe(
      "the top Via header is malformed",
    );
    expect(reasonOf(INVITE.replace("biloxi.com SIP/2.0", "biloxi.com SIP/7.0"))).toBe(
      "the protocol version is not SIP/2.0",
    );
    expect(reasonOf("SIP/2.0 999 Strange\r\n\r\n")).toBe("the status line is malformed");
    expect(reasonOf("\r\n  \r\n")).toBe("keepAlive");
  });

  it("can be answered where it is a request and says which way, however little else is there", () => {
    const answerable = parse(INVITE.replace("314159 INVITE", "314159 BYE"));
    expect(answerable).toMatchObject({
      kind: "malformed",
      request: { callId: expect.any(String) },
    });
    const ack = INVITE.replaceAll("INVITE", "ACK").replace(/Content-Length: \d+/, "l: 9999");
    expect(parse(ack)).not.toHaveProperty("request");
    expect(parse(INVITE.replace(/^Via.*\r\n/m, ""))).not.toHaveProperty("request");
    expect(parse(INVITE.replace(/^To.*\r\n/m, ""))).toHaveProperty("request");
  });

  it("drops a Contact that cannot be read, so that its absence is noticed", () => {
    const message = requestIn(INVITE.replace("<sip:alice@pc33.atlanta.com>", "<sip:alice@:x>"));
    expect(message.hasHeader("Contact")).toBe(false);
    expect(requestIn(INVITE.replace(/^Contact.*$/m, "Contact: *")).hasHeader("contact")).toBe(
      false,
    );
  });

  it("survives names that mean something to JavaScript", () => {
    const message = requestIn(
      INVITE.replace(
        "Max-Forwards: 70",
        "__proto__: x\r\nconstructor: y\r\nhasOwnProperty: z",
      ).replace(
        "<sip:alice@pc33.atlanta.com>",
        "<sip:alice@pc33.atlanta.com;__proto__;constructor=x;hasOwnProperty>;__proto__;toString",
      ),
    );
    expect(message.parseHeader("contact").uri.clone().toString()).toBe(
      "sip:alice@pc33.atlanta.com;constructor=x;hasownproperty",
    );
  });

  it("never throws, whatever is cut, doubled or changed (fuzz)", () => {
    const mutation = fc.record({
      at: fc.nat({ max: INVITE.length }),
      length: fc.nat({ max: 40 }),
      insert: fc.oneof(
        fc.string({ maxLength: 12 }),
        fc.constantFrom(
          '"',
          "<",
          ">",
          ";",
          ",",
          ":",
          "\r\n",
          "\n ",
          "%",
          "@",
          "\0",
          "é",
          "[",
          "\\",
        ),
      ),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        let text = INVITE;
        for (const { at, length, insert } of mutations) {
          text = text.slice(0, at) + insert + text.slice(at + length);
        }
        const parsed = parse(text);
        expect(["request", "malformed", "response", "keepAlive"]).toContain(parsed.kind);
        // What was accepted must be usable: sip.js prints these, and must not throw.
        if (parsed.kind === "request") {
          parsed.message.ruri?.clone().toRaw();
          parsed.message.from.clone().toString();
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("never throws on arbitrary bytes (fuzz)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        expect(parseMessage(data, new TextDecoder().decode(data)).kind).toBeTypeOf("string");
      }),
      { numRuns: 1000 },
    );
  });
});
