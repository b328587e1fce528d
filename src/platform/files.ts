import { constants } from "node:fs";
import { access, appendFile, mkdir, open, readdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type FileStore, UsageError } from "../environment/index.ts";

/** Opens without waiting: a pipe that nobody writes to, or reads from, must not hang a command. */
const { O_NONBLOCK, O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC } = constants;
const TO_READ = O_RDONLY | O_NONBLOCK;
const TO_WRITE = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK;

/** The host's file system. */
export class NodeFileStore implements FileStore {
  async read(path: string): Promise<Uint8Array> {
    try {
      return await contentOf(path);
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
    await writeFile(path, data, { flag: TO_WRITE });
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

async function contentOf(path: string): Promise<Uint8Array> {
  const file = await open(path, TO_READ);
  try {
    if (!(await file.stat()).isFile()) throw new Error("It is no regular file.");
    return await file.readFile();
  } finally {
    await file.close();
  }
}
