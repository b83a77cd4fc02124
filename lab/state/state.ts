/** What is known of a lab outside the process that started it: its folder and `state.json` in it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_USAGE, LabError } from '#lab/errors.ts';
import { DaemonFolder } from '#lab/process/daemon.ts';
import { identify, isAlive, type ProcessId } from '#lab/process/identity.ts';

export type Level = 'light' | 'full';

export interface LabState {
  readonly name: string;
  readonly level: Level;
  readonly nodes: number;
  /** Folder of the Kubernetes programs. */
  readonly bin: string;
  /** `starting` until everything is up. */
  readonly phase: 'starting' | 'up';
  /** The process that started it. */
  readonly owner: ProcessId;
  /** The lab outlives its owner (`npm run lab -- up`); else it is dead when the owner is. */
  readonly persistent: boolean;
  readonly startedAt: string;
}

const ROOT = '/run/metallb-ts-lab';

export function labFolder(name: string): string {
  return join(ROOT, name);
}

/** Names of all labs that left a folder on this machine. */
export function labNames(): readonly string[] {
  return existsSync(ROOT) ? readdirSync(ROOT).filter((name) => !name.startsWith('.')) : [];
}

export function readState(name: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(join(labFolder(name), 'state.json'), 'utf8')) as LabState;
  } catch {
    return undefined;
  }
}

export function writeState(state: LabState): void {
  const path = join(labFolder(state.name), 'state.json');
  writeFileSync(`${path}.new`, JSON.stringify(state, null, 2));
  renameSync(`${path}.new`, path);
}

/** @throws LabError when no lab of that name is up. */
export function requireState(name: string): LabState {
  const state = readState(name);
  if (state === undefined)
    throw new LabError(`no lab "${name}" is up: start it with "npm run lab -- up --name ${name}"`, {
      exitCode: EXIT_USAGE,
    });
  return state;
}

/**
 * True while somebody may be using the lab: its owner runs, or it was meant to outlive its owner, came up, and
 * one of its programs still runs.
 */
export function isLiving(state: LabState): boolean {
  if (isAlive(state.owner)) return true;
  if (!state.persistent || state.phase !== 'up') return false;
  return new DaemonFolder(labFolder(state.name)).list().some((daemon) => daemon.alive);
}

/** Makes the lab's folder with its first state in one step. False when there is one already. */
export function claimFolder(state: Omit<LabState, 'owner' | 'phase' | 'startedAt'>): LabState | undefined {
  const owner = identify(process.pid);
  if (owner === undefined) throw new LabError('/proc does not show this process: the lab needs /proc');
  const full: LabState = { ...state, owner, phase: 'starting', startedAt: new Date().toISOString() };
  const aside = join(ROOT, `.${state.name}.${process.pid}`);
  mkdirSync(aside, { recursive: true, mode: 0o755 });
  writeFileSync(join(aside, 'state.json'), JSON.stringify(full, null, 2));
  try {
    renameSync(aside, labFolder(state.name));
    return full;
  } catch {
    rmSync(aside, { recursive: true });
    return undefined;
  }
}

/** Removes the folder; the root of all labs goes with the last one. */
export function removeFolder(name: string): void {
  rmSync(labFolder(name), { recursive: true, force: true });
  if (existsSync(ROOT) && readdirSync(ROOT).length === 0) rmSync(ROOT, { recursive: true });
}
