/** A small program for process.test.ts. */
import { runProgram } from '#runtime/lifecycle/program.ts';
import { choice } from '#runtime/settings/settings.ts';

const modes = ['calm', 'stuck', 'buggy'] as const;
const options = { mode: choice({ flag: 'mode', choices: modes, default: 'calm', help: 'What to do.' }) };

await runProgram(
  { name: 'fixture', options, logLevel: () => 'info' },
  async ({ settings, logger, scope }) => {
    const alive = setInterval(() => undefined, 1000);
    scope.defer(async () => {
      if (settings.mode === 'stuck') await new Promise(() => undefined);
      clearInterval(alive);
      logger.info('disposed');
    });
    logger.info('up');
    if (settings.mode === 'buggy') void Promise.reject(new Error('nobody caught me'));
  },
);
