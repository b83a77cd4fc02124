import { describe, expect, test } from 'vitest';
import { debianArchive, parseDeb822, parseList } from '#lab/system/debian.ts';

const DEB822 = `Types: deb
# a comment
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: sid
Components: main
`;

const LIST = `# deb http://commented.example/debian sid main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian trixie main contrib
deb http://tools.example/apt stable main
deb-src http://mirror.example/debian trixie main
`;

describe('the Debian archive in apt sources', () => {
  test('deb822 files, comments and disabled stanzas', () => {
    expect(parseDeb822(DEB822).map(({ uri }) => uri)).toEqual([
      'http://mirror.example/debian/',
      'http://security.example/debian-security',
    ]);
    expect(debianArchive(parseDeb822(DEB822))).toEqual({
      main: 'http://mirror.example/debian',
      security: 'http://security.example/debian-security',
    });
  });

  test('one-line lists; the security archive is beside the main one when it is not named', () => {
    expect(parseList(LIST)).toHaveLength(2);
    expect(debianArchive(parseList(LIST))).toEqual({
      main: 'http://mirror.example/debian',
      security: 'http://mirror.example/debian-security',
    });
  });

  test('a machine of another distribution has none', () => {
    expect(
      debianArchive(parseList('deb http://archive.example/ubuntu noble main universe\n')),
    ).toBeUndefined();
  });
});
