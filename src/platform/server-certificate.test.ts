import { createPrivateKey, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { issueServerCertificate } from "./server-certificate.ts";

const NOW_MS = Date.UTC(2026, 10, 26, 12);

function read(names: readonly string[], nowMs = NOW_MS) {
  const { ca, certificate, key } = issueServerCertificate(names, nowMs);
  return {
    ca: new X509Certificate(ca),
    certificate: new X509Certificate(certificate),
    key: createPrivateKey(key),
  };
}

describe("issueServerCertificate", () => {
  it("makes an authority, and a certificate that it signed for the key that comes with it", () => {
    const { ca, certificate, key } = read(["localhost"]);

    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(key)).toBe(true);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  });

  it("names hosts and addresses of both versions, and no others", () => {
    const { certificate } = read(["localhost", "my-host.example", "127.0.0.1", "::1"]);

    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(certificate.checkHost("my-host.example")).toBe("my-host.example");
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.checkIP("::1")).toBe("::1");
    expect(certificate.checkHost("other.example")).toBeUndefined();
    expect(certificate.checkIP("127.0.0.2")).toBeUndefined();
  });

  it("is valid from the day before, for a year, also beyond the year 2049", () => {
    const { certificate } = read(["localhost"]);
    expect(new Date(certificate.validFrom).getTime()).toBe(Date.UTC(2026, 10, 25, 12));
    expect(new Date(certificate.validTo).getTime()).toBe(Date.UTC(2027, 10, 27, 12));

    const late = read(["localhost"], Date.UTC(2049, 11, 31));
    expect(new Date(late.certificate.validTo).getUTCFullYear()).toBe(2051);
  });

  it("shares nothing with the one before: whoever trusts one server trusts no other", () => {
    const first = read(["localhost"]);
    const second = read(["localhost"]);

    expect(second.certificate.verify(first.ca.publicKey)).toBe(false);
    expect(second.certificate.serialNumber).not.toBe(first.certificate.serialNumber);
  });

  it("writes any number of names and any IPv6 address (property)", () => {
    const names = fc.array(fc.oneof(fc.ipV6(), fc.ipV4(), fc.domain()), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(names, (given) => {
        const { certificate } = read(given);
        for (const name of given) {
          const isNumeric = name.includes(":") || /^[\d.]+$/u.test(name);
          const found = isNumeric ? certificate.checkIP(name) : certificate.checkHost(name);
          expect(found).toBeDefined();
        }
      }),
      { numRuns: 40 },
    );
  });
});
