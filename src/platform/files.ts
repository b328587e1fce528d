import { access, appendFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type FileStore, UsageError } from "../environment/index.ts";

/** The host's file system. */
export class NodeFileStore implements FileStore {
  async read(path: string): Promise<Uint8Array> {
    try {
      return await readFile(path);
    } catch (cause) {
      throw new UsageError("ERR_FILE_MISSING", `The file ${path} cannot be read.`, {
        context: { path },
        cause,
      });
    }
  }

  async readText(path: string): Promise<string> {
    return Buffer.from(await this.read(path)).toString("utf8");
  }

  async write(path: string, data: Uint8Array | string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, data);
  }

  async append(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, text);
  }

  async exists(path: string): Promise<boolean> {
    return access(path).then(
      () => true,
      () => false,
    );
  }

  async list(path: string): Promise<readonly string[]> {
    try {
      return (await readdir(path)).toSorted();
    } catch {
      // A folder that does not exist has no files; the contract says so.
      return [];
    }
  }
}
