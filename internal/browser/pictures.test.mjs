// The pictures are drawn when somebody asks for it; this is what keeps bad ones out.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

test('without a font for Chinese no picture is drawn', (t) => {
  const bin = mkdtempSync(join(tmpdir(), 'orderq-fonts-'));
  t.after(() => rmSync(bin, { recursive: true }));
  writeFileSync(join(bin, 'fc-list'), '#!/bin/sh\n', { mode: 0o755 }); // finds none
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, CHROMIUM: 'false' }; // none is drawn if this fails, either
  const { status, stderr } = spawnSync('bash', [new URL('test.sh', import.meta.url).pathname, '--pictures'], { encoding: 'utf8', env });
  assert.equal(status, 1);
  assert.match(stderr, /fonts-noto-cjk/);
});
