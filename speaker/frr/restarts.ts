/** Notices daemons that were restarted: each one makes its socket anew in FRR's run directory. */
import { watch, type FSWatcher } from 'node:fs';

/** Calls `onRestart` when a daemon's socket appears. Undefined when the folder cannot be watched. */
export function watchRestarts(runDir: string, onRestart: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(runDir, (_event, file) => {
      if (file?.endsWith('.vty') === true) onRestart();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
