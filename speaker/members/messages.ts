/** What main thread and worker of the mesh tell each other. */
import type { MessagePort } from 'node:worker_threads';
import type { Report } from '#core/members/heartbeat.ts';
import type { MembersPeer, MembersPhase } from '#speaker/ports.ts';

/** Given to the worker when it starts. */
export interface MeshSettings {
  readonly me: string;
  /** Address to bind, IPv4 or IPv6 as text. */
  readonly bindAddress: string;
  readonly port: number;
  readonly secret: string;
  /** Ask for real-time priority. */
  readonly realTime: boolean;
  /** The responder's ear, for MeshNews. */
  readonly responder: MessagePort | undefined;
}

export type ToMesh =
  | { readonly kind: 'peers'; readonly peers: readonly MembersPeer[] }
  | { readonly kind: 'links'; readonly names: readonly string[] }
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'leave' }
  | { readonly kind: 'close' };

/** The mesh as this speaker sees it. */
export interface MeshView {
  readonly alive: readonly string[];
  readonly phase: MembersPhase;
  readonly reason: string;
  /** Members that died together with their node. */
  readonly gone: readonly string[];
  /** Usable interfaces of the nodes that are alive. */
  readonly links: readonly (readonly [string, readonly string[]])[];
}

/** What the responder is told directly as well, so that it need not wait for the main thread. */
export type MeshNews =
  | { readonly kind: 'view'; readonly view: MeshView }
  /** A peer's report is new; undefined: the peer is forgotten. */
  | { readonly kind: 'report'; readonly node: string; readonly report: Report | undefined };

export type FromMesh =
  | MeshNews
  | { readonly kind: 'ready'; readonly realTime: string | undefined }
  | { readonly kind: 'left' }
  /** Packets that were not authentic or not readable; at most one message a minute. */
  | { readonly kind: 'rejected'; readonly count: number; readonly from: string };
