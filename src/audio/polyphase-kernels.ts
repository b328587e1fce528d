import type { KaiserLowPass } from "./kaiser.ts";
import type { PolyphaseKernel } from "./polyphase-kernel.ts";
import { ScalarKernel } from "./polyphase-scalar.ts";
import { SimdKernel } from "./polyphase-simd.ts";
import { polyphaseTaps } from "./polyphase-taps.ts";
import { PolyphaseModule } from "./simd/polyphase-module.ts";

/** The SIMD kernels of this thread by ratio and design: as many as its memory has room for. */
const simdKernels = new Map<string, PolyphaseKernel>();
let module: PolyphaseModule | undefined;
let isModuleTried = false;

/** A reduced ratio of sample rates and the low-pass filter for it. */
export interface KernelChoice {
  readonly up: number;
  readonly down: number;
  readonly design: KaiserLowPass;
  readonly simd: boolean;
}

/** The fastest kernel: shared SIMD where the machine has it and the ratio is a usual one. */
export function polyphaseKernel(choice: KernelChoice): PolyphaseKernel {
  const { up, down, design } = choice;
  const key = [up, down, design.halfLength, design.beta, design.cutoff].join("/");
  const known = choice.simd ? simdKernels.get(key) : undefined;
  if (known !== undefined) return known;
  const taps = polyphaseTaps(up, down, design);
  const shared = choice.simd ? sharedModule() : undefined;
  const kernel = shared && SimdKernel.create(taps, shared);
  if (kernel === undefined) return new ScalarKernel(taps);
  simdKernels.set(key, kernel);
  return kernel;
}

function sharedModule(): PolyphaseModule | undefined {
  if (!isModuleTried) module = PolyphaseModule.create();
  isModuleTried = true;
  return module;
}
