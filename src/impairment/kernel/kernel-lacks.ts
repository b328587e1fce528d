import { EnvironmentError, type HostCommand, isSidetoneError } from "../../environment/index.ts";

/** How iproute2 and nft say that the kernel does not know what it was asked for. */
const UNKNOWN =
  /qdisc kind is unknown|unknown device type|operation not supported|protocol not supported/iu;

/** What of the kernel our commands ask for, by a word in them. */
const FEATURES: readonly {
  readonly word: RegExp;
  readonly name: string;
  readonly module: string;
  readonly instead: string;
}[] = [
  {
    word: /\bnetem\b/u,
    name: "tc netem",
    module: "sch_netem",
    instead: "let the hub carry the packets, which needs no netem,",
  },
  {
    word: /\bvxlan\b/u,
    name: "VXLAN, which the hub stands on",
    module: "vxlan",
    instead: "choose the backend nft for losses alone,",
  },
  {
    word: /^nft\b/u,
    name: "nftables",
    module: "nf_tables",
    instead: "let the hub carry the packets, which needs no packet filter,",
  },
  {
    word: /\bveth\b/u,
    name: "veth, the cable between two namespaces",
    module: "veth",
    instead: "use another host,",
  },
];

/**
 * The error of a command that failed because this kernel lacks what it asks for, with what to do
 * about it; any other error as it is.
 */
export function namedMissing({ program, args, input = "" }: HostCommand, error: unknown): unknown {
  if (!isSidetoneError(error) || error.code !== "ERR_NAMESPACE_COMMAND") return error;
  if (!UNKNOWN.test(error.message)) return error;
  const command = `${program} ${args.join(" ")} ${input}`;
  const feature = FEATURES.find(({ word }) => word.test(command));
  if (feature === undefined) return error;
  const { name, module, instead } = feature;
  return new EnvironmentError(
    "ERR_KERNEL_LACKS",
    `This kernel has no ${name}. It is the module ${module}: load it as root (modprobe ${module}; ` +
      "distributions keep it in a package of further modules, such as linux-modules-extra); or " +
      `${instead} or use the modelled TCP (tcp-modelled), which needs nothing of the kernel.`,
    { context: { module }, cause: error },
  );
}
