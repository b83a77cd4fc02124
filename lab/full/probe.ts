/** Can this machine carry the full level? Asked before anything is started; a "no" says why. */
import { existsSync, readFileSync } from 'node:fs';
import { LabError } from '#lab/errors.ts';
import { findCommand } from '#lab/system/packages.ts';

export interface FullProbe {
  readonly able: boolean;
  /** What is missing, each with what would help; empty when able. */
  readonly reasons: readonly string[];
}

/** A control plane, three nodes and our programs on them, with room for a test run. */
const MIN_MEMORY_GIB = 3;
const CONTROLLERS = ['cpu', 'memory', 'pids', 'devices'] as const;

/** What the probe looks at, so that a test can show it another machine. */
export interface Machine {
  readonly root: boolean;
  readonly has: (command: string) => boolean;
  readonly read: (path: string) => string;
  readonly exists: (path: string) => boolean;
}

const thisMachine: Machine = {
  root: process.getuid?.() === 0,
  has: (command) => findCommand(command) !== undefined,
  read: (path) => readFileSync(path, 'utf8'),
  exists: existsSync,
};

function missingPrograms({ has }: Machine): readonly string[] {
  if (has('apt-get')) return [];
  const needed = ['containerd', 'ctr', 'runc', '/usr/lib/cni/bridge'];
  return needed
    .filter((program) => !has(program))
    .map((program) => `${program} is missing and there is no apt-get to install it: install it`);
}

function missingControllers({ read, exists }: Machine): readonly string[] {
  const unified = '/sys/fs/cgroup/cgroup.controllers';
  if (exists(unified)) {
    const present = read(unified).trim().split(' ');
    return ['cpu', 'memory', 'pids']
      .filter((controller) => !present.includes(controller))
      .map((controller) => `the cgroup controller ${controller} is not there: enable it in the kernel`);
  }
  const mounted = read('/proc/mounts')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup')
    .flatMap(([, , , options = '']) => options.split(','));
  return CONTROLLERS.filter((controller) => !mounted.includes(controller)).map(
    (controller) => `the cgroup controller ${controller} is not mounted: mount it below /sys/fs/cgroup`,
  );
}

/** The lab's kubelets would take over a socket in a folder that cannot be chosen (/var/lib/kubelet/device-plugins). */
function ownKubelet({ exists }: Machine): readonly string[] {
  const known = ['/var/lib/kubelet/config.yaml', '/var/lib/kubelet/pki'];
  if (!known.some((path) => exists(path))) return [];
  return ['this machine is a Kubernetes node itself (/var/lib/kubelet): use the light level'];
}

function missingMemory({ read }: Machine): readonly string[] {
  const available = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(read('/proc/meminfo'))?.[1] ?? 0) / 1024 ** 2;
  if (available >= MIN_MEMORY_GIB) return [];
  return [
    `${available.toFixed(1)} GiB of memory are free, ${MIN_MEMORY_GIB} are needed: use the light level`,
  ];
}

/** Looks at the machine; changes nothing. Packages that apt-get can install do not count as missing. */
export function canRunFull(machine: Machine = thisMachine): FullProbe {
  const reasons = [
    ...(machine.root ? [] : ['root is needed: use sudo']),
    ...missingPrograms(machine),
    ...missingControllers(machine),
    ...(/\toverlay$/m.test(machine.read('/proc/filesystems'))
      ? []
      : ['the kernel has no overlay file system: load the module overlay']),
    ...ownKubelet(machine),
    ...missingMemory(machine),
  ];
  return { able: reasons.length === 0, reasons };
}

/** @throws LabError with all reasons. */
export function assertFull(): void {
  const { able, reasons } = canRunFull();
  if (!able) throw new LabError(`this machine cannot carry the full level: ${reasons.join('; ')}`);
}
