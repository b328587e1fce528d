import { resolve } from "node:path";
import { type FileStore, type TlsIdentity, UsageError } from "../environment/index.ts";
import { issueServerCertificate } from "../platform/index.ts";

/** How the embedded AI proves who it is, as it was given. */
export interface TlsFiles {
  /** A certificate of one's own, with those that lead to its authority, and its key. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Where the authority of a certificate that is made here is left for clients. */
  readonly ca: string;
}

/** What the server shows its clients, and which file they have to trust, if any. */
export interface ServingIdentity {
  readonly identity: TlsIdentity;
  readonly caPath: string | undefined;
}

/** Where clients on this machine find the server. */
const NAMES = ["localhost", "127.0.0.1", "::1"];

/**
 * Reads the certificate that was given, or makes one for this run and writes its authority.
 * @throws UsageError ERR_FILE_MISSING, ERR_FILE_NOT_WRITTEN, ERR_TLS_MATERIAL.
 */
export async function servingIdentity(
  { certificate, key, ca }: TlsFiles,
  files: FileStore,
  nowMs: number,
): Promise<ServingIdentity> {
  if (certificate !== undefined && key !== undefined) {
    const texts = await Promise.all([files.readText(certificate), files.readText(key)]);
    return { identity: { certificate: texts[0], key: texts[1] }, caPath: undefined };
  }
  if (certificate !== undefined || key !== undefined) {
    throw new UsageError(
      "ERR_TLS_MATERIAL",
      "--tls-certificate and --tls-key go together. Give both, or neither: a certificate is then made.",
    );
  }
  const issued = issueServerCertificate(NAMES, nowMs);
  const caPath = resolve(ca);
  await written(files, caPath, issued.ca);
  return { identity: { certificate: issued.certificate, key: issued.key }, caPath };
}

/** @throws UsageError ERR_FILE_NOT_WRITTEN. */
async function written(files: FileStore, path: string, text: string): Promise<void> {
  try {
    await files.write(path, text);
  } catch (cause) {
    const { code = "no reason given" } = cause as { readonly code?: string };
    throw new UsageError(
      "ERR_FILE_NOT_WRITTEN",
      `${path} could not be written (${code}). Choose another place with --tls-ca or --reports.`,
      { context: { path, code }, cause },
    );
  }
}
