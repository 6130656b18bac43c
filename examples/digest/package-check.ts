/**
 * What npm would say to a package.json: well-formed JSON, an object, and what is there of name, version,
 * type and dependencies is right. Most package.json files are never published and may lack all of them.
 */
import { readFileSync } from 'node:fs'
import semver from 'semver'
import validateName from 'validate-npm-package-name'
import { type BytePath, toBytes } from './byte-path.ts'
import { type Finding, findingOf } from './finding.ts'

const DEPENDENCY_MAPS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']

/** @returns what is wrong with the file, if anything */
export function checkPackage(path: BytePath): Finding | undefined {
  try {
    const detail = problemsOf(readFileSync(toBytes(path), 'utf8')).join('; ')
    return detail === '' ? undefined : { path, finding: 'package', detail }
  } catch (error) {
    return findingOf(path, error)
  }
}

export function problemsOf(text: string): string[] {
  let manifest: unknown
  try {
    // npm, too, forgives a byte order mark.
    manifest = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    return [`It is not JSON: ${(error as Error).message}`]
  }
  if (!isRecord(manifest)) return ['It is not an object']
  const { name, version, type } = manifest
  return [
    ...nameProblems(name),
    ...(version === undefined || version === '' || isVersion(version)
      ? []
      : [`version ${JSON.stringify(version)} is no semantic version`]),
    ...(type === undefined || type === 'module' || type === 'commonjs'
      ? []
      : [`type ${JSON.stringify(type)} is neither "module" nor "commonjs"`]),
    ...DEPENDENCY_MAPS.flatMap((key) => mapProblems(key, manifest[key])),
  ]
}

/** Names that were allowed in the past are in use. */
function nameProblems(name: unknown): string[] {
  if (name === undefined || name === '') return []
  if (typeof name !== 'string') return ['name is not a string']
  const { validForOldPackages, errors = [] } = validateName(name)
  return validForOldPackages ? [] : errors
}

/** npm reads versions loosely, as in "v1.0" or "=1.0.0". */
function isVersion(version: unknown): boolean {
  return typeof version === 'string' && semver.valid(version, { loose: true }) !== null
}

function mapProblems(key: string, map: unknown): string[] {
  if (map === undefined) return []
  if (!isRecord(map)) return [`${key} is not an object`]
  return Object.entries(map)
    .filter(([, range]) => typeof range !== 'string')
    .map(([name]) => `${key}: the range of ${JSON.stringify(name)} is not a string`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
