import {
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";

/** A server's certificate, its key, and the certificate of the authority that signed it. PEM. */
export interface IssuedCertificate {
  /** For clients to trust; with Node: the file that NODE_EXTRA_CA_CERTS names. */
  readonly ca: string;
  readonly certificate: string;
  /** Never logged, reported or written. */
  readonly key: string;
}

/** The hosts' clocks need not agree. */
const BACKDATED_MS = 24 * 3_600_000;
const VALID_MS = 366 * 24 * 3_600_000;

/**
 * Issues a certificate for a server of this process, by an authority of its own that signs nothing
 * else: its key is forgotten at once, so that whoever trusts it trusts this one server. Node makes
 * keys and signatures, but no X.509 (RFC 5280); hence the DER below.
 *
 * @param names host names and numeric addresses, for the subjectAltName.
 * @param nowMs wall clock; the certificate is valid from a day before it, for a year.
 */
export function issueServerCertificate(names: readonly string[], nowMs: number): IssuedCertificate {
  const validity = sequence(time(nowMs - BACKDATED_MS), time(nowMs + VALID_MS));
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = commonName("Sidetone embedded server authority");
  const identifier = keyIdentifier(authority.publicKey);
  const ca = certificate(authority.privateKey, {
    issuer,
    validity,
    subject: issuer,
    publicKey: authority.publicKey,
    extensions: [
      extension(OID.basicConstraints, sequence(BOOLEAN_TRUE), "critical"),
      // keyCertSign and cRLSign: bits 5 and 6 (RFC 5280 §4.2.1.3).
      extension(OID.keyUsage, der(0x03, Buffer.from([1, 0x06])), "critical"),
      extension(OID.subjectKeyIdentifier, der(0x04, identifier)),
    ],
  });
  const own = certificate(authority.privateKey, {
    issuer,
    validity,
    subject: commonName(names[0] ?? "localhost"),
    publicKey: server.publicKey,
    extensions: [
      extension(OID.basicConstraints, sequence(), "critical"),
      // digitalSignature: bit 0.
      extension(OID.keyUsage, der(0x03, Buffer.from([7, 0x80])), "critical"),
      extension(OID.extendedKeyUsage, sequence(OID.serverAuth)),
      extension(OID.subjectAltName, sequence(...names.map(generalName))),
      extension(OID.authorityKeyIdentifier, sequence(der(0x80, identifier))),
    ],
  });
  const key = server.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  return { ca, certificate: own, key };
}

interface CertificateFields {
  readonly issuer: Buffer;
  readonly validity: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

/** RFC 5280 §4.1. */
function certificate(signingKey: KeyObject, fields: CertificateFields): string {
  const serial = randomBytes(16);
  // A positive number, and not one with a leading zero byte.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ECDSA_WITH_SHA256,
    fields.issuer,
    fields.validity,
    fields.subject,
    spkiOf(fields.publicKey),
    der(0xa3, sequence(...fields.extensions)),
  );
  const signature = sign("sha256", toBeSigned, signingKey);
  const whole = sequence(
    toBeSigned,
    ECDSA_WITH_SHA256,
    der(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  return new X509Certificate(whole).toString();
}

function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" });
}

/** Any number that tells this key from others will do (RFC 5280 §4.2.1.2). */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return spkiOf(publicKey).subarray(-20);
}

function extension(id: Buffer, value: Buffer, critical?: "critical"): Buffer {
  const flag = critical === undefined ? [] : [BOOLEAN_TRUE];
  return sequence(id, ...flag, der(0x04, value));
}

function commonName(text: string): Buffer {
  return sequence(der(0x31, sequence(OID.commonName, der(0x0c, Buffer.from(text, "utf8")))));
}

/** RFC 5280 §4.2.1.6: a name as text, an address as its bytes. */
function generalName(name: string): Buffer {
  const bytes = addressBytes(name);
  return bytes === undefined ? der(0x82, Buffer.from(name, "latin1")) : der(0x87, bytes);
}

function addressBytes(address: string): Buffer | undefined {
  const version = isIP(address);
  if (version === 4) return Buffer.from(address.split(".").map(Number));
  if (version === 0) return undefined;
  // In a URL every IPv6 address has its shortest form, in hexadecimal, with one "::" at most.
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = short.split("::");
  const [before = [], behind = []] = [head, tail ?? ""].map((text) => text.match(/[^:]+/gu) ?? []);
  const zeros = Array.from({ length: 8 - before.length - behind.length }, () => "0");
  const hex = [...before, ...zeros, ...behind].map((group) => group.padStart(4, "0")).join("");
  return Buffer.from(hex, "hex");
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime afterwards. */
function time(wallMs: number): Buffer {
  const text = new Date(wallMs).toISOString().replaceAll(/[-:T]|\.\d+/gu, "");
  return text < "2050" ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** One value of DER (X.690 §8.1, §10.1): tag, length, content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length]), digits, content]);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

const BOOLEAN_TRUE = der(0x01, Buffer.from([0xff]));

const OID = {
  commonName: oid("550403"),
  subjectKeyIdentifier: oid("551d0e"),
  keyUsage: oid("551d0f"),
  subjectAltName: oid("551d11"),
  basicConstraints: oid("551d13"),
  authorityKeyIdentifier: oid("551d23"),
  extendedKeyUsage: oid("551d25"),
  serverAuth: oid("2b06010505070301"),
} as const;

/** 1.2.840.10045.4.3.2 (RFC 5758 §3.2). */
const ECDSA_WITH_SHA256 = sequence(oid("2a8648ce3d040302"));
