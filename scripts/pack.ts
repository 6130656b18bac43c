// Packs the package as npm would publish it: as a function, or `node scripts/pack.ts <tarball>`.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Set by `scripts/test.ts` once its own build step is done, so that dist/ is not built again. */
export const ALREADY_BUILT = 'STATEWARD_ALREADY_BUILT'

if (import.meta.main) {
  const [tarball] = process.argv.slice(2)
  if (!tarball) throw new Error('usage: node scripts/pack.ts <tarball>')
  pack(tarball)
}

export function pack(tarball: string): void {
  const isBuilt = process.env[ALREADY_BUILT] === '1' && existsSync('dist')
  if (!isBuilt) execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })

  mkdirSync(dirname(tarball), { recursive: true })
  const folder = mkdtempSync(join(dirname(tarball), 'pack-'))
  try {
    const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder]
    const output = execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    renameSync(join(folder, output.trim()), tarball)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
