import { open, stat } from "node:fs/promises";
import { UsageError } from "../environment/index.ts";

const BLOCK_BYTES = 1_048_576;

/** What a path leads to; a device or a pipe counts as a file. */
export async function kindOfPath(path: string): Promise<"file" | "folder" | "missing"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return "missing";
  }
}

/**
 * A file of any length, block by block.
 *
 * @yields its bytes in order.
 * @throws UsageError ERR_FILE_MISSING where it does not exist or must not be read.
 */
export async function* fileBlocks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- blocks stand one behind the other.
      const { bytesRead, buffer } = await file
        .read(new Uint8Array(BLOCK_BYTES), 0, BLOCK_BYTES)
        .catch((cause: unknown) => {
          throw unreadable(path, cause);
        });
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function unreadable(path: string, cause: unknown): UsageError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const reasons = new Map([
    ["ENOENT", "there is none"],
    ["EACCES", "this user may not read it"],
    ["EISDIR", "it is a folder"],
  ]);
  return new UsageError(
    "ERR_FILE_MISSING",
    `The file ${path} cannot be read: ${reasons.get(code) ?? code}.`,
    { context: { path }, cause },
  );
}
