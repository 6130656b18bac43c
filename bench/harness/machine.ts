/** Where and with what the figures were taken. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

const PACKAGES = [
  'xstate',
  'piscina',
  'p-queue',
  'fastq',
  'croner',
  'node-cron',
  'toad-scheduler',
  'bree',
  'bullmq',
  'pg-boss',
  'graphile-worker',
  'hono',
  '@hono/node-server',
] as const

/** Label and value of each fact. */
export function machineFacts(): [string, string][] {
  return [
    ['CPU', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`],
    ['Memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ['Kernel', `${type()} ${release()}`],
    ['Node.js', `${process.version} (V8 ${process.versions.v8})`],
    [
      'Packages',
      [ownVersion(), ...PACKAGES.map((name) => `${name} ${versionIn(`../../node_modules/${name}/`)}`)].join(
        ', ',
      ),
    ],
    [
      'Load before',
      loadavg()
        .map((load) => load.toFixed(2))
        .join(' '),
    ],
    ['Date', new Date().toISOString().slice(0, 16).replace('T', ' ')],
  ]
}

/** The package and its commit. */
export function ownVersion(): string {
  const git = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' })
  const commit = git.status === 0 ? ` (${git.stdout.trim()})` : ''
  return `stateward ${versionIn('../../')}${commit}`
}

function versionIn(folder: string): string {
  const file = new URL(`${folder}package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
