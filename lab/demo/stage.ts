/** What differs between the levels of the demo; the steps of the story are the same. */
import type { Lab } from '#lab/lab.ts';

export type Progress = (text: string) => void;
export type Evidence = Readonly<Record<string, unknown>>;

export interface Stage {
  readonly lab: Lab;
  /** Brings MetalLB up the way this level does; resolves when it is ready to work. */
  readonly deploy: readonly StageStep[];
  /** Real servers behind the Service, on every node. Creates nothing of the Service itself. */
  startWorkload(progress: Progress): Promise<Evidence>;
  /** Creates a Service of type LoadBalancer for the workload; `pool`: only from this pool. */
  createService(name: string, options?: { pool?: string; ready?: boolean }): Promise<void>;
  /** Lets the endpoints of a Service that was created with `ready: false` become ready; resolves when the API has it. */
  makeReady(name: string): Promise<void>;
}

/** One step of the deployment, told as a step of the story. */
export interface StageStep {
  readonly name: string;
  readonly does: string;
  readonly see: string;
  readonly run: (progress: Progress) => Promise<Evidence>;
}

export const NAMESPACE = 'metallb-system';
