import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const TABLES = ["udp", "udp6"];
/** The inode's column in /proc/PID/net/udp (proc(5)). */
const INODE_COLUMN = 9;

/** How many UDP sockets this process (all of its threads) holds open, as the kernel sees it. */
export function udpSocketCount(): number {
  const udpInodes = new Set(TABLES.flatMap(inodesOf));
  return readdirSync("/proc/self/fd").filter((descriptor) => {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(descriptor))?.[1];
    return inode !== undefined && udpInodes.has(inode);
  }).length;
}

function inodesOf(table: string): string[] {
  const [, ...lines] = readFileSync(`/proc/self/net/${table}`, "utf8").trim().split("\n");
  return lines.map((line) => line.trim().split(/\s+/)[INODE_COLUMN] ?? "");
}

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // The one that the folder itself was read with is closed by now.
    return "";
  }
}
