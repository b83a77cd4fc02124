/** The Dockerfile and the lab's recipe say the same (architecture, decision 10: the lab's content is the image's). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RECIPE } from '#lab/image/recipe.ts';
import { FRR_IDS, PACKAGES } from '#lab/system/frr-rootfs.ts';
import { recipeOfDockerfile } from '#tests/support/dockerfile.ts';

const dockerfile = readFileSync(join(import.meta.dirname, '../../../Dockerfile'), 'utf8');

describe('the Dockerfile', () => {
  it('holds what the recipe holds', () => {
    expect(recipeOfDockerfile(dockerfile)).toEqual(RECIPE);
  });

  it('is seen to differ when it does', () => {
    const changes: readonly (readonly [string, string])[] = [
      [' tini', ''],
      ['--gid 102 frrvty', '--gid 103 frrvty'],
      ['--uid 100', '--uid 99'],
      ['usermod --append --groups 102 root', 'true'],
      ['COPY image/bin/ /\n', ''],
      ['ENV NODE_ENV=production', 'ENV NODE_ENV=test'],
      ['licenses="Apache-2.0"', 'licenses="MIT"'],
      ['USER 65534:65534', 'USER 0:0'],
      ['WORKDIR /app\nUSER', 'WORKDIR /\nUSER'],
    ];
    for (const [from, to] of changes) {
      const changed = dockerfile.replace(from, to);
      expect(changed, from).not.toBe(dockerfile);
      expect(recipeOfDockerfile(changed), from).not.toEqual(RECIPE);
    }
  });

  it('may not use an instruction that the recipe cannot say', () => {
    expect(() => recipeOfDockerfile(`${dockerfile}ENTRYPOINT ["/x"]\n`)).toThrow('nothing like ENTRYPOINT');
  });
});

describe('the root file system of the lab', () => {
  it('has every package of the recipe, and users by the same numbers', () => {
    expect(PACKAGES).toEqual(expect.arrayContaining([...RECIPE.packages]));
    const [frr, frrvty] = RECIPE.groups;
    expect(FRR_IDS).toEqual({ uid: RECIPE.users[0]?.uid, gid: frr?.gid, vtyGid: frrvty?.gid });
  });
});
