// Builds dist/ from src/, from nothing each time, so that no stale file is ever packed.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { buildPage } from './build-page.ts'

rmSync('dist', { recursive: true, force: true })
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' })
process.exitCode = status ?? 1
if (status === 0) await buildPage()
