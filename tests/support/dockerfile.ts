/** Reads from a Dockerfile what the lab's recipe also says (Dockerfile reference: instructions, continuation lines). */
import type { ImageRecipe } from '#lab/image/recipe.ts';

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

function instructionsOf(text: string): readonly Instruction[] {
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', ...rest] = line.split(/\s+/);
      return { name: name.toUpperCase(), rest: rest.join(' ') };
    });
}

/** Words of a command with its options taken out: `--gid 101 frr` → options {gid: '101'}, words ['frr']. */
function command(words: readonly string[], valued: readonly string[]) {
  const options: Record<string, string> = {};
  const plain: string[] = [];
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const name = word.replace(/^--/, '');
    if (word.startsWith('--') && valued.includes(name)) options[name] = words[(at += 1)] ?? '';
    else if (!word.startsWith('-')) plain.push(word);
  }
  return { options, plain };
}

function pairs(instructions: readonly Instruction[], name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    instructions
      .filter((instruction) => instruction.name === name)
      .map(({ rest }) => {
        const cut = rest.indexOf('=');
        return [rest.slice(0, cut), rest.slice(cut + 1).replace(/^"(.*)"$/, '$1')];
      }),
  );
}

/** The last stage as a recipe. Instructions that it does not know are errors: they would go uncompared. */
export function recipeOfDockerfile(text: string): ImageRecipe {
  const all = instructionsOf(text);
  const stage = all.slice(all.findLastIndex(({ name }) => name === 'FROM') + 1);
  const known = new Set(['RUN', 'COPY', 'ENV', 'LABEL', 'WORKDIR', 'USER']);
  const unknown = stage.find(({ name }) => !known.has(name));
  if (unknown !== undefined) throw new Error(`the recipe has nothing like ${unknown.name}`);

  const commands = stage
    .filter(({ name }) => name === 'RUN')
    .flatMap(({ rest }) => rest.split('&&').map((part) => part.trim().split(/\s+/)));
  const called = (name: string, valued: readonly string[]) =>
    commands.filter(([program]) => program === name).map((words) => command(words, valued));
  const one = (name: string) => stage.find((instruction) => instruction.name === name)?.rest ?? '';

  const users = called('useradd', ['uid', 'gid', 'groups', 'home-dir', 'shell']);
  const members: Record<number, string[]> = {};
  for (const { options, plain } of [...users, ...called('usermod', ['groups'])])
    (members[Number(options['groups'])] ??= []).push(plain[0] ?? '');

  return {
    packages: called('apt-get', [])
      .filter(({ plain }) => plain[0] === 'install')
      .flatMap(({ plain }) => plain.slice(1)),
    groups: called('groupadd', ['gid']).map(({ options, plain }) => ({
      name: plain[0] ?? '',
      gid: Number(options['gid']),
    })),
    users: users.map(({ options, plain }) => ({
      name: plain[0] ?? '',
      uid: Number(options['uid']),
      gid: Number(options['gid']),
    })),
    members,
    copies: stage
      .filter(({ name }) => name === 'COPY')
      .map(({ rest }) => {
        const [from = '', to = ''] = rest.replace(/^--from=build /, '').split(' ');
        return { from: from.replace(/^\/src\//, ''), to };
      }),
    env: pairs(stage, 'ENV'),
    labels: pairs(stage, 'LABEL'),
    workdir: one('WORKDIR'),
    user: one('USER'),
  };
}
