const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/u;
const IPV4_BITS_IN_IPV6 = `${"0".repeat(80)}${"1".repeat(16)}`;

/**
 * The bits of a numeric address as a text of 0 and 1: 32 for IPv4, also where it is written as an
 * IPv4-mapped IPv6 address; 128 for IPv6.
 * @returns `undefined` for anything else, such as a host name.
 */
export function addressBits(address: string): string | undefined {
  if (!address.includes(":")) return ipv4Bits(address);
  const bits = ipv6Bits(address.replace(/%.*$/u, ""));
  return bits?.startsWith(IPV4_BITS_IN_IPV6) === true ? bits.slice(-32) : bits;
}

/** 127.0.0.0/8, ::1, and the names that RFC 6761 §6.3 binds to them. */
export function isLoopback(host: string): boolean {
  if (/^(?:.+\.)?localhost$/iu.test(host)) return true;
  const bits = addressBits(host);
  if (bits?.length === 32) return bits.startsWith("01111111");
  return bits === `${"0".repeat(127)}1`;
}

function ipv4Bits(address: string): string | undefined {
  const parts = IPV4.exec(address)?.slice(1);
  if (parts === undefined || parts.some((part) => Number(part) > 255)) return undefined;
  return parts.map((part) => Number(part).toString(2).padStart(8, "0")).join("");
}

function ipv6Bits(address: string): string | undefined {
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = [groupsOf(halves[0] ?? ""), groupsOf(halves[1] ?? "")];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.map((group) => group.toString(2).padStart(16, "0")).join("");
}

/** 16-bit groups; the last two may be written as an IPv4 address (RFC 4291 §2.2). */
function groupsOf(text: string): readonly number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const embedded = index === parts.length - 1 ? ipv4Bits(part) : undefined;
    if (embedded !== undefined) {
      groups.push(
        Number.parseInt(embedded.slice(0, 16), 2),
        Number.parseInt(embedded.slice(16), 2),
      );
    } else if (/^[0-9a-f]{1,4}$/iu.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
