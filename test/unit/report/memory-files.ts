import { type FileStore, UsageError } from "../../../src/environment/index.ts";

/** Files in memory. */
export class MemoryFiles implements FileStore {
  readonly content: Map<string, Uint8Array> = new Map<string, Uint8Array>();

  read(path: string): Promise<Uint8Array> {
    const bytes = this.content.get(path);
    if (bytes === undefined) return Promise.reject(new UsageError("ERR_FILE_MISSING", path));
    return Promise.resolve(bytes);
  }

  async readText(path: string): Promise<string> {
    return new TextDecoder().decode(await this.read(path));
  }

  write(path: string, data: Uint8Array | string): Promise<void> {
    this.content.set(path, typeof data === "string" ? new TextEncoder().encode(data) : data);
    return Promise.resolve();
  }

  /** At once, as the host's is: several may append at a time. */
  append(path: string, text: string): Promise<void> {
    const before = this.content.get(path);
    return this.write(path, new TextDecoder().decode(before) + text);
  }

  exists(path: string): Promise<boolean> {
    return Promise.resolve(this.content.has(path));
  }

  list(path: string): Promise<readonly string[]> {
    const inside = [...this.content.keys()].filter((name) => name.startsWith(`${path}/`));
    const names = inside.map((name) => name.slice(path.length + 1).split("/")[0] ?? "");
    return Promise.resolve([...new Set(names)].toSorted());
  }
}
