/** What the full level's nodes need of the lab they are part of. */
import type { LabApi } from '#lab/control/api.ts';
import type { Pki } from '#lab/control/pki.ts';
import type { Place } from '#lab/net/plan.ts';
import type { Daemon, DaemonFolder, DaemonSpec } from '#lab/process/daemon.ts';

/** The lab as its nodes see it; `Lab` is one. */
export interface NodeFrame {
  readonly name: string;
  /** Folder of everything the lab writes. */
  readonly folder: string;
  /** Folder of the Kubernetes programs. */
  readonly bin: string;
  readonly nodeCount: number;
  readonly api: LabApi;
  readonly daemons: DaemonFolder;
  readonly pki: Pki;
  /** Starts a program that keeps running in a place. */
  spawn(place: Place, spec: Omit<DaemonSpec, 'netns'>): Daemon;
  /** Starts kube-proxy on a node. */
  startProxy(index: number): Daemon;
}
