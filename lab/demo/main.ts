/** `npm run demo`: the main job, from nothing to traffic, on an embedded lab. */
import { messageOf } from '#core/errors.ts';
import { DEMO_USAGE, parseDemoArguments, type DemoArguments } from '#lab/demo/arguments.ts';
import { chooseLevel } from '#lab/demo/level.ts';
import { LightStage } from '#lab/demo/light.ts';
import type { Stage } from '#lab/demo/stage.ts';
import { storySteps } from '#lab/demo/steps.ts';
import { Story, type Step } from '#lab/demo/story.ts';
import { LabError } from '#lab/errors.ts';
import { DEFAULT_NAME, Lab } from '#lab/lab.ts';
import type { Reporter } from '#lab/report.ts';
import { removeLab } from '#lab/state/remove.ts';
import type { Level } from '#lab/state/state.ts';

const terminal = {
  write: (text: string): boolean => process.stdout.write(text),
  isTTY: process.stdout.isTTY,
  columns: process.stdout.columns ?? 80,
};

function reporter(progress: (text: string) => void): Reporter {
  return { step: progress, progress };
}

async function startLab(story: Story, level: Level, name: string): Promise<Stage> {
  let stage: Stage | undefined;
  const step: Step = {
    name: 'The lab',
    does: `control plane, 3 nodes, LAN, router and clients as network namespaces (level ${level})`,
    see: 'three nodes',
    run: async (progress) => {
      const lab = await Lab.up({ name, level, persistent: true, report: reporter(progress) });
      stage = await makeStage(lab, level);
      return { nodes: await lab.kubectl(['get', 'nodes', '-o', 'wide']) };
    },
  };
  await story.tell(step);
  if (stage === undefined) throw new Error('the lab step ended without a lab');
  return stage;
}

async function makeStage(lab: Lab, level: Level): Promise<Stage> {
  if (level === 'light') return new LightStage(lab);
  const { FullStage } = await import('#lab/demo/full.ts');
  return new FullStage(lab);
}

async function tell(story: Story, level: Level, name: string): Promise<void> {
  const stage = await startLab(story, level, name);
  for (const step of stage.deploy) await story.tell(step);
  for (const step of storySteps(stage)) await story.tell(step);
}

function lookAroundHints(name: string): string {
  const option = name === DEFAULT_NAME ? '' : ` --name ${name}`;
  return [
    '',
    'The lab stays up. Look around:',
    `  npm run lab -- kubectl${option} get bgppeers,ipaddresspools,services -A`,
    `  npm run lab -- router${option} 'show bgp summary'`,
    `  npm run lab -- client${option} curl http://198.51.100.1/`,
    `  npm run lab -- logs${option}`,
    `  npm run lab -- down${option}`,
    '',
  ].join('\n');
}

async function main(args: DemoArguments): Promise<number> {
  const { level, why } = chooseLevel(args.level);
  process.stdout.write(`metallb-ts demo, level ${level}: ${why}\n`);
  const story = new Story(terminal);
  let ok = false;
  try {
    await tell(story, level, args.name);
    ok = true;
  } catch (error) {
    if (error instanceof LabError && story.results.length <= 1) throw error;
    process.stdout.write(`\nThe demo stopped: ${messageOf(error)}\n`);
  } finally {
    if (args.json !== undefined) story.save(args.json, { level, why, ok });
  }
  if (args.down) {
    await removeLab(args.name);
    process.stdout.write('\nThe lab was taken away.\n');
  } else {
    process.stdout.write(lookAroundHints(args.name));
  }
  const passed = story.results.filter((step) => step.ok).length;
  process.stdout.write(
    `${passed} of ${story.results.length} steps worked, ${story.seconds.toFixed(1)} s in all\n`,
  );
  return ok ? 0 : 1;
}

try {
  const args = parseDemoArguments(process.argv.slice(2));
  if (args.help) process.stdout.write(DEMO_USAGE);
  process.exit(args.help ? 0 : await main(args));
} catch (error) {
  process.stderr.write(`demo: ${messageOf(error)}\n`);
  process.exit(error instanceof LabError ? error.exitCode : 70);
}
