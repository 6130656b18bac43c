/** Whether Node is one that this package runs on: npm only warns of one that is too old. */

/**
 * @param wanted - `engines.node` of package.json: `>=` and the version
 * @param version - of Node, without a `v`
 * @returns what to say and how to go on; `undefined` when it is new enough
 */
export function nodeRefusal(wanted: string, version: string): string | undefined {
  const least = wanted.replace('>=', '')
  if (least.localeCompare(version, 'en', { numeric: true }) <= 0) return undefined
  return `stateward needs Node ${least} or newer, and this is Node ${version}: install a newer one, or name it before the program.`
}
