// Installs the packed tarball into an empty folder and runs test/fixtures/package-smoke/main.mjs and the
// README's example (examples/readme, which a test holds against the README's text) there.
//
//   node scripts/smoke-package.ts [path of a Node binary]   on that Node, by default the pinned one
//   node scripts/smoke-package.ts --all                     on every maintained line
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { pack } from './pack.ts'

const MAINTAINED_MAJORS = [22, 24, 26]
const FIXTURE = 'test/fixtures/package-smoke'
const README_EXAMPLE = 'examples/readme'
const PROGRAM_TIMEOUT_MS = 60_000

const { values, positionals } = parseArgs({ options: { all: { type: 'boolean' } }, allowPositionals: true })

const folder = mkdtempSync(join(tmpdir(), 'stateward-smoke-'))
try {
  const consumer = join(folder, 'consumer')
  const tarball = join(folder, 'stateward.tgz')
  pack(tarball)
  npmInstall(consumer, tarball)
  cpSync(FIXTURE, consumer, { recursive: true })
  cpSync(README_EXAMPLE, join(consumer, 'readme'), { recursive: true })

  const nodes = values.all
    ? MAINTAINED_MAJORS.map(installNode)
    : [resolve(positionals[0] ?? process.execPath)]
  for (const node of nodes) {
    for (const program of ['main.mjs', 'readme/main.ts', 'readme/service.ts', 'readme/durable.ts']) {
      execFileSync(node, [program], { cwd: consumer, stdio: 'inherit', timeout: PROGRAM_TIMEOUT_MS })
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function npmInstall(target: string, specifier: string): void {
  mkdirSync(target)
  const manifest = { name: 'smoke', private: true, type: 'module', allowScripts: { node: true } }
  writeFileSync(join(target, 'package.json'), JSON.stringify(manifest))
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', specifier], {
    cwd: target,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

function installNode(major: number): string {
  const target = join(folder, `node-${major}`)
  npmInstall(target, `node@${major}`)
  return join(target, 'node_modules', 'node', 'bin', 'node')
}
