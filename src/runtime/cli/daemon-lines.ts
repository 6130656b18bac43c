/** Daemons as lines of text. */
import type { DaemonMark } from './daemon-marks.ts'
import { toTable } from './text-table.ts'

export function toDaemonTable(daemons: readonly DaemonMark[]): string[] {
  if (daemons.length === 0) return ['No daemon.']
  const rows = daemons.map(({ name, state, mark, pid, host, beatAgeMs, id }) => [
    name,
    mark === 'alive' ? state : mark,
    String(pid),
    host,
    `${(beatAgeMs / 1_000).toFixed(1)} s ago`,
    id,
  ])
  return toTable(['DAEMON', 'STATE', 'PID', 'HOST', 'LAST SIGN', 'ID'], rows)
}
