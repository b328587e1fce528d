#!/usr/bin/env node
// Makes fixtures/tls: authorities, certificates and keys for tests of SIP over TLS. Needs openssl;
// see fixtures/README.md. The keys are worth nothing: they are published, and no one may trust the
// authorities.
//
//   node scripts/make-tls-fixtures.mjs
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../fixtures/tls/", import.meta.url));
/** Long enough that no test of ours ever fails by the calendar. */
const VALID = ["20240101000000Z", "21260101000000Z"];
const EXPIRED = ["20200101000000Z", "20210101000000Z"];
const SERVER_NAMES = "DNS:bot.example,DNS:localhost,IP:127.0.0.1,IP:::1";

const work = mkdtempSync(join(tmpdir(), "sidetone-tls-"));
try {
  mkdirSync(FOLDER, { recursive: true });
  authority("ca", "Sidetone test authority");
  authority("other-ca", "An authority that nobody trusts");
  certificate("bot", { authorityName: "ca", names: SERVER_NAMES, dates: VALID });
  certificate("expired", { authorityName: "ca", names: SERVER_NAMES, dates: EXPIRED });
  certificate("other-name", { authorityName: "ca", names: "DNS:other.example", dates: VALID });
  certificate("caller", { authorityName: "ca", names: "DNS:caller.example", dates: VALID });
  certificate("stranger", { authorityName: "other-ca", names: SERVER_NAMES, dates: VALID });
} finally {
  rmSync(work, { recursive: true, force: true });
}

/**
 * A self-signed authority, and what `openssl ca` wants to keep of it.
 * @param {string} name @param {string} commonName
 */
function authority(name, commonName) {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "index.txt"), "");
  writeFileSync(join(folder, "serial"), "01\n");
  const key = newKey(join(folder, "key.pem"));
  request(key, join(folder, "request.pem"), commonName);
  sign(name, {
    from: join(folder, "request.pem"),
    to: join(FOLDER, `${name}.pem`),
    extensions: "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n",
    dates: VALID,
    isSelfSigned: true,
  });
}

/** @param {string} name @param {{ authorityName: string, names: string, dates: string[] }} options */
function certificate(name, { authorityName, names, dates }) {
  const key = newKey(join(work, `${name}.key`));
  copyFileSync(key, join(FOLDER, `${name}.key`));
  request(key, join(work, `${name}.csr`), name);
  sign(authorityName, {
    from: join(work, `${name}.csr`),
    to: join(FOLDER, `${name}.pem`),
    extensions: `basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=${names}\n`,
    dates,
    isSelfSigned: false,
  });
}

/** @param {string} path */
function newKey(path) {
  openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path);
  return path;
}

/** @param {string} key @param {string} path @param {string} commonName */
function request(key, path, commonName) {
  openssl("req", "-new", "-key", key, "-subj", `/CN=${commonName}`, "-out", path);
}

/**
 * @typedef {{ from: string, to: string, extensions: string, dates: string[], isSelfSigned: boolean }} Signing
 * @param {string} authorityName
 * @param {Signing} signing
 */
function sign(authorityName, { from, to, extensions, dates, isSelfSigned }) {
  const folder = join(work, authorityName);
  writeFileSync(
    join(folder, "config"),
    [
      "[ca]",
      "default_ca=authority",
      "[authority]",
      `database=${join(folder, "index.txt")}`,
      `serial=${join(folder, "serial")}`,
      `new_certs_dir=${folder}`,
      "default_md=sha256",
      "policy=any",
      "unique_subject=no",
      "[any]",
      "commonName=supplied",
      "",
    ].join("\n"),
  );
  writeFileSync(join(folder, "extensions"), extensions);
  const signer = isSelfSigned ? ["-selfsign"] : ["-cert", join(FOLDER, `${authorityName}.pem`)];
  const files = ["-keyfile", join(folder, "key.pem"), "-extfile", join(folder, "extensions")];
  const [start = "", end = ""] = dates;
  const span = ["-startdate", start, "-enddate", end, "-in", from, "-out", to];
  openssl(
    "ca",
    "-batch",
    "-notext",
    "-config",
    join(folder, "config"),
    ...files,
    ...signer,
    ...span,
  );
}

/** @param {...string} args */
function openssl(...args) {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
