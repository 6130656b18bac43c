/**
 * Kills the commands of this process when it dies, however that happens, and when the lease of one ends: commands are no Node
 * programs that could watch their parent themselves.
 *
 * A small shell of its own session knows which groups live, by a pipe whose other end only this process holds. The pipe
 * closes with this process, and the shell then kills what it knows. A group that has a lease gets a timer there, since this
 * process may be stopped by the operating system when the lease ends. The shell is started with the first command, does not keep
 * this process alive, and ends with `close`. Where there is no such shell (Windows), nothing is guarded.
 *
 * The shell is authoritative for nothing: were it killed, the commands would go on unguarded until the next `watch`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * `+ pid` and `- pid` keep the list, `= pid seconds` says how long one may go on from now; the end of the input kills who is on it.
 * A timer is a shell that waits for a `sleep`: it takes that with it when it is called off, and is waited for, so that
 * none is left of the many that a long command needs.
 */
const SCRIPT = `
live=" "
calloff() {
  eval "timer=\\\${timer_$1:-}"
  [ -z "$timer" ] && return
  kill "$timer" 2>/dev/null
  wait "$timer" 2>/dev/null
  unset "timer_$1"
}
while read -r op pid seconds; do
  case $op in
    +) live="$live$pid " ;;
    -) live="\${live%% $pid *} \${live#* $pid }"; calloff "$pid" ;;
    =)
      calloff "$pid"
      (
        nap=
        trap '[ -n "$nap" ] && kill "$nap"; exit' TERM
        sleep "$seconds" & nap=$!
        wait "$nap" && kill -s KILL -- "-$pid"
      ) 2>/dev/null &
      eval "timer_$pid=$!" ;;
  esac
done
for pid in $live; do
  kill -s KILL -- "-$pid" 2>/dev/null
  calloff "$pid"
done
exit 0`

export class CommandGuard {
  #shell: ChildProcess | undefined
  readonly #watched: Set<number> = new Set()

  /** Starts the shell: before the first command, so that none is without a guard for as long as that takes. */
  start(): void {
    if (this.#shell === undefined) this.#start()
  }

  watch(pid: number): void {
    this.#watched.add(pid)
    if (this.#shell === undefined) this.#start()
    else this.#write(`+ ${pid}\n`)
  }

  /** It may go on for `ms` milliseconds, unless this is called again or it is gone by then. */
  lease(pid: number, ms: number): void {
    this.#write(`= ${pid} ${(Math.max(1, ms) / 1_000).toFixed(3)}\n`)
  }

  /** The group is gone. */
  forget(pid: number): void {
    if (this.#watched.delete(pid)) this.#write(`- ${pid}\n`)
  }

  /** Resolves when the shell has ended. No group may live any more. */
  close(): Promise<void> {
    const shell = this.#shell
    if (shell === undefined) return Promise.resolve()
    this.#shell = undefined
    const { promise, resolve } = Promise.withResolvers<void>()
    shell.ref()
    shell.once('close', () => resolve())
    shell.stdin?.end()
    return promise
  }

  #start(): void {
    if (process.platform === 'win32') return
    let shell: ChildProcess
    try {
      shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    } catch {
      return
    }
    this.#shell = shell
    const gone = (): void => {
      if (this.#shell === shell) this.#shell = undefined
    }
    shell.on('error', gone)
    shell.on('exit', gone)
    shell.stdin?.on('error', () => {})
    shell.unref()
    ;(shell.stdin as Socket | null)?.unref()
    for (const pid of this.#watched) this.#write(`+ ${pid}\n`)
  }

  #write(line: string): void {
    this.#shell?.stdin?.write(line)
  }
}
