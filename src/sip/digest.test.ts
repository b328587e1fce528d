import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant, seededRandom } from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import {
  type ChallengeOutcome,
  DigestClient,
  type DigestRequest,
  type SipCredentials,
} from "./digest-client.ts";
import {
  parseChallenges,
  parseCredentials,
  writeChallenge,
  writeCredentials,
} from "./digest-grammar.ts";
import type { DigestAlgorithm } from "./digest-response.ts";
import { type ClaimedRequest, DigestServer, type DigestServerOptions } from "./digest-server.ts";

const NOW = instant(1000);
const INVITE: DigestRequest = {
  method: "INVITE",
  uri: "sip:bob@biloxi.example",
  body: "v=0\r\n",
  callId: "call-1",
  destination: "biloxi.example:5060",
};
const ALICE = { user: "alice", password: "wonderland" };

function cryptography(): NodeCryptography {
  return new NodeCryptography(seededRandom("digest"));
}

function server(options: Partial<DigestServerOptions> = {}): DigestServer {
  return new DigestServer({ realm: "biloxi", users: [ALICE], ...options }, cryptography());
}

function client(...accounts: ConstructorParameters<typeof DigestClient>[0]): DigestClient {
  return new DigestClient(accounts.length === 0 ? [ALICE] : accounts, cryptography());
}

function valueOf(line: string): string {
  return line.slice(line.indexOf(":") + 1).trim();
}

function code(outcome: ChallengeOutcome): string {
  return outcome.kind === "retry" ? "retry" : outcome.error.code;
}

/** The challenges of a server for a request without credentials. */
function challengesOf(from: DigestServer): readonly string[] {
  const verdict = from.judge({ method: "INVITE", body: "", authorizations: [] }, NOW);
  return verdict.isAuthorized ? [] : verdict.challenges;
}

/** What a client with these accounts makes of challenges. */
function answerWith(values: readonly string[], ...accounts: readonly SipCredentials[]): string {
  const ours = new DigestClient(accounts, cryptography());
  return code(ours.handleChallenges(ours.begin(INVITE), INVITE, { challenger: "server", values }));
}

function claim(authorizations: readonly string[]): ClaimedRequest {
  return { method: "INVITE", body: INVITE.body, authorizations };
}

/** Credentials for the server's challenge. */
function answerTo(theirs: DigestServer, password = ALICE.password): string[] {
  const ours = client({ user: "alice", password });
  const attempt = ours.begin(INVITE);
  const values = challengesOf(theirs);
  ours.handleChallenges(attempt, INVITE, { challenger: "server", values });
  return ours.authorize(attempt, INVITE).map(valueOf);
}

/** What a server says of credentials. */
function findingOf(
  theirs: DigestServer,
  authorizations: readonly string[],
  now = NOW,
): "right" | "stale" | "wrong" {
  const verdict = theirs.judge(claim(authorizations), now);
  if (verdict.isAuthorized) return "right";
  return verdict.challenges.every((each) => each.includes("stale=true")) ? "stale" : "wrong";
}

function challenge(realm: string, more = ""): string {
  return `Digest realm="${realm}", nonce="n-${realm}"${more}`;
}

describe("a client and a server understand each other", () => {
  it.each<[string, Partial<DigestServerOptions>]>([
    ["MD5", { algorithms: ["MD5"] }],
    ["MD5-sess", { algorithms: ["MD5-sess"] }],
    ["SHA-256", { algorithms: ["SHA-256"] }],
    ["SHA-256-sess", { algorithms: ["SHA-256-sess"] }],
    ["SHA-512-256", { algorithms: ["SHA-512-256"] }],
    ["SHA-512-256-sess", { algorithms: ["SHA-512-256-sess"] }],
    ["auth-int", { qop: ["auth-int"] }],
    ["no qop", { algorithms: ["MD5"], qop: [] }],
    ["MD5-sess without qop", { algorithms: ["MD5-sess"], qop: [] }],
    ["several", { algorithms: ["MD5", "SHA-512-256", "SHA-256"], qop: ["auth", "auth-int"] }],
  ])("%s", (_name, options) => {
    const [ours, theirs] = [client(), server(options)];
    const attempt = ours.begin(INVITE);
    expect(ours.authorize(attempt, INVITE)).toEqual([]);
    const values = challengesOf(theirs);
    expect(code(ours.handleChallenges(attempt, INVITE, { challenger: "server", values }))).toBe(
      "retry",
    );
    const authorizations = ours.authorize(attempt, INVITE).map(valueOf);
    const claimed = { method: "INVITE", body: INVITE.body, authorizations };
    expect(theirs.judge(claimed, NOW)).toEqual({ isAuthorized: true, user: "alice" });
    expect(theirs.judge({ ...claimed, method: "BYE" }, NOW).isAuthorized).toBe(false);
  });

  it("auth-int covers the body", () => {
    const [ours, theirs] = [client(), server({ qop: ["auth-int"] })];
    const attempt = ours.begin(INVITE);
    const values = challengesOf(theirs);
    ours.handleChallenges(attempt, INVITE, { challenger: "server", values });
    const authorizations = ours.authorize(attempt, INVITE).map(valueOf);
    const claimed = { method: "INVITE", body: "v=1\r\n", authorizations };
    expect(theirs.judge(claimed, NOW).isAuthorized).toBe(false);
  });

  it("whatever user, password and realm are made of", () => {
    const text = fc
      .string({ minLength: 1, unit: "grapheme", maxLength: 20 })
      .filter((each) => !/[\r\n\0]/.test(each));
    fc.assert(
      fc.property(text, text, text, (user, password, realm) => {
        const ours = client({ user, password });
        const theirs = server({ realm, users: [{ user, password }] });
        const attempt = ours.begin(INVITE);
        const values = challengesOf(theirs);
        ours.handleChallenges(attempt, INVITE, { challenger: "server", values });
        const authorizations = ours.authorize(attempt, INVITE).map(valueOf);
        expect(
          theirs.judge({ method: "INVITE", body: INVITE.body, authorizations }, NOW).isAuthorized,
        ).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the client", () => {
  it("answers the strongest algorithm of a realm, whatever the order", () => {
    const values = ["MD5", "SHA-256", "SHA-512-256", "MD5-sess"].map((algorithm) =>
      challenge("r", `, algorithm=${algorithm}, qop="auth"`),
    );
    for (const order of [values, values.toReversed()]) {
      const ours = client();
      const attempt = ours.begin(INVITE);
      ours.handleChallenges(attempt, INVITE, { challenger: "server", values: order });
      expect(ours.authorize(attempt, INVITE)).toEqual([
        expect.stringContaining("algorithm=SHA-512-256,"),
      ]);
    }
  });

  it("passes over algorithms that it does not know, and says so where there is no other", () => {
    const ours = client();
    const strange = challenge("r", ", algorithm=SHA-3, qop=auth");
    const values = [strange, challenge("r", ", algorithm=MD5")];
    const attempt = ours.begin(INVITE);
    expect(code(ours.handleChallenges(attempt, INVITE, { challenger: "server", values }))).toBe(
      "retry",
    );
    expect(ours.authorize(attempt, INVITE)[0]).toContain("algorithm=MD5");
    const alone = ours.handleChallenges(ours.begin(INVITE), INVITE, {
      challenger: "server",
      values: [strange],
    });
    expect(code(alone)).toBe("ERR_SIP_DIGEST_UNSUPPORTED");
  });

  it("answers 401 and 407 of one request, and each realm with its own account", () => {
    const ours = client(
      { user: "a", password: "pa", realm: "one" },
      { user: "b", password: "pb", realm: "two" },
    );
    const attempt = ours.begin(INVITE);
    ours.handleChallenges(attempt, INVITE, {
      challenger: "proxy",
      values: [challenge("one"), challenge("two")],
    });
    ours.handleChallenges(attempt, INVITE, { challenger: "server", values: [challenge("one")] });
    const lines = ours.authorize(attempt, INVITE);
    expect(
      lines.map((line) => /^(\S+): Digest username="(\w)", realm="(\w+)"/.exec(line)?.slice(1)),
    ).toEqual([
      ["Proxy-Authorization", "a", "one"],
      ["Proxy-Authorization", "b", "two"],
      ["Authorization", "a", "one"],
    ]);
  });

  it("offers refused credentials once, and not again with the next request", () => {
    const ours = client();
    const attempt = ours.begin(INVITE);
    const values = [challenge("r", ', qop="auth"')];
    ours.handleChallenges(attempt, INVITE, { challenger: "server", values });
    const again = [values[0]?.replace("n-r", "n-2") ?? ""];
    expect(
      code(ours.handleChallenges(attempt, INVITE, { challenger: "server", values: again })),
    ).toBe("ERR_SIP_CREDENTIALS_REFUSED");
    expect(ours.authorize(ours.begin(INVITE), INVITE)).toEqual([]);
  });

  it("answers stale nonces, but not for ever, and not the same one twice", () => {
    const ours = client();
    const attempt = ours.begin(INVITE);
    const outcomes: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const values = [`Digest realm="r", nonce="n${round}", stale=TRUE, qop="auth"`];
      outcomes.push(code(ours.handleChallenges(attempt, INVITE, { challenger: "server", values })));
    }
    expect(outcomes).toEqual([
      ...Array.from({ length: 4 }, () => "retry"),
      "ERR_SIP_CREDENTIALS_REFUSED",
      "ERR_SIP_CREDENTIALS_REFUSED",
    ]);
    const other = ours.begin({ ...INVITE, callId: "2", destination: "x" });
    const values = ['Digest realm="r", nonce="same", stale=true'];
    ours.handleChallenges(other, INVITE, { challenger: "server", values });
    expect(code(ours.handleChallenges(other, INVITE, { challenger: "server", values }))).toBe(
      "ERR_SIP_CREDENTIALS_REFUSED",
    );
  });

  it("gives credentials unasked within the call and to the same destination, counting", () => {
    const ours = client();
    const attempt = ours.begin(INVITE);
    const values = [challenge("r", ', qop="auth"')];
    ours.handleChallenges(attempt, INVITE, { challenger: "proxy", values });
    const counts = [
      INVITE,
      { ...INVITE, method: "BYE", destination: "192.0.2.7:5060" },
      { ...INVITE, callId: "call-2" },
      { ...INVITE, callId: "call-3", destination: "elsewhere.example:5060" },
    ].map((request) => {
      const lines = ours.authorize(ours.begin(request), request);
      return lines.map((line) => /nc=(\w+)/.exec(line)?.[1]);
    });
    expect(counts).toEqual([["00000001"], ["00000002"], ["00000003"], []]);
  });

  it("takes the next nonce from Authentication-Info", () => {
    const ours = client();
    const attempt = ours.begin(INVITE);
    const values = [challenge("r", ', qop="auth"')];
    ours.handleChallenges(attempt, INVITE, { challenger: "server", values });
    ours.authorize(attempt, INVITE);
    ours.handleAuthenticationInfo(attempt, "server", 'nextnonce="fresh", qop=auth, nc=00000001');
    const [line] = ours.authorize(ours.begin(INVITE), INVITE);
    expect(line).toContain('nonce="fresh"');
    expect(line).toContain("nc=00000001");
  });

  it("says what is missing: an account, a realm, a digest", () => {
    expect(answerWith([challenge("r")])).toBe("ERR_SIP_CREDENTIALS_MISSING");
    expect(answerWith([challenge("r")], { ...ALICE, realm: "other" })).toBe(
      "ERR_SIP_CREDENTIALS_MISSING",
    );
    expect(answerWith([], ALICE)).toBe("ERR_SIP_CHALLENGE_MALFORMED");
    expect(answerWith(['Basic realm="r"'], ALICE)).toBe("ERR_SIP_CHALLENGE_MALFORMED");
    expect(answerWith(['Digest realm="r"'], ALICE)).toBe("ERR_SIP_CHALLENGE_MALFORMED");
    expect(answerWith(['Digest realm="r", nonce="n", qop="magic"'], ALICE)).toBe(
      "ERR_SIP_DIGEST_UNSUPPORTED",
    );
  });

  it("never throws, whatever a challenge looks like", () => {
    const token = fc.constantFrom(
      "Digest ",
      'realm="r"',
      "nonce=n",
      ",",
      '"',
      "\\",
      "=",
      "qop=",
      " ",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(token).map((parts) => parts.join("")),
        ),
        (value) => {
          const ours = client();
          const outcome = ours.handleChallenges(ours.begin(INVITE), INVITE, {
            challenger: "server",
            values: [value],
          });
          expect(["retry", "refused"]).toContain(outcome.kind);
        },
      ),
    );
  });
});

describe("the server", () => {
  it("refuses a wrong password and an unknown user without calling it stale", () => {
    const theirs = server();
    expect(findingOf(theirs, answerTo(theirs, "wrong"))).toBe("wrong");
    expect(findingOf(server({ users: [] }), answerTo(theirs))).toBe("wrong");
  });

  it("calls an old nonce, a repeated one and one of another server stale", () => {
    const theirs = server({ nonceLifetimeMs: 500 });
    const authorizations = answerTo(theirs);
    expect(findingOf(theirs, authorizations, instant(NOW + 501))).toBe("stale");
    expect(theirs.judge(claim(authorizations), NOW).isAuthorized).toBe(true);
    expect(findingOf(theirs, authorizations)).toBe("stale");
    const others = new DigestServer({ realm: "biloxi", users: [ALICE] }, new NodeCryptography());
    expect(findingOf(theirs, answerTo(others))).toBe("stale");
  });

  it("refuses an algorithm that it did not offer", () => {
    const weak = answerTo(server({ algorithms: ["MD5" satisfies DigestAlgorithm] }));
    expect(findingOf(server({ algorithms: ["SHA-256"] }), weak)).toBe("wrong");
  });
});

describe("the grammar", () => {
  it("reads several challenges joined with commas, and leaves other schemes out", () => {
    const value =
      'Digest realm="a, b", nonce="n1", qop="auth,auth-int" , Basic realm="x",digest Realm="c\\"d",NONCE=n2 , stale=TRUE,algorithm="MD5"';
    expect(parseChallenges(value)).toMatchObject([
      { realm: "a, b", nonce: "n1", qop: ["auth", "auth-int"], isStale: false },
      { realm: 'c"d', nonce: "n2", qop: undefined, isStale: true, algorithm: "MD5" },
    ]);
  });

  it("reads what it writes", () => {
    const text = fc.string({ minLength: 1 }).filter((each) => !/[\r\n]/.test(each));
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (realm, nonce, opaque, isStale) => {
        const written = { realm, nonce, opaque, isStale, algorithm: "MD5", qop: ["auth"] };
        expect(parseChallenges(writeChallenge(written))).toEqual([written]);
        const credentials = {
          user: opaque,
          realm,
          nonce,
          uri: "sip:x@y",
          response: "0123",
          algorithm: "SHA-256",
          opaque: undefined,
          qop: "auth",
          cnonce: "c",
          nonceCount: "0000000a",
        };
        expect(parseCredentials(writeCredentials(credentials))).toEqual(credentials);
      }),
    );
  });
});
