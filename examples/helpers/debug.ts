import { pino } from 'pino'
import { createSupervisor, defineTask } from '../../src/index.ts'

const answer = defineTask({ name: 'answer' }, () => 42)

const write = (line: string): void => {
  const { msg, machine, event, from, to } = JSON.parse(line)
  console.log(msg === 'step' ? `${machine}: ${event}, ${from} → ${to}` : msg)
}
await using supervisor = createSupervisor({ logger: pino({ level: 'warn' }, { write }) })
await supervisor.start()

supervisor.debug(true)
await supervisor.submit(answer).result
supervisor.debug(false)
await supervisor.submit(answer).result
// → definition.used
// → task.created
// → task: task.submit, created → queued
// → task.queued
// → task: task.admit, queued → running.starting
// → task.admitted
// → task: attempt.started, running.starting → running.executing
// → task.started
// → task: attempt.returned, running.executing → finished
// → task.finished
